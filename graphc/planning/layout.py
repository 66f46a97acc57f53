"""Physical layout: values of a step stored features × batch, and a weight with its bias as one matrix ``[Wᵀ|b]``.

With a last row of ones below the activations, ``x W + b`` is one product, ``[Wᵀ|b] [xᵀ; 1]``, and so are the gradients
of both, ``dzᵀ [x, 1]``. Softmax along the classes goes over long rows. Sums are added in another order, so this is done
only where that is allowed. What users see keeps its shape: parameters, gradients and slots are views by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from graphc.ir.events import Cotangent, Rebuilt
from graphc.ir.node import Node, engine, fresh_leaf, hinted, rebuilt, toposort
from graphc.ir.pattern import Var
from graphc.ir.provenance import record_parts
from graphc.ir.structure import flatten
from graphc.ir.types import Type
from graphc.ops.arith import add
from graphc.ops.arrange import contiguous_op
from graphc.ops.contract import matmul_op
from graphc.ops.reduce import sum_op
from graphc.ops.shape import expand_dims, transpose, transpose_op
from graphc.ops.slices import with_ones
from graphc.planning.choices import MOST_WEIGHTS
from graphc.planning.order import Plan
from graphc.rewrite.rule import Match, matched
from graphc.rewrite.rules.cost import is_wide_one_hot

_X, _W, _B, _G = (Var(name) for name in "xwbg")
_LINE = add(matmul_op(_X, _W), _B)
_WEIGHT_GRADIENT = matmul_op(transpose_op(_X, axes=(1, 0)), _G)
_BIAS_GRADIENT = sum_op(_G, axis=(0,), keepdims=False)


@dataclass(frozen=True, eq=False)
class Joined:
    """A weight and a bias, and the leaf ``[Wᵀ|b]`` that they are views of."""

    weight: Node
    bias: Node
    whole: Node


@dataclass(frozen=True, eq=False)
class Layout:
    """A step in another layout.

    Attributes:
        plan: of the loss, and of a gradient for each of ``trained``.
        trained: the leaves that are trained, ``[Wᵀ|b]`` for both of its parts.
        joined: these.
        rows: values with a last row of ones, each with the value that its other rows are.
        turned: values that are stored transposed.
    """

    plan: Plan
    trained: tuple[Node, ...]
    joined: tuple[Joined, ...] = ()
    rows: Mapping[Node, Node] = field(default_factory=dict)
    turned: frozenset[Node] = frozenset()


@dataclass(frozen=True, eq=False)
class _Pair:
    """``z = x W + b``, with the gradients of W and b by that of z."""

    match: Match
    z: Node
    d_weight: Node
    d_bias: Node
    d_z: Node

    @property
    def x(self) -> Node:
        return self.match.nodes["x"]

    @property
    def weight(self) -> Node:
        return self.match.nodes["w"]

    @property
    def bias(self) -> Node:
        return self.match.nodes["b"]

    @property
    def product(self) -> Node:
        return self.match.inner[0]


def lay_out(plan: Plan, trained: Sequence[Node], most: int = MOST_WEIGHTS) -> Layout | None:
    """The step features × batch, or None where that does not pay or is not possible.

    Args:
        plan: of the loss and the gradient of each of ``trained``, in this order.
        trained: parameters.
        most: how many elements the weights may have together.
    """
    weights = sum(_count(leaf) for leaf in trained)
    pairs = _pairs(plan, trained) if weights <= most else []
    if not pairs:
        return None
    turning = _Turning(plan, pairs)
    if not turning.possible():
        return None
    with engine():
        return turning.layout(trained)


def _count(leaf: Node) -> int:
    count = 1
    for dim in leaf.shape:
        count *= int(str(dim))
    return count


# -- layers -------------------------------------------------------------------------------------------------------


def _users(plan: Plan) -> dict[Node, list[Node]]:
    users: dict[Node, list[Node]] = {}
    for node in plan.graph.nodes:
        for operand in node.inputs:
            users.setdefault(operand, []).append(node)
    return users


def _pairs(plan: Plan, trained: Sequence[Node]) -> list[_Pair]:
    """Weights and biases that nothing but one layer, and the gradients of both, reads."""
    users = _users(plan)
    gradients = dict(zip(trained, plan.graph.outputs[1:], strict=True))
    found = []
    for node in plan.order:
        match = matched(_LINE, node)
        pair = _pair(match, gradients) if match is not None else None
        if pair is not None and _alone(pair, users, plan.graph.roots):
            found.append(pair)
    return [pair for pair in found if _may_have_ones(pair, found, users, plan)]


def _pair(match: Match, gradients: Mapping[Node, Node]) -> _Pair | None:
    w, b, x = match.nodes["w"], match.nodes["b"], match.nodes["x"]
    if w not in gradients or b not in gradients or (w.ndim, b.ndim, x.ndim) != (2, 1, 2):
        return None
    d_weight = matched(_WEIGHT_GRADIENT, gradients[w])
    d_bias = matched(_BIAS_GRADIENT, gradients[b])
    if d_weight is None or d_bias is None or d_weight.nodes["x"] is not x:
        return None
    if d_weight.nodes["g"] is not d_bias.nodes["g"]:
        return None
    return _Pair(match, match.root, gradients[w], gradients[b], d_bias.nodes["g"])


def _alone(pair: _Pair, users: Mapping[Node, list[Node]], roots: Sequence[Node]) -> bool:
    """Whether weight, bias, product and gradients serve this layer alone."""
    others = [n for n in users[pair.weight] if n is not pair.product and n.op is not transpose_op]
    gradients = (pair.d_weight, pair.d_bias)
    return (
        not others
        and users[pair.bias] == [pair.z]
        and users[pair.product] == [pair.z]
        and not any(g in users or roots.count(g) > 1 for g in gradients)
        and not any(n in roots for n in (pair.product, pair.weight, pair.bias))
    )


def _may_have_ones(pair: _Pair, pairs: Sequence[_Pair], users: Mapping[Node, list[Node]], plan: Plan) -> bool:
    """Whether the input of a layer may get ones: an argument that only layers read, or a value with an array."""
    x = pair.x
    if x.op.role == "input":
        return _read_by_layers(x, pairs, users, plan)
    kept = any(value is x for _, value in plan.graph.updates)
    made = x.op.kind != "leaf" and not {"view", "one_hot"} & x.op.properties
    return made and not kept and plan.phase[x] == "forward"


def _read_by_layers(x: Node, pairs: Sequence[_Pair], users: Mapping[Node, list[Node]], plan: Plan) -> bool:
    products = {pair.product for pair in pairs if pair.x is x}
    gradients = {pair.d_weight for pair in pairs if pair.x is x}
    others = [n for n in users[x] if n not in products]
    turned = all(n.op is transpose_op and gradients.issuperset(users.get(n, [n])) for n in others)
    return turned and x not in plan.graph.roots


# -- the same graph, transposed -----------------------------------------------------------------------------------


def _flipped(node: Node) -> Node:
    """The transpose of a matrix; of a transpose, what it is of."""
    return node.inputs[0] if node.op is transpose_op else transpose(node)


class _Turning:
    """Rebuilds a step, with the matrices that have a row for each sample transposed."""

    def __init__(self, plan: Plan, pairs: Sequence[_Pair]) -> None:
        self.plan, self.pairs = plan, pairs
        self.samples = {pair.x.shape[0] for pair in pairs}
        self.stored: dict[Node, Node] = {}
        self.turned: set[Node] = set()
        self.rows: dict[Node, Node] = {}
        self.lines = {pair.z: pair for pair in pairs}
        self.gradients = {pair.d_weight: pair for pair in pairs}
        self.wholes = {pair: _whole(pair) for pair in pairs}

    def possible(self) -> bool:
        """Whether every value with a row for each sample has a transposed form."""
        turned: set[Node] = set()
        for node in self.plan.order:
            if max([node.ndim, *(x.ndim for x in node.inputs)]) > 2:
                return False
            if node.op.role == "random" or node.op.block or node.op.joint:
                return False
            reads = any(x in turned for x in node.inputs)
            if node.op is transpose_op or (_is_hot(node) and not reads):
                continue
            if self._has_rows(node, reads):
                turned.add(node)
            if (reads or node in turned) and not _turns(node):
                return False
        return True

    def _has_rows(self, node: Node, reads: bool) -> bool:
        """Whether a matrix is stored transposed: one with a row for each sample, and a row that meets such."""
        return node.ndim == 2 and (node.shape[0] in self.samples or (node.shape[0] == 1 and reads))

    # -- values ----------------------------------------------------------------------------------------------------

    def plain(self, node: Node) -> Node:
        """A value as it was declared."""
        stored = self.stored.get(node, node)
        return _flipped(stored) if node in self.turned else stored

    def across(self, node: Node) -> Node:
        """A matrix transposed, a vector as a column, a number as it is."""
        if node.ndim == 1:
            return expand_dims(self.plain(node), 1)
        if node.ndim == 0 or node in self.turned:
            return self.plain(node) if node.ndim == 0 else self.stored[node]
        flipped = _flipped(self.plain(node))
        return hinted(contiguous_op(flipped), "columns") if _is_hot(node) else flipped

    def _with_ones(self, x: Node) -> Node:
        """A value features × batch, with a last row of ones."""
        if x.op.kind == "leaf":
            return transpose(hinted(with_ones(x, axis=1), f"{x.about.name}_1"))
        value = self.across(x)
        whole: Node = with_ones(value, axis=0)
        self.rows[whole] = value
        return whole

    def _new(self, node: Node) -> tuple[Node, bool]:
        """What a node becomes, and whether that is its transpose."""
        reads = any(x in self.turned for x in node.inputs)
        if node in self.lines:
            return matmul_op(self.wholes[self.lines[node]], self._with_ones(self.lines[node].x)), True
        if node in self.gradients:
            return self._gradient(self.gradients[node]), False
        if node.op is transpose_op:
            return _flipped(self.plain(node.inputs[0])), False
        turns = self._has_rows(node, reads) and not _is_hot(node)
        if turns or (reads and node.ndim < 2):
            return _across(node, self.across), turns
        return rebuilt(node, [self.plain(x) for x in node.inputs]), False

    def _gradient(self, pair: _Pair) -> Node:
        """``dzᵀ [x, 1]``."""
        whole = self.wholes[pair]
        new: Node = matmul_op(self.across(pair.d_z), _flipped(self._with_ones(pair.x)))
        new.about.rename(f"d_{whole.about.name}", whole.about.scopes)
        new.about.record(Cotangent(whole))
        return new

    # -- the result ------------------------------------------------------------------------------------------------

    def layout(self, trained: Sequence[Node]) -> Layout:
        for node in self.plan.order:
            new, turns = self._new(node)
            _explain(node, new)
            self.stored[node] = new
            if turns:
                self.turned.add(node)
        joined = [Joined(pair.weight, pair.bias, whole) for pair, whole in self.wholes.items()]
        plan = self._plan()
        stored = frozenset(self.stored[n] for n in self.turned)
        rows = {whole: value for whole, value in self.rows.items() if whole in plan.phase}
        leaves = self._trained(trained)
        return Layout(plan, leaves, tuple(joined), rows, stored)

    def _trained(self, trained: Sequence[Node]) -> tuple[Node, ...]:
        """What is trained: a weight with its bias is one leaf."""
        wholes = {pair.weight: whole for pair, whole in self.wholes.items()}
        biases = {pair.bias for pair in self.pairs}
        return tuple(wholes.get(leaf, leaf) for leaf in trained if leaf not in biases)

    def _plan(self) -> Plan:
        graph = self.plan.graph
        biases = {pair.d_bias for pair in self.pairs}
        outputs = tuple(self.plain(x) for x in graph.outputs if x not in biases)
        new = replace(
            graph,
            outputs=outputs,
            form=flatten(list(outputs), lambda x: isinstance(x, Node))[1],
            updates=tuple((leaf, self.plain(x)) for leaf, x in graph.updates),
            arguments=(*graph.arguments, *self.wholes.values()),
        )
        phase = self._phases(new.roots)
        return replace(self.plan, graph=new, order=tuple(phase), phase=phase)

    def _phases(self, roots: Sequence[Node]) -> dict[Node, str]:
        """The nodes that the roots need in the order of those that they came from, each in the phase of the first."""
        needed = {*toposort(roots)}
        phase: dict[Node, str] = {}
        seen: set[Node] = set()
        for old in self.plan.order:
            for node in _below(self.stored[old], seen) if self.stored[old] in needed else ():
                if node.op.kind != "leaf":
                    phase[node] = self.plan.phase[old]
        for old in self.plan.graph.roots:  # transposes of what is asked for
            for node in _below(self.plain(old), seen):
                if node in needed and node.op.kind != "leaf":
                    phase[node] = self.plan.phase.get(old, "backward")
        return phase


def _below(root: Node, seen: set[Node]) -> Iterator[Node]:
    """What a node needs that was not seen, operands first (iterative)."""
    stack = [(root, iter(root.inputs))] if root not in seen else []
    seen.add(root)
    while stack:
        node, rest = stack[-1]
        child = next((x for x in rest if x not in seen), None)
        if child is None:
            yield node
            stack.pop()
        else:
            seen.add(child)
            stack.append((child, iter(child.inputs)))


def _turns(node: Node) -> bool:
    """Whether a card has a transposed form."""
    return node.op.kind == "pointwise" or node.op.turn is not None


def _across(node: Node, across: Callable[[Node], Node]) -> Node:
    """The transpose of a matrix, or the same vector or number, from transposed operands."""
    if node.op.turn is not None:
        new: Node = node.op.turn(node, across)
        return new
    return rebuilt(node, [across(x) for x in node.inputs])


def _explain(old: Node, new: Node) -> None:
    """Name, layer and history of what a node came from."""
    if new is not old and new.op.kind != "leaf" and new.op is not transpose_op:
        new.about.adopt(old.about)
        new.about.record(Rebuilt(old))
        record_parts(new, Rebuilt(old), ())


def _is_hot(node: Node) -> bool:
    """Whether labels become rows, which stay as they are: they are prepared beside the data, and columns are copies."""
    return "one_hot" in node.op.properties and not is_wide_one_hot(node)


def _whole(pair: _Pair) -> Node:
    """``[Wᵀ|b]``."""
    inputs, units = pair.weight.shape
    new = fresh_leaf(pair.weight.op, pair.weight.attrs, Type(pair.weight.dtype, (units, inputs + 1)))
    new.about.rename(f"{pair.weight.about.name}{pair.bias.about.name}", pair.weight.about.scopes)
    new.about.origins = pair.weight.about.origins
    return new
