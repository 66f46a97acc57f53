"""The stages that everything goes through: simplify, plan, emit, load; ``compile`` is their composition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from keyword import iskeyword
from typing import Any

from graphc.codegen.names import RESERVED
from graphc.codegen.numpy import Source
from graphc.codegen.targets import TARGETS
from graphc.errors import ArgumentError
from graphc.ir.events import Rewrite
from graphc.ir.graph import Graph, graph_of
from graphc.ir.node import Node, engine
from graphc.ir.op import Op
from graphc.ir.types import DTYPES
from graphc.ops.leaves import input
from graphc.planning.batch_last import batch_last
from graphc.planning.order import Plan, make_plan
from graphc.rewrite.driver import Trace
from graphc.rewrite.lower import MODES, choose_mode, collect_updates, open_effects
from graphc.rewrite.pipeline import BEFORE_BUFFERS, FOR_BUFFERS, SIMPLIFY, TO_CODE, clean, run, stabilise
from graphc.rewrite.rule import STABLE, check_level
from graphc.runtime.program import Program
from graphc.runtime.validate import validate_events
from graphc.symbolic.formulas import formula_names, formula_nodes

LAYOUTS = ("fresh", "planned", "rows")


def simplify(
    graph: Any,
    level: str = "default",
    trace: Trace | None = None,
    validate: bool | Mapping[str, Any] = False,
) -> Graph:
    """Clean, stabilise, and save cost, each to a fixed point.

    Args:
        graph: a graph, or the outputs of one.
        level: ``exact`` keeps every bit; ``default`` allows stable and equal-within-4-ulp forms; ``fast`` all rules.
        trace: receives every replacement.
        validate: compute what was replaced and what took its place after every step, on random values or on these
            arrays by name, and hold them against each other as closely as the kind of the rule promises.

    Raises:
        ValidationError: with ``validate``, a rule changed a value; the message names it.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> [node.op.name for node in gx.simplify(gx.graph_of(gx.log(1 + gx.exp(x)))).nodes]
        ['input', 'softplus']
    """
    check_level(level)
    whole = graph if isinstance(graph, Graph) else graph_of(graph)
    trace = Trace() if trace is None else trace
    begin = len(trace.events)
    with engine():
        found = run(whole, SIMPLIFY, level, trace)
    if validate is not False:
        validate_events(whole, trace.events[begin:], validate)
    return found


def plan(
    graph: Graph,
    level: str = "default",
    trace: Trace | None = None,
    layout: str = "fresh",
    reuse_outputs: bool = False,
) -> Plan:
    """Lower a graph to cards that have code, and fix the order of its nodes and where their values lie.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> plan = gx.plan(gx.graph_of(2 * x))
        >>> "def f(x)" in gx.emit(plan).text
        True
    """
    check_layout(layout)
    with engine():
        passes = TO_CODE if layout == "fresh" else (*BEFORE_BUFFERS, *TO_CODE, *FOR_BUFFERS)
        lowered = run(graph, passes, level, trace)
        made = make_plan(batch_last(lowered) if layout == "planned" and level != "exact" else lowered)
    return replace(made, layout=layout, products=level != "exact", reuse_outputs=reuse_outputs)


def emit(plan: Plan, target: str = "numpy") -> Source:
    """The source of a planned graph for a target.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> "2.0 * x" in gx.emit(gx.plan(gx.graph_of(2 * x))).text
        True
    """
    check_target(target)
    return TARGETS[target][plan.layout](plan)


def compile(
    outputs: Any,
    *,
    updates: Mapping[Node, Node] | None = None,
    mode: str = "eval",
    level: str = "default",
    layout: str = "fresh",
    target: str = "numpy",
    name: str = "f",
    debug: bool = False,
    validate: bool | Mapping[str, Any] = False,
    reuse_outputs: bool = False,
) -> Program:
    """A program: declare, simplify, plan, emit and load.

    Args:
        outputs: a node, or a list, tuple or dict of nodes (or a graph); what a call returns, in the same structure.
        updates: for leaves, what they become; a call then returns ``(outputs, {leaf name: array})``.
        mode: ``eval`` or ``train``: which branch of ``by_mode`` is compiled.
        level: ``exact``, ``default`` or ``fast``: which rewrites may happen.
        layout: ``fresh``: every value in a new array; ``planned``: in buffers that are made for the sizes of a call and
            kept for the next one, in arrays of operands that die, stored as it pays; ``rows``: the same, stored as
            declared. Results are new arrays all the same.
        target: ``numpy``; or ``numba``: in buffers as ``planned``, what goes element by element, softmax and sums
            compiled as one loop each. That needs ``graphc[numba]``.
        name: the name of the function, an identifier.
        debug: check the facts that ``gx.assume`` claims at every call, which then runs twice, once node by node.
        validate: hold every rewrite against what it replaced, on random values or these arrays; see ``simplify``.
        reuse_outputs: ``planned`` returns its own buffers, which the next call of the program changes.

    Raises:
        ArgumentError: an unknown mode, level, layout or target.
        DuplicateNameError: two leaves of one name.
        ValidationError: with ``validate``, a rule changed a value; the message names it.
        MissingDependency: the target ``numba``, and Numba is not installed.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> double = gx.compile(2 * x, name="double")
        >>> double([1.0, 2.0])
        array([2., 4.], dtype=float32)
    """
    check_level(level)
    check_layout(layout)
    check_target(target)
    if not name.isidentifier() or iskeyword(name) or name.startswith("_") or name in RESERVED:
        expected = f"not one that the listing uses itself: {', '.join(sorted(RESERVED))}, or with _ in front"
        raise ArgumentError("the name of a program is an identifier", given=repr(name), expected=expected)
    declared = outputs if isinstance(outputs, Graph) else graph_of(outputs, updates, name)
    trace = Trace()
    resolved = resolve(declared, mode)
    planned = plan(simplify(resolved, level, trace), level, trace, layout, reuse_outputs)
    if validate is not False:
        validate_events(resolved, trace.events, validate)
    checked = resolved if debug else None
    return Program(declared, planned, emit(planned, target), trace, checked, resolved, level)


def check_layout(layout: str) -> None:
    """Raises ArgumentError for a layout that is not there."""
    if layout not in LAYOUTS:
        raise ArgumentError("unknown layout", given=repr(layout), expected=", ".join(LAYOUTS))


def check_target(target: str) -> None:
    """Raises ArgumentError for a target that is not there."""
    if target not in TARGETS:
        raise ArgumentError("unknown target", given=repr(target), expected=", ".join(TARGETS))


def resolve(graph: Graph, mode: str) -> Graph:
    """Choices made for a mode, and attached state transitions collected."""
    if mode not in MODES:
        raise ArgumentError("mode is train or eval", given=repr(mode))
    with engine():
        return collect_updates(choose_mode(open_effects(graph), mode))


def retype(graph: Any, dtype: str) -> Any:
    """The same graph with every float of another dtype, for checks in float64.

    Args:
        graph: a graph (the result is a graph), or outputs (the result has their structure).
        dtype: float32 or float64.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> gx.retype(gx.graph_of(gx.tanh(x)), "float64").outputs[0].dtype
        'float64'
    """
    if dtype not in ("float32", "float64"):
        raise ArgumentError(
            "retype takes float32 or float64", given=repr(dtype), expected=", ".join(DTYPES[-2:])
        )
    whole = graph if isinstance(graph, Graph) else graph_of(graph)
    from graphc.ops.retype import retyped

    with engine():
        new = retyped(whole, dtype)
    return new if isinstance(graph, Graph) else new.unflatten(new.outputs)


def parse(text: str) -> Graph:
    """The graph that a text describes; ``str(graph)`` is such a text. Nothing of it is run.

    Args:
        text: the textual IR, over graphc's own cards.

    Raises:
        ParseError: the text is not well formed; the message has the line.

    Example:
        >>> import graphc as gx
        >>> graph = gx.graph_of(gx.tanh(gx.input("x", ("n",))))
        >>> str(gx.parse(str(graph))) == str(graph)
        True
    """
    from graphc.symbolic.text import parse as read

    return read(text)


def scalar_function(name: str, formula: Any, /, **constants: float) -> Op:
    """A pointwise operation of your own: derivative, LaTeX, NumPy text and stability are derived from its formula.

    The formula is stabilised once, here: ``log(1 + exp(x))`` becomes softplus before SymPy differentiates it, so
    the derivative is finite wherever the function is.

    Args:
        name: an identifier.
        formula: text such as ``"x*tanh(log(1+exp(x)))"``, a SymPy expression, or a function of SymPy symbols.
        constants: numbers that the formula names; they become attributes, with these defaults.

    Returns:
        A card, to be called with a node per free name of the formula, in order of first use.

    Raises:
        ParseError: the formula uses something outside the language of formulas.

    Example:
        >>> import graphc as gx
        >>> mish = gx.scalar_function("my_mish", "x*tanh(log(1+exp(x)))")
        >>> x = gx.input("x", ())
        >>> float(gx.compile(gx.grad(mish(x), x))(1000.0))
        1.0
    """
    from graphc.symbolic.scalar import formula_of, scalar_card

    text = formula_of(formula)
    operands = tuple(n for n in formula_names(text) if n not in constants)
    return scalar_card(name, _stable_formula(text, operands, constants), operands, constants)


def _stable_formula(text: str, operands: Sequence[str], constants: Mapping[str, float]) -> str:
    """The formula after the stabilising rules, or the formula as it is where none applies."""
    trace = Trace()
    with engine():
        leaves = {n: input(n, (), "float64") for n in (*operands, *constants)}
        node = formula_nodes(text, leaves, "float64")
        if not isinstance(node, Node):
            raise ArgumentError("this formula has no variable", given=text)
        stable = run(Graph((node,)), (clean, stabilise), "default", trace).outputs[0]
    if not any(isinstance(e, Rewrite) and e.kind == STABLE for _, e in trace.events):
        return text
    from graphc.symbolic.derive import formula_text
    from graphc.symbolic.sympify import to_sympy

    return formula_text(to_sympy(stable))
