"""A step of a very small network as one kernel: it calls the others, and does products by loops of its own."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from graphc.codegen.closure import Closure
from graphc.codegen.scalar import number
from graphc.codegen.statements import MAX_WIDTH

SMALL = 16_384
"""Up to so many trained numbers times rows of a batch, calls cost more than what BLAS saves."""

LARGEST = 1000
"""With more trained numbers than these, no batch worth a step is small enough."""

ELEMENTWISE = frozenset(
    ("absolute", "add", "divide", "maximum", "minimum", "multiply", "negative", "sqrt", "square", "subtract")
)
"""What Numba has a loop for that is as good as NumPy's."""

INDENT = "    "


class _NoForm(Exception):
    """A line that no kernel has."""


@dataclass
class Scope:
    """What the lines of a step may read.

    Attributes:
        functions: of NumPy, by the name that the step calls them.
        kernels: the names of kernels.
        parts: expressions for parameters and gradients, as pieces of their vectors.
        closure: what else stands above the step.
        axes: how many axes arrays have that are neither buffers nor views.
        dtypes: of the numbers that the lines compute.
        loss: what the kernel returns.
    """

    functions: Mapping[str, str]
    kernels: frozenset[str]
    parts: Mapping[str, str]
    closure: Closure
    axes: Mapping[str, int]
    dtypes: Mapping[str, str]
    loss: str
    arguments: dict[str, None] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    computed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        buffers = self.closure.buffers
        self.shapes = {name: shape for name, shape, *_ in buffers}
        self.buffers = {name: f"np.empty({shape}, np.{dtype})" for name, shape, dtype, *_ in buffers}
        self.views: dict[str, str] = {}
        self.others: dict[str, set[str]] = {}
        for line in self.closure.setup:
            target, _, value = line.partition(" = ")
            if target.isidentifier() and _VIEW.fullmatch(value):
                self.views[target] = value
            else:
                words = {*re.findall(r"[A-Za-z_]\w*", line)}
                self.others.update(dict.fromkeys(re.findall(r"[A-Za-z_]\w*", target), words))


_VIEW = re.compile(r"[A-Za-z_]\w*(\.T|\[:-1\]|\[-1\]|\.reshape\([\w, *]+\))?")


def whole_kernel(name: str, lines: Sequence[str], scope: Scope) -> tuple[list[str], list[str]] | None:
    """The kernel of these lines, and the lines that call it; None where one of them is not for a kernel."""
    try:
        body = _translated(lines, scope)
    except _NoForm:
        return None
    if scope.loss not in scope.computed:
        return None
    heads = [f"{made} = {value}" for made, value in scope.made.items()]
    lines = [*heads, *body, f"return {scope.loss}"]
    source = ["@kernel", *_listed(f"def {name}(", scope.arguments, "):"), *(INDENT + x for x in lines)]
    return source, _listed(f"{scope.loss} = {name}(", scope.arguments, ")")


def _listed(start: str, names: Iterable[str], end: str) -> list[str]:
    """Names in brackets, each on a line where they are many."""
    line = f"{start}{', '.join(names)}{end}"
    return [line] if len(line) <= MAX_WIDTH - 8 else [start, *(f"{INDENT}{n}," for n in names), end]


def _translated(lines: Sequence[str], scope: Scope) -> list[str]:
    """The lines of a step as those of a kernel, with the headings between them."""
    text = textwrap.dedent("\n".join(lines))
    source = text.split("\n")
    result: list[str] = []
    at = 0
    for statement in ast.parse(text).body:
        result += [line for line in source[at : statement.lineno - 1] if line.startswith("#")]
        at = statement.end_lineno or statement.lineno
        comment = source[at - 1].partition("  # ")[2]
        found = _statement(statement, scope)
        if comment and len(found) == 1 and len(found[0]) + len(comment) + 8 <= MAX_WIDTH:
            found = [f"{found[0]}  # {comment}"]
        result += found
    return result


def _statement(statement: ast.stmt, scope: Scope) -> list[str]:
    match statement:
        case ast.Expr(value=ast.Call() as call):
            return [_call(call, scope)]
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            line = _number(name, value, scope)
            scope.computed.add(name)
            return [line]
        case ast.If(test=ast.UnaryOp(op=ast.Not()), body=[ast.Return()], orelse=[]):
            if ast.unparse(statement.test) == f"not math.isfinite({scope.loss})":
                return [f"{ast.unparse(statement).partition(':')[0]}:", f"{INDENT}return {scope.loss}"]
        case ast.If(body=[ast.Assign(targets=[ast.Name(id=name)], value=value)], orelse=[]):
            return _sum_of_marked(ast.unparse(statement.test), name, ast.unparse(value), scope)
    raise _NoForm


def _sum_of_marked(test: str, name: str, value: str, scope: Scope) -> list[str]:
    """What picks by labels where a product with one-hot rows is nan."""
    found = re.fullmatch(r"(\w+)\[(\w+) > 0\]\.sum\(\)", value)
    if test != f"{name} != {name}" or found is None or name not in scope.computed:
        raise _NoForm
    array, marks = _read(found[1], scope), _read(found[2], scope)
    return [f"if {test}:", f"{INDENT}{name} = {_typed(name, f'_marked({array}, {marks})', scope)}"]


