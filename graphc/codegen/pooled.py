"""A program in the planned layout: buffers for each size of its arguments, kept for the next call."""

from __future__ import annotations

from graphc.codegen.closure import Closure, keep_used
from graphc.codegen.kernels import Kernels, with_numba
from graphc.codegen.names import Names
from graphc.codegen.numpy import (
    MAKE_RNG,
    Source,
    array_cast,
    describe,
    file_head,
    joined,
    names_for,
    prelude,
    returned_text,
    sectioned,
    site_names,
    tokens,
    tuple_text,
    wrapped_signature,
)
from graphc.codegen.planned import PlannedWriter
from graphc.codegen.strips import in_strips
from graphc.ir.node import Node, size_names
from graphc.planning.early import with_early_factors
from graphc.planning.order import Plan

MOST_SIZES = 16
"""So many sizes of arguments keep their buffers."""

OWN = ("FREE", "free", "run", "result", "sizes")


def emit_pooled(plan: Plan, kernels: Kernels | None = None) -> Source:
    """A program as a function that finds, or makes, buffers for the sizes of its arguments, and runs in them.

    What it returns is new at every call, unless the plan says that outputs are reused. Two calls at a time have
    buffers of their own. With ``kernels``, calls over the same elements are one kernel.
    """
    plan = with_early_factors(plan)
    graph = plan.graph
    names = names_for(graph, OWN)
    planner = names.reserve(f"plan_{graph.name}")
    texts = {leaf: names(leaf) for leaf in graph.arguments}
    constants: dict[Node, str] = {}
    closure = Closure(names)
    # a next value is made to be passed in again, so it is never a buffer
    fresh = [value for _, value in graph.updates] if plan.reuse_outputs else graph.roots
    writer = PlannedWriter(
        closure,
        graph,
        texts,
        constants,
        graph.roots,
        fresh=fresh,
        products=plan.products,
        loops=kernels or in_strips,
    )
    statements = writer.write(_numbers_last(plan))
    returned = [_returned(writer, x, i, plan) for i, x in enumerate(graph.roots)]
    body = [*sectioned(statements, plan.phase), *f"    return {tuple_text(returned)}".split("\n")]
    if kernels is not None:
        keep_used(closure, body)
    arguments = [*texts.values(), *(["rng"] if graph.sites else [])]
    sizes = _sizes(plan, [*body, *closure.lines()])
    inner = [
        *wrapped_signature(planner, ", ".join(sizes)),
        '    """The program for these sizes, and the buffers that it works in."""',
        *(f"    {line}" for line in closure.text()),
        "",
        *(f"    {line}" for line in [*wrapped_signature("run", ", ".join(arguments)), *body]),
        "",
        "    return run",
    ]
    seeding = ["_name_seed"] if graph.sites else []
    compiled = kernels.section() if kernels is not None else []
    helpers = [*writer.helpers, "_buffers", *seeding]
    imports, above = file_head(helpers, constants, [inner, *compiled])
    sites = [site_names(graph), MAKE_RNG] if graph.sites else []
    caller = _caller(plan, names, planner, arguments, sizes, kernels is not None)
    blocks = [with_numba(imports, compiled), *above, *sites, *compiled, inner, ["FREE = {}"], caller]
    runs = tuple(closure.runs)
    return Source(
        joined(blocks), graph.name, (*closure.made, *statements), runs, joined(compiled) if compiled else ""
    )


def _numbers_last(plan: Plan) -> list[Node]:
    """The order of the plan, but for numbers that no array needs: these part no calls over the same rows."""
    users: dict[Node, list[Node]] = {}
    for node in plan.graph.nodes:
        for operand in node.inputs:
            users.setdefault(operand, []).append(node)
    last: set[Node] = set()
    for node in reversed(plan.order):
        if node.shape == () and node.op.role != "random" and last.issuperset(users.get(node, ())):
            last.add(node)
    return [*(n for n in plan.order if n not in last), *(n for n in plan.order if n in last)]


def _returned(writer: PlannedWriter, node: Node, place: int, plan: Plan) -> str:
    if plan.reuse_outputs and node in writer.memory.home:
        return str(writer.text(node))
    return returned_text(writer, node, node in plan.graph.roots[:place])


def _sizes(plan: Plan, lines: list[str]) -> list[str]:
    used = tokens(line.partition("  # ")[0] for line in lines)
    return [n for n in size_names([*plan.graph.arguments, *plan.graph.nodes]) if n in used]


def _caller(
    plan: Plan, names: Names, planner: str, arguments: list[str], sizes: list[str], in_rows: bool
) -> list[str]:
    """The function itself: its buffers go back when it is done, so that the next call finds them."""
    graph = plan.graph
    texts = {leaf: names(leaf) for leaf in graph.arguments}
    key = f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
    return [
        *wrapped_signature(graph.name, ", ".join(arguments)),
        f'    """{describe(graph)}"""',
        *(array_cast(leaf, text, in_rows) for leaf, text in texts.items() if leaf.shape),
        *prelude(graph, sizes, texts),
        f"    if len(FREE) > {MOST_SIZES}:  # sizes that come and go",
        "        FREE.clear()",
        f"    free = FREE.setdefault({key}, [])",
        "    try:",
        "        run = free.pop()",
        "    except IndexError:",
        f"        run = {planner}({', '.join(sizes)})",
        f"    result = run({', '.join(arguments)})",
        "    free.append(run)",
        "    return result",
    ]
