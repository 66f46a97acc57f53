"""Reading the textual IR, one statement a line. Nothing of the text is run, and every type is inferred anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from keyword import iskeyword
from typing import Any

from graphc.errors import GraphcError, ParseError
from graphc.ir.attrs import check_attrs, is_name
from graphc.ir.graph import ARGUMENT_ROLES, Graph
from graphc.ir.literal import Scanner, Values, read_data, read_list, read_number
from graphc.ir.node import Array, Node, engine, fresh_leaf, intern
from graphc.ir.op import Op
from graphc.ir.origin import Scope
from graphc.ir.structure import MAX_DEPTH
from graphc.ir.types import Type
from graphc.ir.walk import operands_and_attrs

VERSION = 1
MAX_CHARACTERS = 2**26
MAX_LINES = 400_000
MAX_LAYERS = 64
MAX_BOUND = 512
MAX_NESTING = 64

Path = tuple[str, ...]

_OP = re.compile(r"[A-Za-z_]\w*(?:#[0-9]{1,6})?", re.ASCII)
_BARE = re.compile(r"[A-Za-z0-9_]+")
_WORD = re.compile(r"[a-z]+\b")
_NUMBER = re.compile(r"-?[0-9][0-9.e+-]*")
_INT = re.compile(r"-?[0-9]+")

# what a type rule may raise when it is handed what no function of graphc.ops would hand it
_FAILURES = (
    GraphcError,
    TypeError,
    ValueError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RecursionError,
    MemoryError,
)


def implied_name(node_id: str, path: Path) -> str | None:
    """The name that a ``%name`` in a layer says by itself; None where it says that there is none."""
    bare = node_id[1:].partition("#")[0]
    if bare.startswith("_"):
        return None
    return bare.removeprefix("".join(f"{part}." for part in path))


class Reader:
    """One text, on its way to a graph."""

    def __init__(self, cards: Mapping[str, Op], scalar_card: Any, init: Any) -> None:
        self.cards, self.scalar_card = cards, scalar_card
        self.ops: dict[str, Op] = {}
        self.nodes: dict[str, Node] = {}
        self.values = Values(self.nodes, init)
        self.scopes: dict[Path, Scope] = {}
        self.kinds: dict[Path, str] = {}
        self.bound = _Bound()
        self.name: str | None = None
        self.arguments: list[Node] = []
        self.sites: list[Node] = []
        self.full_names: set[str] = set()
        self.updates: dict[Node, Node] = {}
        self.returned: tuple[list[Node], Any] | None = None
        self.statements: dict[str, Callable[[Scanner], None]] = {
            "graph": self._graph,
            "layer": self._layer,
            "op": self._op,
            "update": self._update,
            "return": self._return,
        }

    def read(self, text: str) -> Graph:
        """The graph of a whole text."""
        lines = _lines(text)
        self._header(lines[0] if lines else (1, ""))
        with engine():
            for number, line in lines[1:]:
                self._read_line(number, line)
        return self._finished()

    def _header(self, first: tuple[int, str]) -> None:
        if first[1] != f"graphc {VERSION}":
            raise ParseError(
                "this is not the text of a graph",
                given=repr(first[1][:60]),
                expected=f"graphc {VERSION} on the first line",
            )

    def _read_line(self, number: int, line: str) -> None:
        try:
            if self.returned is not None:
                raise ParseError("nothing follows the return")
            self._statement(Scanner(line))
        except _FAILURES as error:
            raise _placed(error, number, line) from None

    def _statement(self, line: Scanner) -> None:
        if line.text.startswith("%"):
            self._node(line)
        else:
            word = line.take(_WORD, "a statement")
            if word not in self.statements:
                raise ParseError(f"there is no statement {word!r}", expected=", ".join(self.statements))
            self.statements[word](line)
        line.end()

    def _finished(self) -> Graph:
        if self.name is None or self.returned is None:
            raise ParseError("the text ends too early", expected="a graph line, and return at the end")
        outputs, form = self.returned
        graph = Graph(
            tuple(outputs),
            form,
            tuple(self.updates.items()),
            tuple(self.arguments),
            tuple(self.sites),
            name=self.name,
        )
        if any(self.bound.mask_of(root) for root in graph.roots):
            raise ParseError("an operand of a composite's body is used outside of it")
        return graph

    # -- statements ---------------------------------------------------------------------------------------------------

    def _graph(self, line: Scanner) -> None:
        name = _word(line)
        if self.name is not None or not name.isidentifier() or iskeyword(name):
            raise ParseError("a graph has one name, an identifier", given=repr(name)[:60])
        self.name = name

    def _layer(self, line: Scanner) -> None:
        path = _path(line)
        line.expect(":")
        kind = _word(line)
        if path in self.kinds or path in self.scopes or not is_name(kind):
            raise ParseError("a layer is declared once, before it is used", given=".".join(path)[:60])
        self.kinds[path] = kind

    def _op(self, line: Scanner) -> None:
        """``op swish(x, beta=1.0) = "x * sigmoid(beta * x)"``."""
        key = line.take(_OP, "the name of an operation")
        line.expect("(")
        parameters = read_list(line, ")", lambda: _parameter(line))
        line.expect("=")
        formula = line.string()
        name = key.partition("#")[0]
        if key in self.ops or name in self.cards or len({p for p, _ in parameters}) != len(parameters):
            raise ParseError(f"{name} is defined already, or has a name twice")
        if self.scalar_card is None:
            raise ParseError("this text declares operations, which its reader was not given a maker for")
        operands = tuple(p for p, value in parameters if value is None)
        attrs = {p: value for p, value in parameters if value is not None}
        self.ops[key] = self.scalar_card(name, formula, operands, attrs)

    def _update(self, line: Scanner) -> None:
        leaf = self.values.node(line)
        line.expect("=")
        value = self.values.node(line)
        if leaf.op.role not in ARGUMENT_ROLES or leaf in self.updates or leaf.type != value.type:
            raise ParseError(
                "an update gives a leaf a next value of its type, once", given=f"{leaf.type}, {value.type}"
            )
        self.updates[leaf] = value

    def _return(self, line: Scanner) -> None:
        leaves: list[Node] = []
        form = self._form(line, leaves, 0)
        self.returned = leaves, form

    def _form(self, line: Scanner, leaves: list[Node], depth: int) -> Any:
        """A node, or lists, tuples and dicts of nodes; as deep as a structure of outputs may be."""
        if depth > MAX_DEPTH:
            raise ParseError("this structure is nested too deeply", expected=f"at most {MAX_DEPTH} levels")
        if line.accept("["):
            return "list", read_list(line, "]", lambda: self._form(line, leaves, depth + 1))
        if line.accept("("):
            return "tuple", self._tuple_forms(line, leaves, depth)
        if line.accept("{"):
            return "dict", self._dict_forms(line, leaves, depth)
        leaves.append(self.values.node(line))
        return "*"

    def _tuple_forms(self, line: Scanner, leaves: list[Node], depth: int) -> list[Any]:
        forms: list[Any] = []
        while not line.accept(")"):
            forms.append(self._form(line, leaves, depth + 1))
            if not line.accept(","):
                line.expect(")")
                break
        return forms

    def _dict_forms(self, line: Scanner, leaves: list[Node], depth: int) -> list[tuple[Any, Any]]:
        def item() -> tuple[Any, Any]:
            key = _key(line)
            line.expect(":")
            return key, self._form(line, leaves, depth + 1)

        items = read_list(line, "}", item)
        if len(dict(items)) != len(items):
            raise ParseError("a key of the outputs is there twice")
        return items

    # -- nodes --------------------------------------------------------------------------------------------------------

    def _node(self, line: Scanner) -> None:
        """``%h = tanh(%z) {attrs} : type as "name" in layer``."""
        name = line.node_id()
        if name in self.nodes:
            raise ParseError(f"{name} is defined twice")
        line.expect("=")
        op = self._card(line.take(_OP, "an operation"))
        line.expect("(")
        if op.role == "const":
            self._constant(line, name, op)
            return
        operands = read_list(line, ")", lambda: self.values.node(line))
        attrs = self._attrs(line)
        line.expect(":")
        type = line.type()
        given, path = self._naming(line, name)
        self._add(name, self._made(op, operands, attrs, type, given), given, path)

    def _card(self, key: str) -> Op:
        op = self.ops.get(key) or self.cards.get(key)
        if op is None:
            raise ParseError(f"there is no operation {key!r}")
        return op

    def _constant(self, line: Scanner, name: str, op: Op) -> None:
        """``const(1.0, 2.0) : float32[2]``: the type says how to read the elements, so it is read first."""
        inner, line.at = Scanner(line.text[line.at :]), line.text.find(")", line.at)
        line.expect(")")
        line.expect(":")
        type = line.type()
        value = Array(read_data(inner, ")", type))
        given, path = self._naming(line, name)
        self._add(name, self._made(op, (), {"value": value}, type, given), given, path)

    def _attrs(self, line: Scanner) -> dict[str, Any]:
        def item() -> tuple[str, Any]:
            key = line.key()
            line.expect("=")
            return key, self.values.read(line)

        items = read_list(line, "}", item) if line.accept("{") else []
        if len(dict(items)) != len(items):
            raise ParseError("an attribute is given twice")
        return dict(items)

    def _naming(self, line: Scanner, node_id: str) -> tuple[str | None, Path]:
        name = line.string() if line.accept("as ") else None
        path = _path(line) if line.accept("in ") else ()
        name = implied_name(node_id, path) if name is None else name
        if name is not None and not is_name(name):
            raise ParseError("a name is text on one line", given=repr(name)[:60])
        return name, path

    def _made(
        self, op: Op, operands: Sequence[Node], attrs: dict[str, Any], type: Type, name: str | None
    ) -> Node:
        """The node of an operation; its type must follow from what it is made of."""
        if op.kind == "leaf":
            implied = {"name": name, "dtype": type.dtype, "shape": type.shape}
            attrs = {**{k: v for k, v in implied.items() if k in op.attrs}, **attrs}
        _check_count(op, operands)
        types = [x.type for x in operands]
        check_attrs(op, attrs, types, type)
        ordered = {key: attrs[key] for key in op.attrs}
        self.bound.check(op, operands, ordered)
        inferred = op.infer(*types, **ordered)
        if inferred != type:
            raise ParseError(f"{op.name} does not have this type", given=str(type), expected=str(inferred))
        if op.role in (*ARGUMENT_ROLES, "random"):
            return fresh_leaf(op, ordered, type)
        return intern(op, tuple(operands), ordered, type)

    def _add(self, node_id: str, node: Node, name: str | None, path: Path) -> None:
        scopes = self._scopes(path)
        if node.op.role == "const" and not node.shape:
            pass  # a number is one node in all graphs: what one text calls it is no name for the others
        elif name is not None:
            node.about.rename(name, scopes)
        elif scopes and node.about.name is None:
            node.about.scopes = scopes
        if node.op.role in (*ARGUMENT_ROLES, "random"):
            self._add_leaf(node, ".".join((*path, str(name))))
        self.bound.note(node)
        self.nodes[node_id] = node

    def _add_leaf(self, node: Node, full_name: str) -> None:
        if full_name in self.full_names:
            raise ParseError(f"two leaves are named {full_name!r}")
        self.full_names.add(full_name)
        (self.sites if node.op.role == "random" else self.arguments).append(node)

    def _scopes(self, path: Path) -> tuple[Scope, ...]:
        for depth in range(1, len(path) + 1):
            here = path[:depth]
            if here not in self.scopes:
                self.scopes[here] = Scope(path[depth - 1], self.kinds.get(here, "scope"))
        return tuple(self.scopes[path[:depth]] for depth in range(1, len(path) + 1))


class _Bound:
    """Which operands of bodies a node uses that no composite has bound: one bit each.

    ``nesting`` is how many loops and choices stand inside each other in a node.
    """

    def __init__(self) -> None:
        self.nesting: dict[Node, int] = {}
        self.args: list[Node] = []
        self.bits: dict[Node, int] = {}
        self.masks: dict[Node, int] = {}
        self.around: set[Node] = set()  # what depends on an argument of the graph

    def mask_of(self, node: Node) -> int:
        """The operands of bodies that a node uses."""
        return self.masks.get(node, 0)

    def note(self, node: Node) -> None:
        """A node that is made: it uses what its operands use."""
        mask = 0
        if node.op.role == "arg":
            if node not in self.bits:
                self.bits[node] = 1 << len(self.args)
                self.args.append(node)
            if len(self.args) > MAX_BOUND:
                raise ParseError(
                    "the bodies of this text have too many operands", expected=f"at most {MAX_BOUND}"
                )
            mask = self.bits[node]
        for operand in node.inputs:
            mask |= self.masks.get(operand, 0)
        if mask:
            self.masks[node] = mask
        parts = operands_and_attrs(node)
        if node.op.role in (*ARGUMENT_ROLES, "random") or any(x in self.around for x in parts):
            self.around.add(node)
        self._nest(node)

    def _nest(self, node: Node) -> None:
        """Loops and choices stand inside each other a few deep: passes go through them by recursion."""
        roots = [root for key in node.op.bodies for root in node.attrs[key]]
        inside = 1 + max((self.nesting.get(root, 0) for root in roots), default=0) if roots else 0
        depth = max((inside, *(self.nesting.get(x, 0) for x in node.inputs)))
        if depth > MAX_NESTING:
            raise ParseError(
                "loops and choices are nested too deeply", expected=f"at most {MAX_NESTING} levels"
            )
        if depth:
            self.nesting[node] = depth

    def check(self, op: Op, operands: Sequence[Node], attrs: Mapping[str, Any]) -> None:
        """Nodes in attributes: the states of an update are leaves, a body uses only the operands of its composite."""
        for leaf in attrs.get("states", ()):
            if leaf.op.role not in ("state", "param"):
                raise ParseError("only states and parameters change", given=leaf.op.name)
        if len(set(attrs.get("states", ()))) != len(attrs.get("states", ())):
            raise ParseError("a state changes twice in one update")
        if "body" in attrs:
            self._check_body(operands, attrs["body"], attrs.get("gradient"))
        if op.body_types is not None:
            types = op.body_types([x.type for x in operands], attrs)
            for root in (root for key in op.bodies for root in attrs[key]):
                self._check_args(root, types)
                if root in self.around:
                    raise ParseError(f"a body of {op.name} reads its operands alone", given=root.op.name)

    def _check_body(self, operands: Sequence[Node], body: Node, gradient: tuple[Node, ...] | None) -> None:
        types = [x.type for x in operands]
        self._check_args(body, types)
        if gradient is None:
            return
        if [g.type for g in gradient] != types:
            raise ParseError("the gradient of a composite has the types of its operands")
        for part in gradient:
            self._check_args(part, [*types, body.type])

    def _check_args(self, root: Node, types: Sequence[Type]) -> None:
        mask = self.mask_of(root)
        while mask:
            leaf = self.args[(mask & -mask).bit_length() - 1]
            index = leaf.attrs["index"]
            if index >= len(types) or types[index] != leaf.type:
                raise ParseError(
                    f"operand {index} of a body is not one of the composite", given=str(leaf.type)
                )
            mask &= mask - 1


# -- pieces of lines --------------------------------------------------------------------------------------------------


def _lines(text: str) -> list[tuple[int, str]]:
    """The lines that say something, with their numbers."""
    if not isinstance(text, str) or len(text) > MAX_CHARACTERS or text.count("\n") > MAX_LINES:
        expected = f"at most {MAX_CHARACTERS} characters and {MAX_LINES} lines"
        raise ParseError("the text of a graph must be text of moderate length", expected=expected)
    stripped = (
        (number, line.strip(" ")) for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1)
    )
    return [(number, line) for number, line in stripped if line and not line.startswith("#")]


def _check_count(op: Op, operands: Sequence[Node]) -> None:
    fixed = len(op.operands) - op.variadic
    if len(operands) < fixed or (len(operands) > fixed and not op.variadic):
        raise ParseError(
            f"{op.name} takes {'at least ' * op.variadic}{fixed} operands", given=str(len(operands))
        )


def _word(line: Scanner) -> str:
    """A word, in quotes where it is no plain one."""
    match = line.find(_BARE)
    return match.group() if match else line.string()


def _path(line: Scanner) -> Path:
    """``encoder.hidden1``."""
    parts = [_word(line)]
    while line.text.startswith(".", line.at):
        line.at += 1
        parts.append(_word(line))
    if len(parts) > MAX_LAYERS or not all(is_name(part) for part in parts):
        raise ParseError(
            "the names of layers are text on one line", expected=f"at most {MAX_LAYERS}, one in another"
        )
    return tuple(parts)


def _key(line: Scanner) -> Any:
    """A key of a dict of outputs: text or an int."""
    match = line.find(_INT)
    return read_number(match.group()) if match else line.string()


def _parameter(line: Scanner) -> tuple[str, float | None]:
    """``x``, or ``beta=1.0``."""
    name = line.key()
    if not line.accept("="):
        return name, None
    return name, read_number(line.take(_NUMBER, "a number"))


def _placed(error: BaseException, number: int, line: str) -> ParseError:
    """What was wrong, with the line."""
    what = getattr(error, "what", None) or f"{type(error).__name__}: {error}"
    where = f"line {number}: {line[:80]}{'…' if len(line) > 80 else ''}"
    given, expected, fix = (getattr(error, key, None) for key in ("given", "expected", "fix"))
    return ParseError(str(what)[:300], given=given, expected=expected, where=where, fix=fix)