def _call(call: ast.Call, scope: Scope) -> str:
    """A call that writes into arrays."""
    name, outs = ast.unparse(call.func), {k.arg: k.value for k in call.keywords}
    if name in scope.kernels and not outs:
        return f"{name}({', '.join(_operand(a, scope) for a in call.args)})"
    if name.endswith(".fill") and [ast.unparse(a) for a in call.args] == ["1"]:
        return f"{_read(name.removesuffix('.fill'), scope)}[...] = 1"
    path = scope.functions.get(name)
    if set(outs) != {"out"} or not isinstance(outs["out"], ast.Name):
        raise _NoForm
    out = _operand(outs["out"], scope)
    if path == "dot" and len(call.args) == 2:
        return _product(ast.unparse(call.args[0]), ast.unparse(call.args[1]), out, scope)
    if path in ELEMENTWISE:
        return f"np.{path}({', '.join([*(_operand(a, scope) for a in call.args), out])})"
    raise _NoForm


def _product(left: str, right: str, out: str, scope: Scope) -> str:
    """A product by loops; with a transposed matrix, along its rows."""
    axes = _axes(left, scope), _axes(right, scope)
    if axes not in ((2, 2), (1, 2)):
        raise _NoForm
    if axes == (1, 2):
        return f"_weighted_rows({_read(left, scope)}, {_operand(ast.parse(right, mode='eval').body, scope)}, {out})"
    a = _operand(ast.parse(left, mode="eval").body, scope)
    whole = right if right.endswith(".T") else scope.views.get(right, "")
    if whole.endswith(".T") and whole[:-2].isidentifier():
        return f"_product_with_rows({a}, {_read(whole[:-2], scope)}, {out})"
    b = _operand(ast.parse(right, mode="eval").body, scope)
    return f"_product({a}, {b}, {out})"


def _axes(text: str, scope: Scope) -> int:
    """How many axes an array has."""
    text = text.removesuffix(".T")
    if text in scope.axes:
        return scope.axes[text]
    if text in scope.shapes:
        return len(ast.parse(scope.shapes[text], mode="eval").body.elts)  # type: ignore[attr-defined]
    if part := scope.parts.get(text, ""):
        return 1 if part.endswith("]") else part[part.index("(") : part.index(")")].count(",") + 1
    view = scope.views.get(text, "")
    if found := re.fullmatch(r"(\w+)\.reshape\((.*)\)", view):
        return found[2].count(",") + 1
    if found := re.fullmatch(r"(\w+)(\.T|\[:-1\]|\[-1\])?", view):
        return _axes(found[1], scope) - (found[2] == "[-1]")
    raise _NoForm


def _number(name: str, value: ast.expr, scope: Scope) -> str:
    """A number that is computed from others, from arrays by a kernel, or by a product of two vectors."""
    if isinstance(value, ast.Call):
        called = ast.unparse(value.func)
        path = scope.functions.get(called)
        operands = ", ".join(_operand(a, scope) for a in value.args)
        if called in scope.kernels:
            return f"{name} = {called}({operands})"
        if path in ("dot", "vdot") and not value.keywords:
            return f"{name} = {_typed(name, f'_inner({operands})', scope)}"
        if path in ("float32", "float64"):
            return f"{name} = np.{path}({operands})"
        raise _NoForm
    known = (ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Name, ast.Constant, ast.Load)
    if not all(isinstance(n, known) for n in ast.walk(value)) or name not in scope.dtypes:
        raise _NoForm
    for part in ast.walk(value):
        if isinstance(part, ast.Name):
            _read(part.id, scope)
    return f"{name} = {_typed(name, ast.unparse(value), scope)}"


def _typed(name: str, text: str, scope: Scope) -> str:
    """A number rounded to the dtype that it has."""
    if scope.dtypes.get(name) not in ("float32", "float64"):
        raise _NoForm
    return number(text, scope.dtypes[name])


def _operand(node: ast.expr, scope: Scope) -> str:
    text = ast.unparse(node)
    if isinstance(node, ast.Constant):
        return text
    base = text.removesuffix(".T")
    if not base.isidentifier():
        raise _NoForm
    _read(base, scope)
    return text


def _read(name: str, scope: Scope) -> str:
    """The name of what a line reads: it is made at the head of the kernel, or handed to it."""
    if name in scope.functions or not name.isidentifier():
        raise _NoForm
    if name in scope.computed or name in scope.made:
        return name
    value = scope.buffers.get(name) or scope.parts.get(name) or scope.views.get(name)
    if value is None:
        if scope.others.get(name, set()) & {*scope.buffers, *scope.views}:
            raise _NoForm  # a part of a buffer that is not written down here
        scope.arguments[name] = None
        return name
    for part in ast.walk(ast.parse(value)):
        if isinstance(part, ast.Name) and part.id != "np":
            _read(part.id, scope)
    scope.made[name] = value
    return name
