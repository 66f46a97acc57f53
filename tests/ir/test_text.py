"""The textual IR: prints, reads back, and refuses what is not well formed."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import graphc as gx
from graphc.errors import GraphcError, ParseError, VerifyError
from graphc.ir.graph import Graph
from graphc.ir.literal import Scanner, Values, data_array, data_text, float_text, value_text
from graphc.ir.node import Array, Node, freeze
from graphc.ir.size import size
from graphc.ir.text import graph_text, node_ids
from graphc.ir.text import parse as parse_with
from graphc.ir.verify import verify
from graphc.ir.walk import attr_nodes, deep_toposort
from graphc.ops import CARDS
from graphc.ops.card import pointwise
from graphc.runtime.interpret import interpret
from graphc.runtime.program import make_rng
from tests.ir.examples import GRAPHS, arguments


def everything(graph: Graph) -> list[Node]:
    return deep_toposort([*graph.arguments, *graph.sites, *graph.roots])


def assert_isomorphic(a: Graph, b: Graph) -> None:
    assert (a.name, len(a.arguments), len(a.sites)) == (b.name, len(b.arguments), len(b.sites))
    pairs = dict(zip(everything(a), everything(b), strict=True))
    for x, y in pairs.items():
        assert (x.op, x.type, a.name_of(x), a.layer_of(x)) == (y.op, y.type, b.name_of(y), b.layer_of(y))
        assert tuple(pairs[i] for i in x.inputs) == y.inputs
        assert tuple(pairs[i] for i in attr_nodes(x)) == tuple(attr_nodes(y))
        assert [s.kind for s in x.about.scopes] == [s.kind for s in y.about.scopes]
        for key, value in x.attrs.items():
            holds_nodes = isinstance(value, Node) or (
                isinstance(value, tuple) and any(isinstance(part, Node) for part in value)
            )
            if key != "name" and not holds_nodes:
                assert freeze(value) == freeze(y.attrs[key])
    assert [pairs[x] for x in a.arguments] == list(b.arguments)
    assert [pairs[x] for x in a.sites] == list(b.sites)
    assert [pairs[x] for x in a.outputs] == list(b.outputs)
    assert [(pairs[s], pairs[v]) for s, v in a.updates] == list(b.updates)
    values = [object() for _ in a.outputs]
    assert a.unflatten(values) == b.unflatten(values)


def flat(result: Any) -> list[np.ndarray]:
    if isinstance(result, dict):
        return [x for key in result for x in flat(result[key])]
    if isinstance(result, (list, tuple)):
        return [x for part in result for x in flat(part)]
    return [np.asarray(result)]


@pytest.mark.parametrize("name", GRAPHS)
def test_round_trip(name: str) -> None:
    graph = GRAPHS[name]()
    text = str(graph)
    again = gx.parse(text)
    assert str(again) == text
    assert_isomorphic(graph, again)
    verify(again)


@pytest.mark.parametrize("name", GRAPHS)
def test_both_sides_compute_the_same_bits(name: str) -> None:
    graph = GRAPHS[name]()
    again = gx.parse(str(graph))
    values = arguments(graph)
    with np.errstate(all="ignore"):
        ours = interpret(graph, values, make_rng(graph, 3))
        theirs = interpret(again, values, make_rng(again, 3))
    for a, b in zip(flat(ours), flat(theirs), strict=True):
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())


@pytest.mark.parametrize("name", GRAPHS)
def test_text_is_the_same_each_time(name: str) -> None:
    assert str(GRAPHS[name]()) == str(GRAPHS[name]())
    graph = GRAPHS[name]()
    assert str(graph) == repr(graph) == graph_text(graph)


def test_the_text_itself() -> None:
    x = gx.input("x", ("batch", 4))
    with gx.scope("hidden"):
        w = gx.param("W", (4, 2), init="he_normal")
        h = gx.tanh(x @ w)
    graph = gx.graph_of({"h": h, "cut": h[1:, None]}, {w: w * 0.5}, "demo")
    assert str(graph) == (
        "graphc 1\n"
        "graph demo\n"
        "\n"
        "%x = input() : float32[batch, 4]\n"
        "%hidden.W = param() {init=@he_normal, trainable=True} : float32[4, 2] in hidden\n"
        "\n"
        "%_hidden.matmul = matmul(%x, %hidden.W) : float32[batch, 2] in hidden\n"
        "%hidden.h = tanh(%_hidden.matmul) : float32[batch, 2] in hidden\n"
        "%_slice = slice(%hidden.h) {index=[[1, None, None]]} : float32[batch - 1, 2]\n"
        "%_expand_dims = expand_dims(%_slice) {axis=1} : float32[batch - 1, 1, 2]\n"
        "%_0.5 = const(0.5) : float32[]\n"
        "%_multiply = multiply(%hidden.W, %_0.5) : float32[4, 2]\n"
        "\n"
        "update %hidden.W = %_multiply\n"
        'return {"h": %hidden.h, "cut": %_expand_dims}\n'
    )


def test_a_layer_more_leaves_the_other_lines_alone() -> None:
    def lines(depth: int) -> set[str]:
        h = gx.input("x", (2,))
        for i in range(depth):
            with gx.scope(f"layer{i}"):
                h = gx.tanh(h * gx.param("w", (2,)) + gx.param("b", (2,)))
        return set(str(gx.graph_of(h)).splitlines())

    assert {line for line in lines(3) - lines(4) if not line.startswith("return")} == set()


def test_comments_blanks_and_indentation_are_free() -> None:
    graph = gx.parse(
        "# by hand\ngraphc 1\r\n\n  graph f\n%x=input():float32[ n ,2]\n\n"
        "# y\n   %y = exp( %x ) : float32[n, 2]\nreturn[ %y ]"
    )
    assert graph.outputs[0].name == "y"
    assert graph.unflatten([1]) == [1]


def test_names_of_other_graphs_do_not_matter() -> None:
    text = str(gx.graph_of(gx.tanh(gx.input("x", ()))))
    kept = [gx.parse(text) for _ in range(3)]
    assert {str(g) for g in kept} == {text}


def test_cards_of_a_test_are_read_with_its_table() -> None:
    cube = pointwise("cube", "x ** 3", "{x} ** 3")
    graph = gx.graph_of(cube(gx.input("x", ())))
    with pytest.raises(ParseError, match="no operation 'cube'"):
        gx.parse(str(graph))
    assert parse_with(str(graph), {**CARDS, "cube": cube}).outputs[0].op is cube


def test_without_makers_there_are_no_parameters_and_functions() -> None:
    with pytest.raises(ParseError, match="initialisers"):
        parse_with(str(gx.graph_of(gx.param("w", ()))), CARDS)
    with pytest.raises(ParseError, match="declares operations"):
        parse_with(str(GRAPHS["scalar_functions"]()), CARDS)


def test_ids_are_those_of_the_text() -> None:
    graph = GRAPHS["gradients"]()
    text = str(graph)
    assert all(f"{key} = {node.op.name}(" in text for node, key in node_ids(graph).items())


# -- values -----------------------------------------------------------------------------------------------------------

plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=True),
    st.text(max_size=30),
)
sizes = st.sampled_from(
    [size(t) for t in ("n", "2*n + 1", "n - 3", "3 - n", "-n", "(n + 1)//2", "2*(n//3)", "inf", "nan + e")]
)
values = st.recursive(
    st.one_of(plain, sizes), lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=8
)


@given(values)
def test_every_value_reads_back(value: Any) -> None:
    text = value_text(value, {})
    assert "\n" not in text
    line = Scanner(text)
    found = Values({}, None).read(line)
    line.end()
    assert freeze(found) == freeze(value)


@given(st.floats())
def test_every_float_reads_back(value: float) -> None:
    assert freeze(Values({}, None).read(Scanner(float_text(value)))) == freeze(value)


@given(st.sampled_from(["float64", "float32", "float16"]), st.binary(min_size=64, max_size=64))
def test_every_float_array_reads_back(dtype: str, data: bytes) -> None:
    array = np.frombuffer(data, dtype=dtype)
    line = Scanner(value_text(Array(array), {}))
    assert Values({}, None).read(line) == Array(array)


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "uint64", "float16"])
def test_arrays_of_each_kind(dtype: str) -> None:
    for array in (np.arange(6).reshape(2, 3).astype(dtype), np.ones((30, 5), dtype), np.array(1, dtype)):
        assert Values({}, None).read(Scanner(value_text(Array(array), {}))) == Array(array)


def test_small_arrays_are_readable() -> None:
    assert (
        value_text(Array(np.array([0.1, -0.0, 1e-8], dtype="float32")), {}) == "float32[3]{0.1, -0.0, 1e-08}"
    )
    assert data_text(np.array([[True, False]])) == "True, False"
    assert data_array("0.1", "float32", ())[()] == np.float32(0.1)


def test_what_has_no_text() -> None:
    with pytest.raises(VerifyError, match="has no text"):
        value_text(object(), {})
    with pytest.raises(VerifyError, match="has no text"):
        value_text(Array(np.array([1j])), {})


# -- refusals ---------------------------------------------------------------------------------------------------------

HEAD = "graphc 1\ngraph f\n%x = input() : float32[n, 3]\n%i = input() : int64[n]\n"


def body(lines: str, end: str = "return %x") -> str:
    return f"{HEAD}{lines}\n{end}\n"


def scan(**changed: str) -> str:
    """A loop over the rows of %x, one attribute of which is not what it should be."""
    attrs = {
        "next": "[%b]",
        "ys": "[%b]",
        "over": "1",
        "length": "n",
        "reverse": "False",
        "names": '["h", "x"]',
        "result": "0",
    }
    inside = "  %a = arg() {index=0} : float32[3]\n  %e = arg() {index=1} : float32[3]\n"
    inside += "  %b = add(%a, %e) : float32[3]\n"
    start = "%z = const(0.0, 0.0, 0.0) : float32[3]\n"
    text = ", ".join(f"{k}={v}" for k, v in {**attrs, **changed}.items())
    return body(f"{start}{inside}%y = scan(%z, %x) {{{text}}} : float32[3]", "return %y")


def cond(**changed: str) -> str:
    """A choice, one attribute of which is not what it should be."""
    attrs = {"then": "[%b]", "otherwise": "[%a]", "names": '["w"]', "result": "0"}
    inside = "  %a = arg() {index=0} : float32[n, 3]\n  %b = exp(%a) : float32[n, 3]\n"
    text = ", ".join(f"{k}={v}" for k, v in {**attrs, **changed}.items())
    start = "%c = const(True) : bool[]\n"
    return body(f"{start}{inside}%y = cond(%c, %x) {{{text}}} : float32[n, 3]", "return %y")


def assume(**changed: str) -> str:
    """A claim, one part of which is not what it should be."""
    flags = ("nonzero", "finite", "integer", "one_hot", "row_stochastic", "symmetric")
    attrs = {"at_least": "0.0", "at_most": "None", **dict.fromkeys(flags, "False"), **changed}
    text = ", ".join(f"{k}={v}" for k, v in attrs.items())
    return body(f"%y = assume(%x) {{{text}}} : float32[n, 3]", "return %y")


def nested(depth: int) -> str:
    """Choices inside choices."""
    lines = [
        "%c = const(True) : bool[]",
        "  %a = arg() {index=0} : float32[n, 3]",
        "  %b0 = exp(%a) : float32[n, 3]",
    ]
    for i in range(1, depth + 1):
        attrs = f'{{then=[%b{i - 1}], otherwise=[%a], names=["w"], result=0}}'
        lines.append(f"  %b{i} = cond(%c, {'%x' if i == depth else '%a'}) {attrs} : float32[n, 3]")
    return body("\n".join(lines), f"return %b{depth}")


REFUSED = {
    "scan whose carry is another": scan(next="[%x]"),
    "scan without a next": scan(next="[]"),
    "scan whose next is text": scan(next='["%b"]'),
    "scan whose next is a number": scan(next="1"),
    "scan of nothing that is there": scan(next="[%nowhere]"),
    "scan that stacks itself": scan(ys="[%y]"),
    "scan that stacks an operand of its own": scan(ys="[%x]", result="1"),
    "scan over too many": scan(over="2"),
    "scan over fewer than none": scan(over="-1"),
    "scan over True": scan(over="True"),
    "scan of another length": scan(length="n + 1"),
    "scan of a length that is code": scan(length="exit()"),
    "scan of a huge length": scan(length="99999999999999999999999"),
    "scan of a negative length": scan(length="-1"),
    "scan that may be reversed": scan(reverse="1"),
    "scan with few names": scan(names='["h"]'),
    "scan with many names": scan(names='["h", "x", "y"]'),
    "scan with a name that is a line": scan(names='["h", "x\\nimport os"]'),
    "scan with a name that is a number": scan(names='["h", 1]'),
    "scan with a long name": scan(names=f'["h", "{"x" * 2000}"]'),
    "scan with a result that is not there": scan(result="7"),
    "scan with a result before the first": scan(result="-1"),
    "scan with another attribute": scan(step="1"),
    "cond of branches of two types": cond(then="[%c]"),
    "cond of one result and two": cond(then="[%b, %b]"),
    "cond of nothing": cond(then="[]", otherwise="[]"),
    "cond that leaves its body": cond(then="[%y]"),
    "cond whose branch is text": cond(then='"exit()"'),
    "cond with few names": cond(names="[]"),
    "cond with a result that is not there": cond(result="2"),
    "assume of a nan": assume(at_least="+nan"),
    "assume of a text": assume(at_least='"0"'),
    "assume of an int": assume(at_least="0"),
    "assume of nothing that there is": assume(at_least="2.0", at_most="1.0"),
    "assume of something half": assume(nonzero="0.5"),
    "assume of an unknown fact": assume(even="True"),
    "assume without a fact": body("%y = assume(%x) {at_least=0.0} : float32[n, 3]", "return %y"),
    "too many choices in choices": nested(65),
    "far too many choices in choices": nested(5000),
    "empty": "",
    "no header": "graph f\nreturn []\n",
    "another version": "graphc 2\ngraph f\nreturn []\n",
    "no graph": "graphc 1\nreturn []\n",
    "no return": HEAD,
    "after the return": body("") + "%y = exp(%x) : float32[n, 3]\n",
    "two graphs": body("graph g"),
    "graph name": "graphc 1\ngraph import\nreturn []\n",
    "graph name with code": 'graphc 1\ngraph "f():\\n import os"\nreturn []\n',
    "unknown statement": body("import os"),
    "unknown op": body("%y = system(%x) : float32[n, 3]"),
    "dunder op": body("%y = __class__(%x) : float32[n, 3]"),
    "few operands": body("%y = add(%x) : float32[n, 3]"),
    "many operands": body("%y = exp(%x, %x) : float32[n, 3]"),
    "no operands at all": body("%y = concat() {axis=0} : float32[n, 3]"),
    "undefined": body("%y = exp(%z) : float32[n, 3]"),
    "itself": body("%y = exp(%y) : float32[n, 3]"),
    "forward": body("%y = exp(%z) : float32[n, 3]\n%z = exp(%x) : float32[n, 3]"),
    "doubled": body("%y = exp(%x) : float32[n, 3]\n%y = exp(%x) : float32[n, 3]"),
    "doubled leaf": body('%x#2 = input() : float32[n, 3] as "x"'),
    "doubled site": body("%m = bernoulli() {keep=3} : bool[n]\n%m#2 = bernoulli() {keep=3} : bool[n]"),
    "wrong dtype": body("%y = exp(%x) : float64[n, 3]"),
    "wrong shape": body("%y = exp(%x) : float32[n, 4]"),
    "another name of a size": body("%y = exp(%x) : float32[m, 3]"),
    "mixed dtypes": body("%c = const(1.0) : float64[]\n%y = add(%x, %c) : float32[n, 3]"),
    "float index": body("%y = take(%x, %x) {axis=0} : float32[n, 3, 3]"),
    "a dtype that is none": body("%y = input() : float16[n]"),
    "complex": body("%y = input() : complex64[n]"),
    "unknown attribute": body("%y = exp(%x) {axis=0} : float32[n, 3]"),
    "missing attribute": body("%y = softmax(%x) : float32[n, 3]"),
    "doubled attribute": body("%y = softmax(%x) {axis=0, axis=1} : float32[n, 3]"),
    "axis out of range": body("%y = softmax(%x) {axis=2} : float32[n, 3]"),
    "axis that is huge": body("%y = expand_dims(%x) {axis=1000000000} : float32[n, 3, 1]"),
    "axes where there is one": body("%y = softmax(%x) {axis=[0]} : float32[n, 3]"),
    "axis of the table": body("%y = take(%x, %i) {axis=2} : float32[n, 3, n]"),
    "negative axis": body("%y = softmax(%x) {axis=-1} : float32[n, 3]"),
    "axis that is code": body('%y = softmax(%x) {axis="0); import os; (0"} : float32[n, 3]'),
    "axis that is a bool": body("%y = softmax(%x) {axis=True} : float32[n, 3]"),
    "axis that is a float": body("%y = softmax(%x) {axis=1.0} : float32[n, 3]"),
    "axis that is a node": body("%y = softmax(%x) {axis=%x} : float32[n, 3]"),
    "axes that are none": body("%y = transpose(%x) {axes=[0, 0]} : float32[n, n]"),
    "keepdims that is code": body('%y = max(%x) {axis=1, keepdims="__import__(1)"} : float32[n]'),
    "slope that is code": body('%y = leaky_relu(%x) {negative_slope="exit()"} : float32[n, 3]'),
    "dtype that is code": body('%y = astype(%x) {dtype="float32).__class__(1"} : float32[n, 3]'),
    "index with a zero step": body("%y = slice(%x) {index=[[0, -1, 0]]} : float32[n, 3]"),
    "index of too many": body("%y = slice(%x) {index=[[0, -1, 1], [0, 1, 1], [0, 1, 1]]} : float32[n, 3]"),
    "index that is code": body('%y = slice(%x) {index=[["exit()", None, None]]} : float32[n, 3]'),
    "reshape that loses": body("%y = reshape(%x) {shape=[n, 4]} : float32[n, 4]"),
    "shape that is negative": body("%y = reshape(%x) {shape=[n, -3]} : float32[n, 3]"),
    "shape that is text": body('%y = reshape(%x) {shape=["n", 3]} : float32[n, 3]'),
    "keep that is more than all": body("%m = bernoulli() {keep=65537} : bool[n]"),
    "keep that is nothing": body("%m = bernoulli() {keep=0} : bool[n]"),
    "classes": body('%y = one_hot(%i) {classes=0, dtype="float32"} : float32[n, 0]'),
    "huge dim": body("%y = input() : float32[99999999999999999999]"),
    "huge shape": body("%y = input() : float32[1000000000000, 1000000000000]"),
    "many axes": body(f"%y = input() : float32[{', '.join('1' * 40)}]"),
    "shape of many terms": body(f"%y = input() : float32[{', '.join(['a + b + c + d'] * 10)}]"),
    "size that calls": body("%y = input() : float32[exit()]"),
    "size of dunder": body("%y = input() : float32[__import__]"),
    "size np": body("%y = input() : float32[np]"),
    "deep size": body(f"%y = input() : float32[{'(' * 300}n{')' * 300}]"),
    "deep value": body(f"%y = reshape(%x) {{shape={'[' * 1000}{']' * 1000}}} : float32[n, 3]"),
    "deep outputs": body("", f"return {'[' * 5000}%x{']' * 5000}"),
    "open outputs": body("", "return [%x"),
    "no comma": body("", "return [%x %x]"),
    "doubled key": body("", 'return {"a": %x, "a": %x}'),
    "key that is a node": body("", "return {%x: %x}"),
    "code in the outputs": body("", "return __import__('os')"),
    "long number": body(f"%c = const({'9' * 5000}) : int64[]"),
    "number too large": body("%c = const(9223372036854775808) : int64[]"),
    "float in ints": body("%c = const(1.0) : int64[]"),
    "int in floats": body("%c = const(1) : float32[]"),
    "number in bools": body("%c = const(1) : bool[]"),
    "few elements": body("%c = const(1.0) : float32[2]"),
    "const of named size": body("%c = const(1.0) : float32[n]"),
    "const that is code": body("%c = const(exit()) : float32[]"),
    "base64 garbage": body('%c = const("!!!!") : float32[1]'),
    "base64 too short": body('%c = const("AAAA") : float32[1]'),
    "base64 of no bools": body('%c = const("AgE=") : bool[2]'),
    "init that is unknown": body("%w = param() {init=@exec, trainable=True} : float32[3]"),
    "init option": body("%w = param() {init=@normal{std=+inf}, trainable=True} : float32[3]"),
    "init option of another": body("%w = param() {init=@zeros{std=1.0}, trainable=True} : float32[3]"),
    "init option that is python's": body("%w = param() {init=@zeros{name=1.0}, trainable=True} : float32[3]"),
    "init that is text": body('%w = param() {init="zeros", trainable=True} : float32[3]'),
    "init array of another shape": body("%w = param() {init=@float64[1]{1.0}, trainable=True} : float32[3]"),
    "param of named size": body("%w = param() {init=@zeros, trainable=True} : float32[n]"),
    "hyper with a shape": body("%w = hyper() {default=0.1} : float32[3]"),
    "hyper that is infinite": body("%w = hyper() {default=+inf} : float32[]"),
    "leaf of another name": body('%w = input() {dtype="int64"} : float32[3]'),
    "unprintable name": body('%w = input() : float32[3] as "a\\u2028b"'),
    "name with a line": body('%y = exp(%x) : float32[n, 3] as "a\\nimport os"'),
    "layer with a line": body('%y = exp(%x) : float32[n, 3] in "a\\nimport os"'),
    "layer twice": body("layer a : dense\nlayer a : dense"),
    "layer after use": body("%y = exp(%x) : float32[n, 3] in a\nlayer a : dense"),
    "deep layer": body(f"%y = exp(%x) : float32[n, 3] in {'.'.join('a' * 100)}"),
    "update of a node": body("%y = exp(%x) : float32[n, 3]\nupdate %y = %y"),
    "update of another type": body("%y = transpose(%x) {axes=[1, 0]} : float32[3, n]\nupdate %x = %y"),
    "update twice": body("update %x = %x\nupdate %x = %x"),
    "states that are inputs": body("%y = update(%x, %x) {states=[%x]} : float32[n, 3]"),
    "states without values": body(
        "%s = state() {init=@zeros} : float32[]\n%y = update(%x) {states=[%s]} : float32[n, 3]"
    ),
    "states that are text": body('%y = update(%x) {states="s"} : float32[n, 3]'),
    "operand outside of a body": body("%a = arg() {index=0} : float32[n, 3]", "return %a"),
    "operand that the composite lacks": body(
        '%a = arg() {index=1} : float32[n, 3]\n%y = call(%x) {name="c", body=%a, gradient=None} : float32[n, 3]'
    ),
    "operand of another type": body(
        '%a = arg() {index=0} : float32[n]\n%y = call(%x) {name="c", body=%a, gradient=None} : float32[n]'
    ),
    "gradient of another type": body(
        "%a = arg() {index=0} : float32[n, 3]\n%b = sum(%a) {axis=[0, 1], keepdims=False} : float32[]\n"
        '%y = call(%x) {name="c", body=%a, gradient=[%b]} : float32[n, 3]'
    ),
    "body that is text": body('%y = call(%x) {name="c", body="x", gradient=None} : float32[n, 3]'),
    "op of a built-in name": body('op exp(x) = "x"'),
    "op that is code": body("op f(x) = \"__import__('os').system(x)\""),
    "op that takes for ever": body('op f(x) = "x * 9**9**9**9**9"'),
    "op with an unknown name": body('op f(x) = "x + y"'),
    "op without its operand": body('op f(x, y) = "x + 1.0"'),
    "op without operands": body('op f(a=1.0) = "a"'),
    "op that is a bool": body('op f(x) = "x > 0"'),
    "op that is a number": body('op f(x) = "x"\nop g(x) = "where(1 > 0, 1, 2)"'),
    "op of complex numbers": body('op f(x) = "x * (-8)**(1/3)"'),
    "op twice": body('op f(x) = "x"\nop f(x) = "x + 1"'),
    "op with one name twice": body('op f(x, x=1.0) = "x"'),
    "op with python's names": body('op f(self, op=1.0) = "self"'),
    "op with a keyword": body('op lambda(x) = "x"'),
    "op that is no formula": body('op f(x) = "x; x"'),
    "text after the line": body("%y = exp(%x) : float32[n, 3] ; import os"),
    "no type": body("%y = exp(%x)"),
    "no quotes": body('%y = exp(%x) : float32[n, 3] as "y'),
    "null": body("%y\0 = exp(%x) : float32[n, 3]"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    start = time.perf_counter()
    with pytest.raises(ParseError):
        gx.parse(REFUSED[name])
    assert time.perf_counter() - start < 2


def test_the_frames_of_loops_choices_and_claims_are_fine() -> None:
    for text in (scan(), cond(), assume(), nested(64)):
        again = str(gx.parse(text))
        assert str(gx.parse(again)) == again
    gx.compile(gx.parse(nested(64)))


def test_bodies_that_share_are_walked_once() -> None:
    lines = ["%c = const(True) : bool[]", "  %a = arg() {index=0} : float32[]", "  %b0 = exp(%a) : float32[]"]
    for i in range(1, 60):  # each choice holds the last one twice: as many ways through it as 2**60
        for side, (then, otherwise) in {"l": (f"%b{i - 1}", "%a"), "r": ("%a", f"%b{i - 1}")}.items():
            attrs = f'{{then=[{then}], otherwise=[{otherwise}], names=["w"], result=0}}'
            lines.append(f"  %{side}{i} = cond(%c, %a) {attrs} : float32[]")
        lines.append(f"  %b{i} = add(%l{i}, %r{i}) : float32[]")
    attrs = '{then=[%b59], otherwise=[%a], names=["w"], result=0}'
    head = "graphc 1\ngraph f\n%x = input() : float32[]\n"
    end = f"\n%y = cond(%c, %x) {attrs} : float32[]\nreturn %y\n"
    start = time.perf_counter()
    graph = gx.parse(head + "\n".join(lines) + end)
    gx.simplify(graph)
    assert str(gx.parse(str(graph))) == str(graph)
    assert time.perf_counter() - start < 20


def test_the_frame_of_the_refused_texts_is_fine() -> None:
    assert gx.parse(body("")).outputs[0].name == "x"


@pytest.mark.parametrize("bad", [None, 3, b"graphc 1", ["graphc 1"]])
def test_what_is_no_text(bad: Any) -> None:
    with pytest.raises(ParseError, match="moderate length"):
        gx.parse(bad)


def test_a_text_that_is_too_long() -> None:
    with pytest.raises(ParseError, match="moderate length"):
        gx.parse("graphc 1\n" + "#" * 2**26)
    with pytest.raises(ParseError, match="moderate length"):
        gx.parse("graphc 1\n" * 500_000)


def test_an_error_shows_the_line() -> None:
    with pytest.raises(ParseError) as error:
        gx.parse(body("%y = exp(%x) : float32[n, 4]"))
    assert str(error.value) == (
        "exp does not have this type\n"
        "  given:    float32[n, 4]\n"
        "  expected: float32[n, 3]\n"
        "  declared: line 5: %y = exp(%x) : float32[n, 4]"
    )


TEXTS = [
    str(make())
    for name, make in GRAPHS.items()
    if name not in ("gradients", "simplified", "lowered", "numbers")
]
WORDS = """% [ ] { } ( ) " , . # @ : = ; %x None True -1 1e999 n 99999999999999999999999 1.5 float32[] [n,3] \\ 0x1 1_0
__class__ lambda +nan 9**9**9**9 "exit()" n//0 %_arg @normal{std=1.0} axis é ²"""
SNIPPETS = st.sampled_from([*WORDS.split(), "", " ", "\n", "\0", "\ud800", " in a.b", ' as "q"'])


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A valid text with a few lines exchanged, doubled or lost, and a few pieces replaced."""
    lines = draw(st.sampled_from(TEXTS)).split("\n")
    for _ in range(draw(st.integers(0, 2))):
        i, j = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
        lines[i] = draw(st.sampled_from([lines[j], "", f"{lines[i]}\n{lines[j]}"]))
    text = "\n".join(lines)
    for _ in range(draw(st.integers(0, 3))):
        at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 12))
        text = text[:at] + draw(SNIPPETS) + text[at + length :]
    return text


def assert_parsed_or_refused(text: str) -> None:
    try:
        graph = gx.parse(text)
    except ParseError:
        return
    verify(graph)
    again = str(graph)
    assert str(gx.parse(again)) == again


@given(mutated())
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_mutated_text_is_parsed_or_refused(text: str) -> None:
    assert_parsed_or_refused(text)


@pytest.mark.full
@given(mutated())
@settings(max_examples=10_000, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_much_mutated_text_is_parsed_or_refused(text: str) -> None:
    assert_parsed_or_refused(text)


@given(st.text(max_size=200))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    assert_parsed_or_refused(text)
    assert_parsed_or_refused(f"graphc 1\ngraph f\n{text}")
    assert_parsed_or_refused(body(f"%y = exp(%x) : float32[n, 3] as {json.dumps(text)}"))


def test_every_attribute_of_every_card_has_a_check() -> None:
    from graphc.ir.attrs import CHECKS

    numbers = {"negative_slope", "alpha", "correction", "scale", "slope", "offset", "low", "high", "lambd"}
    numbers |= {"threshold", "below", "delta"}
    attrs = {key for card in CARDS.values() for key in card.attrs}
    assert attrs - set(CHECKS) <= numbers


def test_a_parsed_graph_compiles_and_trains() -> None:
    graph = GRAPHS["training_step"]()
    again = gx.parse(str(graph))
    values = arguments(graph)
    for a, b in zip(flat(gx.compile(graph)(**values)), flat(gx.compile(again)(**values)), strict=True):
        np.testing.assert_array_equal(a, b)
    fresh = gx.grad(again.outputs[0], again.leaf("output.W"))
    assert fresh.type == again.leaf("output.W").type


# -- size -------------------------------------------------------------------------------------------------------------


@pytest.mark.full
def test_a_deep_chain() -> None:
    y = gx.input("x", ("n",))
    for i in range(20_000):
        y = gx.tanh(y) if i % 2 else y * 1.5
    start = time.perf_counter()
    text = str(gx.graph_of(y))
    again = gx.parse(text)
    assert time.perf_counter() - start < 20
    assert str(again) == text


@pytest.mark.full
def test_deep_composites() -> None:
    x = gx.input("x", (2,))
    node = x
    for i in range(2_000):
        inner = node
        node = gx.composite(f"c{i}", lambda v, inner=inner: inner + v)(x)
    text = str(gx.graph_of(node))
    assert str(gx.parse(text)) == text


@pytest.mark.full
def test_a_large_array() -> None:
    array = np.random.default_rng(0).normal(size=(1000, 1000))
    again = gx.parse(str(gx.graph_of(gx.const(array)))).outputs[0]
    np.testing.assert_array_equal(again.attrs["value"].value, array)


@pytest.mark.full
@pytest.mark.parametrize(
    "line",
    [
        "%y = input() : float32[" + "n*" * 30_000 + "n]",
        "return " + "[" * 1_000_000,
        "%" * 1_000_000,
        '"' + "\\" * 1_000_000,
    ],
    ids=["size", "lists", "names", "string"],
)
def test_long_lines_are_refused_at_once(line: str) -> None:
    start = time.perf_counter()
    with pytest.raises(GraphcError):
        gx.parse(body(line))
    assert time.perf_counter() - start < 5


def test_a_number_of_one_text_has_no_name_in_other_graphs():
    number = gx.const(123.25, "float32")
    gx.parse(body("%c = const(123.25) : float32[]\n%y = add(%x, %c) : float32[n, 3]", "return %y"))
    assert number.about.name is None
