"""``train_step`` in the planned layout: vectors for all parameters together, buffers, and a step that works in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graphc.codegen.closure import Closure, headed, keep_used
from graphc.codegen.epoch import VECTORS, Reading, given_buffers, given_lines, only_in_calls, plans, readings
from graphc.codegen.kernels import Kernels
from graphc.codegen.lifetimes import END
from graphc.codegen.names import Names
from graphc.codegen.numpy import (
    array_cast,
    prelude,
    quoted,
    returned_text,
    sectioned,
    tokens,
    wrapped_signature,
)
from graphc.codegen.planned import PlannedWriter
from graphc.codegen.rows import Rows
from graphc.codegen.statements import Statement
from graphc.codegen.strips import in_strips
from graphc.codegen.update import LinkPlan, UpdatePlan, driven_lines, shared_lines
from graphc.codegen.whole import LARGEST, SMALL, Scope, whole_kernel
from graphc.ir.graph import Graph
from graphc.ir.node import Node, size_names, substitute
from graphc.ir.size import product
from graphc.ops.assume import assume
from graphc.ops.shape import dims_text
from graphc.planning.choices import piece_elements
from graphc.planning.early import with_early_factors
from graphc.planning.layout import Layout
from graphc.planning.order import Plan, make_plan
from graphc.rewrite.pipeline import FOR_BUFFERS, guard, run

INDENT = "    "

PIECES_ARE = "parameters, gradients and slots: views of one vector of each kind"


def for_buffers(plan: Plan) -> Plan:
    """The equations of an optimizer with what the planned layout rewrites besides; steps are counted from 1."""
    counts = [n for n in plan.graph.arguments if plan.graph.name_of(n) == "t" and n.dtype == "int64"]
    counted = {t: assume(t, low=1) for t in counts}
    roots = substitute(plan.graph.outputs, counted)
    graph = plan.graph.over({n: roots[n] for n in plan.graph.outputs})
    return make_plan(run(graph, (*FOR_BUFFERS, guard), "default"))


@dataclass
class Step:
    """The step of training of one model, being written.

    Attributes:
        plan: of the loss and the gradients.
        update: the optimizer.
        trained: the leaves that it changes.
        names: of the whole function.
        constants: arrays that stand above all functions.
        batched: the inputs that are cut into batches.
        products: see ``Plan``.
        kernels: where calls over the same elements are compiled; None for NumPy alone.
        layout: the same step features × batch, of which ``plan`` and ``trained`` are then.
        numbers: see ``Epoch``.
    """

    plan: Plan
    update: UpdatePlan
    trained: Sequence[Node]
    names: Names
    constants: dict[Node, str]
    batched: Sequence[Node] = ()
    products: bool = True
    kernels: Kernels | None = None
    layout: Layout | None = None
    helpers: list[str] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    numbers: dict[str, str] = field(default_factory=dict)
    whole: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.kernels is not None:
            count = sum(int(str(product(n.shape))) for n in self.trained)
            self.kernels.alone = not self.kernels.exact and self.update.flat and 0 < count <= LARGEST
        if self.kernels is None:  # a kernel computes a mask as it goes
            rows = self.layout.rows if self.layout else {}
            self.plan = with_early_factors(self.plan, {value: whole for whole, value in rows.items()})
        self.graph = self.plan.graph
        self.closure = Closure(self.names)
        self.texts = {leaf: self.names(leaf) for leaf in self.graph.arguments}
        self.read: list[Reading] = readings(self.graph, self.batched, self.names)
        self.above: list[str] = []
        self.rows = Rows.of(self.layout, self.plan, self.names)
        self.closure.setup += self.rows.setup
        self._sections = 1

    # -- the function --------------------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        """``plan_step``: the buffers for one size of batch, and the step."""
        body = self._body()
        if self.update.flat and only_in_calls("lr", body):
            self.numbers["lr"] = self.trained[0].dtype
        self.closure.setup += given_buffers(self.read)
        given = given_lines(self.read, self.closure, self.statements)
        if self.kernels is not None:
            keep_used(self.closure, [*body, *given])
            used = tokens(
                [*body, *given, *self.closure.lines(), *(p.partition(" = ")[2] for p in self.above)]
            )
            self.above = [line for line in self.above if line.partition(" = ")[0] in used]
        sizes = self.sizes([*body, *self.above, *self.closure.lines()])
        names = [r.name for r in self.read]
        return [
            *wrapped_signature("plan_step", ", ".join([*sizes, "params", "slots"])),
            '    """The step of training for these sizes, and the buffers that it works in."""',
            *(INDENT + line for line in (*headed(PIECES_ARE, self.above), *self.closure.text())),
            "",
            *(f"{INDENT}{line}".rstrip() for line in given),
            *(
                INDENT + line
                for line in wrapped_signature("step", ", ".join(["state", *names, *self.passed]))
            ),
            *(INDENT + line for line in body),
            "",
            *self._whole_lines(names),
            f"    return {plans(self.read, True)}",
        ]

    def _whole_lines(self, names: Sequence[str]) -> list[str]:
        """The step as one kernel, and for which batches it is taken."""
        if not self.whole:
            return []
        signature = wrapped_signature("small_step", ", ".join(["state", *names, *self.passed]))
        count = sum(int(str(product(n.shape))) for n in self.trained)
        return [
            *(INDENT + line for line in (*signature, *self.whole)),
            "",
            f"    if {self._rows_read} <= {SMALL // count}:  # else products by BLAS are faster",
            "        step = small_step",
        ]

    @property
    def _rows_read(self) -> str:
        """How many rows a batch has."""
        return next((str(r.leaf.shape[0]) for r in self.read if r.cut), "")

    def sizes(self, lines: Sequence[str]) -> list[str]:
        """The sizes that the function takes."""
        used = tokens(line.partition("  # ")[0] for line in lines)
        return [n for n in size_names([*self.graph.arguments, *self.graph.nodes]) if n in used]

    @property
    def passed(self) -> list[str]:
        """What a step takes beside the state and its inputs."""
        hypers = [self.texts[n] for n in self.graph.leaves("hyper")]
        return [*hypers, *self.update.variables, *(["rng"] if self.graph.sites else [])]

    def _body(self) -> list[str]:
        forward, backward = self._loss_and_gradients()
        loss = self._loss
        update = ["    # update", *(self._flat_update() if self.update.flat else self._whole_update())]
        check = [
            f"    if not math.isfinite({loss}):  # nothing has changed yet",
            f"        return {loss}, state",
        ]
        body = [*self.rows.fills, *forward, *check, *backward]
        self.whole = self._whole(body, update)
        return [
            *self._unpacked_state([*forward, *backward, *self._next_state]),
            *body,
            *self._next_state,
            *update,
            f"    return {loss}, {'next_state' if self._next_state else 'state'}",
        ]

    def _whole(self, body: Sequence[str], update: Sequence[str]) -> list[str]:
        """The body as one call, for a very small network; with the update, where that is kernels alone."""
        kernels, loss = self.kernels, self._loss
        known = self._rows_read and {"theta", "g"} <= {*self._vectors}
        if kernels is None or not kernels.alone or self._next_state or not known:
            return []
        name = self.names.reserve("whole_step")
        dtype = self.graph.outputs[0].dtype
        unpacked = self._unpacked_state(body)
        for lines, rest in (([*body, *update], []), (body, update)):
            if made := whole_kernel(name, lines, self._scope()):
                source, call = made
                kernels.sources.append(source)
                check = (
                    [f"    if not math.isfinite({loss}):", f"        return {loss}, state"] if rest else []
                )
                typed = self.closure.bound(f"{loss} = np.{dtype}({loss})")
                called = [*(INDENT + line for line in call), INDENT + typed]
                return [*unpacked, *called, *check, *rest, f"    return {loss}, state"]
        return []

    def _scope(self) -> Scope:
        """What the kernel of a whole step may read."""
        assert self.kernels is not None
        pieces = self._trained_pieces()
        above = dict(line.split(" = ", 1) for line in self.above)
        parts = {name: pieces[value] for name, value in above.items() if value in pieces}
        inputs = {r.name: r.node.ndim for r in self.read}
        vectors = {line.partition(" = ")[0]: 1 for line in self.closure.setup if " = np.ones(" in line}
        params = {self.texts[n]: n.ndim for n in self.graph.arguments if n.op.role == "param"}
        return Scope(
            {name: path for path, name in self.closure.functions.items()},
            frozenset(s[1].split()[1].partition("(")[0] for s in self.kernels.sources),
            parts,
            self.closure,
            {**inputs, **vectors, **params},
            {s.name: s.node.dtype for s in self.statements if s.node.shape == ()},
            self._loss,
        )

    def _trained_pieces(self) -> dict[str, str]:
        """How the parameters and gradients that plan_step reads are pieces of their vectors."""
        pairs = {j.whole: j for j in (self.layout.joined if self.layout else ())}
        found: dict[str, str] = {}
        for kind, of in (("theta", "params"), ("g", "grads")):
            start = 0
            for leaf in self.trained:
                end = start + int(str(product(leaf.shape)))
                piece = f"{self._vectors[kind]}[{start}:{end}]"
                if leaf.ndim != 1:
                    piece += f".reshape{dims_text(leaf.shape)}"
                if leaf in pairs:
                    weight, bias = (
                        quoted(self.graph.name_of(n)) for n in (pairs[leaf].weight, pairs[leaf].bias)
                    )
                    found[f"params.whole[{quoted(kind)}][{weight}]"] = piece
                    found[f"{of}[{weight}]"], found[f"{of}[{bias}]"] = f"{piece}[:, :-1].T", f"{piece}[:, -1]"
                else:
                    found[f"{of}[{quoted(self.graph.name_of(leaf))}]"] = piece
                start = end
        return found

    # -- loss and gradients --------------------------------------------------------------------------------------

    def _loss_and_gradients(self) -> tuple[list[str], list[str]]:
        loss, *gradients = self.graph.outputs
        nexts = [value for _, value in self.graph.updates]
        targets, copied = self._targets(gradients)
        fixed = {n for n in self.graph.arguments if n.op.role == "param"}
        self.closure.fixed |= fixed
        self.closure.rows |= fixed
        writer = PlannedWriter(
            self.closure,
            self.graph,
            {**self.texts, **{r.node: r.name for r in self.read}},
            self.constants,
            [loss, *nexts, *gradients],
            {**targets, **self.rows.placed},
            fresh=nexts,
            products=self.products,
            loops=self.kernels or in_strips,
            phase=self.plan.phase,
            rows=self.rows.wholes,
            turned=self.layout.turned if self.layout else (),
        )
        statements = writer.write([n for n in self.plan.order if self.plan.phase[n] != "update"])
        self.closure.buffers += self.rows.buffers(writer.memory, self.kernels is not None)
        self.helpers += writer.helpers
        split_end: list[str] = []
        split = [s for s in statements if self.plan.phase.get(s.node) == "forward"]
        later = [s for s in statements if self.plan.phase.get(s.node) != "forward"]
        self.statements += [*split, *later]
        self._loss = returned_text(writer, loss)
        if loss in self.closure.fixed or loss.op.block is not None:  # a parameter, which the update changes
            self._loss = self.names.reserve("loss_before")
            split_end.append(f"    {self._loss} = np.array({writer.text(loss)})[()]")
        self._next_state = self._next_lines({leaf: _kept_text(writer, v) for leaf, v in self.graph.updates})
        copies = [f"    {name}[...] = {writer.text(node)}" for name, node in copied]
        self.above += self._unpacked_params()
        backward = sectioned(later, self.plan.phase)
        return [*sectioned(split, self.plan.phase), *split_end], [*backward, *copies]

    def _targets(self, gradients: Sequence[Node]) -> tuple[dict[Node, str], list[tuple[str, Node]]]:
        """For each gradient its piece of the vector; those that are no node of their own are copied there."""
        targets: dict[Node, str] = {}
        copied: list[tuple[str, Node]] = []
        pieces = []
        for param, gradient in zip(self.trained, gradients, strict=True):
            own = (
                gradient.op.kind != "leaf"
                and "view" not in gradient.op.properties
                and gradient not in targets
            )
            own = own and self.plan.phase.get(gradient) == "backward" and gradient.shape != ()
            own = own and gradient.op.block is None  # a block names its results itself
            if own:
                name = targets[gradient] = self.names(gradient)
            else:
                name = self.names.reserve(f"d_{self.names(param)}")
                if gradient.op.kind != "leaf" and gradient not in targets:  # what is copied there
                    self.names.of.setdefault(gradient, self.names.reserve(f"{name}_value"))
                copied.append((name, gradient))
            pieces.append((name, self._piece(param, "g")))
        if any(piece.startswith("grads[") for _, piece in pieces):
            self.above.append("grads = params.grads")
        self.above += [f"{name} = {piece}" for name, piece in pieces]
        return targets, copied

    def _unpacked_params(self) -> list[str]:
        params = [n for n in self.graph.arguments if n.op.role == "param"]
        if self.layout:  # a weight with a bias may be needed as one matrix alone
            params = [n for n in params if n in self.graph.nodes]
        return [f"{self.texts[n]} = {self._piece(n, 'theta')}" for n in params]

    def _piece(self, param: Node, kind: str) -> str:
        """A parameter or its gradient; of a weight and a bias in one matrix, that matrix."""
        weights = {pair.whole: pair.weight for pair in (self.layout.joined if self.layout else ())}
        if param in weights:
            return f"params.whole[{quoted(kind)}][{quoted(self.graph.name_of(weights[param]))}]"
        return f"{'grads' if kind == 'g' else 'params'}[{quoted(self.graph.name_of(param))}]"

    def _unpacked_state(self, body: Sequence[str]) -> list[str]:
        used = tokens(body)
        states = [n for n in self.graph.leaves("state") if self.texts[n] in used]
        return [f"    {self.texts[n]} = state[{quoted(self.graph.name_of(n))}]" for n in states]

    def _next_lines(self, nexts: Mapping[Node, str]) -> list[str]:
        if not nexts:
            return []
        entries = [f"        {quoted(self.graph.name_of(leaf))}: {text}," for leaf, text in nexts.items()]
        return ["    next_state = {", "        **state,", *entries, "    }"]

    # -- update --------------------------------------------------------------------------------------------------

    def _whole_update(self) -> list[str]:
        """The update of the listing, which makes new arrays, copied into the vectors."""
        passed = "".join(f", {v}={v}" for v in self.update.variables)
        return [
            f"    next_params, next_slots = update(params, slots, grads{passed})",
            "    # copies, since what a slot becomes may be the array of another",
            "    next_slots = {name: np.array(value)[()] for name, value in next_slots.items()}",
            "    for name in grads:",
            "        params[name] = next_params[name]",
            "    for name, value in next_slots.items():",
            "        slots[name] = value",
        ]

    def _flat_update(self) -> list[str]:
        lines: list[str] = []
        waiting = self.update.driven
        for link in self.update.links:
            if waiting and link.reads & {"lr", *link.driven}:
                lines += driven_lines(self.update)
                waiting = ()
            lines += shared_lines(link)
            lines += self._link(link)
        return lines

    def _link(self, link: LinkPlan) -> list[str]:
        """One link over vectors, in pieces where they are long."""
        assert link.vector is not None
        plan = for_buffers(link.vector) if self.products else link.vector
        graph = plan.graph
        names = Names(graph)
        names.taken, names.numbers = self.names.taken, self.names.numbers
        arrays = {n: self._vector(link, n, graph) for n in graph.arguments if n.shape != ()}
        known = {**{n: link.text(str(graph.name_of(n))) for n in graph.arguments}, **arrays}
        given = self._given(link, graph, arrays)
        closure = Closure(self.names, fixed=set(arrays), rows=set(arrays), hoisted=self.closure.hoisted)
        closure.functions, closure.setup = self.closure.functions, self.closure.setup
        writer = PlannedWriter(
            closure,
            graph,
            known,
            self.constants,
            graph.outputs,
            given=given,
            products=self.products,
            names=names,
            aliases=False,
            loops=self.kernels,
        )
        statements = writer.write(plan.order)
        self.helpers += writer.helpers
        numbers = [s for s in statements if s.node.shape == ()]
        rest = [s for s in statements if s.node.shape != ()]
        self.statements += [*numbers, *rest]
        lines = [line for s in rest for line in s.lines()]
        return [*(line for s in numbers for line in s.lines()), *self._in_pieces(arrays, closure, lines)]

    def _in_pieces(self, arrays: Mapping[Node, str], closure: Closure, lines: list[str]) -> list[str]:
        """The lines over whole vectors, or over pieces of long ones, with buffers of that length."""
        (count,) = next(iter(arrays)).shape
        piece = piece_elements()
        whole = int(str(count)) <= 2 * piece or self.kernels is not None
        shape = f"({count if whole else piece},)"
        later = (END + 1) * self._sections
        self._sections += 1
        for name, _, dtype, first, last in closure.buffers:
            self.closure.buffers.append((name, shape, dtype, later + first, later + last))
        self.closure.called |= {later + at: name for at, name in closure.called.items()}
        if whole:
            return lines
        vectors = [*dict.fromkeys(arrays.values())]
        buffers = [name for name, *_ in closure.buffers]
        pieces = self.names.reserve("pieces")
        self.closure.setup.append(f"{pieces} = _cut({piece}, [{', '.join(vectors)}], [{', '.join(buffers)}])")
        self.helpers.append("_cut")
        return [f"    for {', '.join([*vectors, *buffers])} in {pieces}:", *(INDENT + line for line in lines)]

    def _vector(self, link: LinkPlan, leaf: Node, graph: Graph) -> str:
        """The variable of a vector: theta, g, or a slot."""
        name = str(graph.name_of(leaf))
        kind = name if name in ("theta", "g") else f"{link.name}.{name}"
        return self._vectors.setdefault(kind, self._new_vector(kind))

    @property
    def _vectors(self) -> dict[str, str]:
        if not hasattr(self, "_known_vectors"):
            self._known_vectors: dict[str, str] = {}
        return self._known_vectors

    def _new_vector(self, kind: str) -> str:
        if kind in self._vectors:
            return self._vectors[kind]
        name = self.names.reserve(kind)
        self.above.append(f"{name} = params.vectors[{quoted(kind)}]")
        return name

    def _given(self, link: LinkPlan, graph: Graph, arrays: Mapping[Node, str]) -> dict[Node, Node | None]:
        """What each vector becomes; the gradient of the last link may be written over."""
        leaves = {str(graph.name_of(n)): n for n in arrays}
        given: dict[Node, Node | None] = {}
        for name, value in zip(link.changed, graph.outputs, strict=True):
            if name in leaves:
                given[leaves[name]] = value
        if "g" in leaves and link is self.update.links[-1]:
            given.setdefault(leaves["g"], None)
        return given


def _kept_text(writer: PlannedWriter, node: Node) -> str:
    """What a next state is: never the memory of a parameter, which the update changes."""
    return returned_text(writer, node) if node.shape else f"np.array({writer.text(node)})[()]"


def train_step_lines(step: Step, signature: str, checks: Sequence[str], sizes: Sequence[str]) -> list[str]:
    """``train_step``, which makes the step of each size of batch when it first meets it."""
    in_rows = step.kernels is not None
    inputs = {r.leaf: r.text for r in step.read}
    key = f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
    made = any(r.made for r in step.read)
    batch = [f"*given({', '.join(inputs.values())})"] if made else [*inputs.values()]
    return [
        *wrapped_signature("train_step", signature),
        '    """One step of training: (params, state, slots, loss).',
        "",
        "    Dicts that it returned before are changed in place, others are copied into vectors first.",
        "    A loss that is not finite changes nothing.",
        '    """',
        *(array_cast(leaf, text, in_rows) for leaf, text in inputs.items()),
        *checks,
        *VECTORS,
        *prelude(step.graph, sizes, inputs),
        f"    {plans(step.read, True)} = step_for({key}, params, slots)",
        f"    loss, state = step({', '.join(['state', *batch, *step.passed])})",
        "    return params, state, slots, loss",
    ]
