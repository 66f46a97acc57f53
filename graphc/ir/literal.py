"""Attribute values as text: numbers to the last bit, sizes, strings, tuples, arrays, initialisers, nodes.

====================  ==========================================
``True None 3``       bools, None, ints
``0.5 -0.0 +inf``     floats, always with a point, an exponent or a sign and a word
``2*n + 1``           sizes
``"text"``            strings, escaped as in JSON
``[batch, 64]``       tuples
``float32[2]{1.0, 2.0}``  arrays; large ones are base64 in quotes
``@normal{std=0.01}`` initialisers; ``@float64[1]{0.5}`` is one by an array
``%h``                nodes
====================  ==========================================
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from graphc.errors import ParseError, VerifyError
from graphc.ir.node import Array, Node
from graphc.ir.size import Dim, Size, size
from graphc.ir.types import DTYPES, Type, shape_text

MAX_NESTING = 8
MAX_RANK = 32
MAX_DIM = 2**40
MAX_ELEMENTS = 2**48
MAX_DIGITS = 400
MAX_PRODUCT_TERMS = 4096
READABLE_ELEMENTS = 64
"""An array of more elements is written as base64."""

ARRAY_DTYPES = (*DTYPES, "int8", "int16", "uint8", "uint16", "uint32", "uint64", "float16")

_TYPE = re.compile(rf"({'|'.join(ARRAY_DTYPES)})\[([^\[\]]*)\]")
_INT = re.compile(r"-?[0-9]+")
_FLOAT = re.compile(r"-?[0-9]+(?:\.[0-9]*(?:e[+-]?[0-9]+)?|e[+-]?[0-9]+)")
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
_RUN = re.compile(r'[^,\[\]{}"%@]+')
_KEY = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_ID = re.compile(r"%[\w./+#-]+")
_WORDS: dict[str, Any] = {
    "True": True,
    "False": False,
    "None": None,
    "+inf": math.inf,
    "-inf": -math.inf,
    "+nan": math.nan,
}


# -- printing ---------------------------------------------------------------------------------------------------------


def quoted(text: str) -> str:
    """A string in quotes, on one line whatever it holds."""
    return json.dumps(text, ensure_ascii=not text.isprintable())


def value_text(value: Any, ids: Mapping[Node, str]) -> str:
    """An attribute as text.

    Raises:
        VerifyError: a kind of value that attributes do not hold.

    Example:
        >>> value_text((None, -0.0, ("a", True)), {})
        '[None, -0.0, ["a", True]]'
    """
    if isinstance(value, Node):
        return ids[value]
    if isinstance(value, tuple):
        return f"[{', '.join(value_text(part, ids) for part in value)}]"
    if isinstance(value, Array):
        return array_text(value)
    if hasattr(value, "options") and hasattr(value, "name"):
        return _init_text(value)
    return _plain_text(value)


def _plain_text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Size):
        return f"0 - {value.text[1:]}" if value.text.startswith("-") else value.text
    raise VerifyError("this attribute has no text", given=f"{type(value).__name__}: {value!r:.60}")


def float_text(value: float) -> str:
    """A float as text that gives back every bit of it."""
    if math.isnan(value):
        return "+nan"
    if math.isinf(value):
        return "+inf" if value > 0 else "-inf"
    return repr(float(value))


def array_text(array: Array) -> str:
    """``float32[2]{1.0, 2.0}``."""
    return f"{array.value.dtype.name}{shape_text(array.value.shape)}{{{data_text(array.value)}}}"


def data_text(array: np.ndarray[Any, Any]) -> str:
    """The elements of an array: readable numbers where they are few and give back every bit, else base64."""
    if array.dtype.name not in ARRAY_DTYPES:
        raise VerifyError("an array of this dtype has no text", given=array.dtype.name)
    if array.size <= READABLE_ELEMENTS:
        text = ", ".join(_element_text(x) for x in array.ravel())
        if Array(data_array(text, array.dtype.name, array.shape)) == Array(array):
            return text
    data = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    return f'"{base64.b64encode(data).decode()}"'


def _element_text(x: Any) -> str:
    if x.dtype.kind != "f":
        return str(x.item())
    if not np.isfinite(x):
        return float_text(float(x))
    short = repr(float(str(x)))  # the fewest digits that tell it apart in its own precision
    return short if x.dtype.type(float(short)) == x else repr(float(x))


def _init_text(value: Any) -> str:
    if value.value is not None:
        return f"@{array_text(value.value)}"
    inner = ", ".join(f"{k}={_plain_text(v)}" for k, v in value.options)
    return f"@{value.name}{{{inner}}}" if inner else f"@{value.name}"


# -- reading ----------------------------------------------------------------------------------------------------------


class Scanner:
    """A cursor over one line of text; what it refuses, it refuses with the place."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def skip(self) -> None:
        """Past blanks."""
        while self.text.startswith(" ", self.at):
            self.at += 1

    def accept(self, token: str) -> bool:
        """Whether the token is next; it is then passed."""
        self.skip()
        found = self.text.startswith(token, self.at)
        self.at += len(token) if found else 0
        return found

    def expect(self, token: str) -> None:
        """The token must be next."""
        if not self.accept(token):
            raise self.error(token)

    def find(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What matches here; it is passed."""
        self.skip()
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return match

    def take(self, pattern: re.Pattern[str], what: str) -> str:
        """What must match here."""
        match = self.find(pattern)
        if match is None:
            raise self.error(what)
        return match.group()

    def error(self, expected: str) -> ParseError:
        """What was expected here, and what stands here instead."""
        rest = self.text[self.at : self.at + 40]
        return ParseError(
            "this line cannot be read", given=repr(rest) if rest else "its end", expected=expected
        )

    def end(self) -> None:
        """Nothing may follow."""
        self.skip()
        if self.at != len(self.text):
            raise self.error("the end of the line")

    def string(self) -> str:
        """A string in quotes."""
        value = json.loads(self.take(_STRING, "text in quotes"))
        assert isinstance(value, str)
        return value

    def node_id(self) -> str:
        """``%h``."""
        return self.take(_ID, "a name such as %h")

    def key(self) -> str:
        """An identifier."""
        return self.take(_KEY, "a word")

    def type(self, dtypes: tuple[str, ...] = DTYPES) -> Type:
        """``float32[batch, 64]``."""
        found = read_type(self.take(_TYPE, "a type such as float32[batch, 64]"))
        if found.dtype not in dtypes:
            raise ParseError(
                "graphc does not compute with this dtype", given=found.dtype, expected=", ".join(dtypes)
            )
        return found


class Values:
    """Reads attribute values.

    Args:
        nodes: the nodes known so far, by ``%name``.
        init: makes an initialiser of a name, options and an array, or None where there are none to make.
    """

    def __init__(self, nodes: Mapping[str, Node], init: Any) -> None:
        self.nodes, self.init = nodes, init

    def read(self, line: Scanner, depth: int = 0) -> Any:
        """One value at the cursor."""
        line.skip()
        first = line.text[line.at : line.at + 1]
        if first == "[":
            return self._tuple(line, depth)
        if first == '"':
            return line.string()
        if first == "%":
            return self.node(line)
        if first == "@":
            return self._init(line)
        if _TYPE.match(line.text, line.at):
            return read_array(line)
        return read_plain(line.take(_RUN, "a value").strip())

    def node(self, line: Scanner) -> Node:
        """A node that was defined on an earlier line."""
        name = line.node_id()
        if name not in self.nodes:
            raise ParseError(f"{name} is not defined on an earlier line")
        return self.nodes[name]

    def _tuple(self, line: Scanner, depth: int) -> tuple[Any, ...]:
        if depth >= MAX_NESTING:
            raise ParseError("this value is nested too deeply", expected=f"at most {MAX_NESTING} levels")
        line.expect("[")
        return tuple(read_list(line, "]", lambda: self.read(line, depth + 1)))

    def _init(self, line: Scanner) -> Any:
        line.expect("@")
        if self.init is None:
            raise ParseError("this text has initialisers, which its reader was not given")
        if _TYPE.match(line.text, line.at):
            return self.init("array", {}, read_array(line))
        name = line.key()
        options = read_list(line, "}", lambda: _option(line)) if line.accept("{") else []
        if len(dict(options)) != len(options):
            raise ParseError("an option is given twice")
        return self.init(name, dict(options), None)


def _option(line: Scanner) -> tuple[str, Any]:
    key = line.key()
    line.expect("=")
    line.skip()
    if line.text.startswith('"', line.at):
        return key, line.string()
    value = read_plain(line.take(_RUN, "a number").strip())
    if type(value) not in (int, float):
        raise ParseError("an option is a number or text in quotes", given=repr(value)[:60])
    return key, value


def read_list(line: Scanner, close: str, item: Any) -> list[Any]:
    """Items with commas between, up to the closing token."""
    items: list[Any] = []
    if line.accept(close):
        return items
    while True:
        items.append(item())
        if line.accept(close):
            return items
        line.expect(",")


def read_plain(text: str) -> Any:
    """A number, a word or a size."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text) or _FLOAT.fullmatch(text):
        return read_number(text)
    return read_size(text)


def read_number(text: str) -> int | float:
    """An int of at most 64 bits, or a float."""
    if len(text) > MAX_DIGITS:
        raise ParseError("this number is too long", expected=f"at most {MAX_DIGITS} digits")
    if not _INT.fullmatch(text):
        return float(text)
    number = int(text)
    if not -(2**63) <= number < 2**64:
        raise ParseError("this number is too large", given=text[:40], expected="at most 64 bits")
    return number


@lru_cache(maxsize=4096)
def read_size(text: str) -> Dim:
    """A size; its ints are bounded."""
    if _INT.fullmatch(text):
        number = read_number(text)
        if not 0 <= number <= MAX_DIM:
            raise ParseError(
                "this size is out of range", given=text[:40], expected=f"between 0 and {MAX_DIM}"
            )
        return int(number)
    return size(text)


@lru_cache(maxsize=4096)
def read_type(text: str) -> Type:
    """The type that ``float32[batch, 64]`` says; huge shapes are refused."""
    match = _TYPE.fullmatch(text)
    if match is None:
        raise ParseError("this is not a type", given=repr(text[:60]), expected="such as float32[batch, 64]")
    inner = match.group(2).strip()
    parts = inner.split(",") if inner else []
    if len(parts) > MAX_RANK:
        raise ParseError(
            "this shape has too many axes", given=str(len(parts)), expected=f"at most {MAX_RANK}"
        )
    shape = tuple(read_size(part.strip()) for part in parts)
    check_shape(shape)
    return Type(match.group(1), shape)


def check_shape(shape: tuple[Dim, ...]) -> None:
    """Raises ParseError for a shape that nothing could hold, or whose number of elements is a huge polynomial."""
    if math.prod(max(d, 1) for d in shape if isinstance(d, int)) > MAX_ELEMENTS:
        raise ParseError("this shape is too large", given=shape_text(shape)[:80])
    if math.prod(len(d.terms) for d in shape if isinstance(d, Size)) > MAX_PRODUCT_TERMS:
        raise ParseError("the sizes of this shape are too many terms", given=shape_text(shape)[:80])


def read_array(line: Scanner) -> Array:
    """``float32[2]{1.0, 2.0}``."""
    type = line.type(ARRAY_DTYPES)
    line.expect("{")
    return Array(read_data(line, "}", type))


def read_data(line: Scanner, close: str, type: Type) -> np.ndarray[Any, Any]:
    """The elements of an array up to the closing token: numbers, or base64 in quotes."""
    if not all(isinstance(d, int) for d in type.shape):
        raise ParseError("an array has ints for sizes", given=str(type)[:80])
    shape = tuple(int(d) for d in type.shape)  # type: ignore[arg-type]
    line.skip()
    if line.text.startswith('"', line.at):
        array = _from_base64(line.string(), type.dtype, shape)
        line.expect(close)
        return array
    end = line.text.find(close, line.at)
    if end < 0:
        raise line.error(close)
    text, line.at = line.text[line.at : end], end + len(close)
    return data_array(text, type.dtype, shape)


def data_array(text: str, dtype: str, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """An array of numbers with commas between."""
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    if len(parts) != math.prod(shape):
        raise ParseError(f"an array of shape {shape_text(shape)} has {len(parts)} elements")
    values = [_element(part, dtype) for part in parts]
    with np.errstate(over="ignore"):
        return np.array(values, dtype=dtype).reshape(shape)


def _element(text: str, dtype: str) -> Any:
    kind = np.dtype(dtype).kind
    value = _WORDS[text] if text in _WORDS else read_number(text) if re.match(r"-?[0-9]", text) else None
    if {"b": bool, "f": float}.get(kind, int) is not type(value):
        raise ParseError(f"this is no element of a {dtype} array", given=repr(text[:40]))
    if kind in "iu" and not np.iinfo(dtype).min <= value <= np.iinfo(dtype).max:
        raise ParseError(f"this number does not fit {dtype}", given=text[:40])
    return value


def _from_base64(text: str, dtype: str, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    little = np.dtype(dtype).newbyteorder("<")
    data = base64.b64decode(text, validate=True)
    if len(data) != math.prod(shape) * little.itemsize:
        raise ParseError(
            f"the bytes of an array do not fill {dtype}{shape_text(shape)}", given=f"{len(data)} bytes"
        )
    if dtype == "bool" and any(byte > 1 for byte in data):
        raise ParseError("a bool is neither 0 nor 1")
    return np.frombuffer(data, dtype=little).astype(dtype).reshape(shape)
