"""The derivatives of a loop: a loop that carries tangents too, and a loop in the other direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphc.ir.events import OverSteps
from graphc.ir.node import Node, toposort
from graphc.ir.op import ZERO
from graphc.ops.bodies import Push, Sweep, called, opened, stand_in
from graphc.ops.leaves import zeros_like
from graphc.ops.loops import body_types, results_of


def scan_push(tangents: Sequence[Node | None], node: Node, sweep: Push) -> list[Node | None]:
    """The tangents of a loop: a loop that carries values and tangents together."""
    following, ys, over, inputs = node.attrs["next"], node.attrs["ys"], node.attrs["over"], node.inputs
    count = len(following)
    leaves = [
        stand_in(n, t)
        for n, t in zip(node.attrs["names"], body_types([x.type for x in inputs], node.attrs), strict=True)
    ]
    moved = [i for i, x in enumerate(inputs) if x.type.is_float and (i < count or tangents[i] is not None)]
    dots = {i: stand_in(f"dot_{leaves[i].about.name}", leaves[i].type) for i in moved}
    pairs = [(i, tangents[i]) for i in moved]
    given = {i: zeros_like(inputs[i]) if tangent is None else tangent for i, tangent in pairs}
    roots = opened((*following, *ys), leaves)
    smooth = [i for i, root in enumerate(roots) if root.type.is_float]
    found = dict(
        zip(
            smooth,
            sweep([roots[i] for i in smooth], [leaves[i] for i in moved], list(dots.values())),
            strict=True,
        )
    )
    parts = [range(count), range(count, count + over), range(count + over, len(inputs))]
    operands = [
        x for part in parts for x in (*(inputs[i] for i in part), *(given[i] for i in part if i in given))
    ]
    places = [
        x for part in parts for x in (*(leaves[i] for i in part), *(dots[i] for i in part if i in dots))
    ]
    carries = [i for i in range(count) if i in dots]
    stacks = [i for i in smooth if i >= count]
    results = results_of(
        node.op,
        operands,
        places,
        [*roots[:count], *(found[i] for i in carries)],
        [found[i] for i in stacks],
        over + sum(i in dots for i in parts[1]),
        node.attrs["length"],
        node.attrs["reverse"],
    )
    tangent_of = dict(zip([*carries, *stacks], results[count:], strict=True))
    return [tangent_of.get(i) for i in range(len(roots))]


def scan_joint(cotangents: Mapping[int, Node], node: Node, wanted: Sequence[bool], sweep: Sweep) -> list[Any]:
    """Backpropagation through time: a scan in the other direction over what the forward one saved."""
    return _Reverse(cotangents, node, wanted, sweep).terms()


def _added(total: Node, term: Node) -> Node:
    """A total so far and what one step brings."""
    found: Node = total + term
    found.about.record(OverSteps(total))
    return found


class _Reverse:
    """The reverse of one scan.

    Its carries are the cotangents of the carries and the sums of those of the operands that every step reads; its
    sequences are the cotangents of the stacks and what the steps saved.
    """

    def __init__(
        self, cotangents: Mapping[int, Node], node: Node, wanted: Sequence[bool], sweep: Sweep
    ) -> None:
        attrs = node.attrs
        self.node, self.cotangents, self.sweep = node, cotangents, sweep
        self.count, self.over = len(attrs["next"]), attrs["over"]
        types = body_types([x.type for x in node.inputs], attrs)
        self.leaves = [stand_in(n, t) for n, t in zip(attrs["names"], types, strict=True)]
        roots = opened((*attrs["next"], *attrs["ys"]), self.leaves)
        self.next, self.ys = roots[: self.count], roots[self.count :]
        self.carried = [i for i in range(self.count) if types[i].is_float]
        self.stacked = [j for j in range(len(self.ys)) if self.count + j in cotangents]
        # a carry's cotangent is needed even where nobody asks for that of its start
        self.wanted = [i for i, want in enumerate(wanted) if want and i >= self.count and types[i].is_float]

    def terms(self) -> list[Any]:
        """The cotangent of each operand."""
        d_next = [stand_in(f"d_{self.leaves[i].about.name}", self.leaves[i].type) for i in self.carried]
        d_ys = [stand_in(f"d_{called(self.ys[j])}", self.ys[j].type) for j in self.stacked]
        outputs = [*(self.next[i] for i in self.carried), *(self.ys[j] for j in self.stacked)]
        variables = [self.leaves[i] for i in (*self.carried, *self.wanted)]
        found = self.sweep(outputs, [*d_next, *d_ys], variables)
        d_carried, d_wanted = found[: len(self.carried)], found[len(self.carried) :]
        sequences = [i < self.count + self.over for i in self.wanted]
        sums = [i for i, one in zip(self.wanted, sequences, strict=True) if not one]
        totals = [stand_in(f"d_{self.leaves[i].about.name}", self.leaves[i].type) for i in sums]
        added = [g for g, one in zip(d_wanted, sequences, strict=True) if not one]
        following = [*d_carried, *map(_added, totals, added)]
        stacks = [g for g, one in zip(d_wanted, sequences, strict=True) if one]
        results = self._loop([*d_next, *totals], following, stacks, d_ys)
        return self._by_operand(sums, results)

    def _by_operand(self, sums: Sequence[int], results: Sequence[Node]) -> list[Any]:
        taken = [i for i in self.wanted if i < self.count + self.over]
        terms: list[Any] = [ZERO] * len(self.leaves)
        for i, result in zip((*self.carried, *sums, *taken), results, strict=True):
            terms[i] = result
        return terms

    def _loop(
        self, carries: Sequence[Node], following: Sequence[Node], stacks: Sequence[Node], d_ys: Sequence[Node]
    ) -> list[Node]:
        """The backward scan, over what it reads of the forward one."""
        saved = self._saved([*following, *stacks], {*carries, *d_ys})
        constant = self.leaves[self.count + self.over :]
        read = [x for x in saved if x not in constant]
        rest = [x for x in saved if x in constant]
        sources = self._sources(read)
        starts = [self._start(k) for k in range(len(self.carried))]
        starts += [zeros_like(leaf) for leaf in carries[len(starts) :]]
        places = dict(zip(self.leaves, self.node.inputs, strict=True))
        over = [*(self.cotangents[self.count + j] for j in self.stacked), *sources]
        return results_of(
            self.node.op,
            [*starts, *over, *(places[x] for x in rest)],
            [*carries, *d_ys, *read, *rest],
            following,
            stacks,
            len(over),
            self.node.attrs["length"],
            not self.node.attrs["reverse"],
        )

    def _start(self, k: int) -> Node:
        """The cotangent of a final carry."""
        i = self.carried[k]
        return self.cotangents[i] if i in self.cotangents else zeros_like(self.leaves[i])

    def _saved(self, roots: Sequence[Node], given: set[Node]) -> list[Node]:
        """The forward values that the backward body reads: computed in the forward loop, or views of them."""
        forward = set(toposort([*self.next, *self.ys, *self.leaves]))
        found: dict[Node, None] = {}
        stack, seen = list(roots), set(roots)
        while stack:
            node = stack.pop()
            if node in forward and node.op.role not in ("const", "size") and "view" not in node.op.properties:
                found.setdefault(node)
                continue
            for operand in node.inputs:
                if operand not in seen and operand not in given:
                    seen.add(operand)
                    stack.append(operand)
        return sorted(found, key=lambda n: n.serial)

    def _sources(self, read: Sequence[Node]) -> list[Node]:
        """Where the backward loop takes each saved value from: a sequence that there is, or a stack of its own."""
        attrs, leaves = self.node.attrs, self.leaves
        given = dict(
            zip(leaves[self.count : self.count + self.over], self.node.inputs[self.count :], strict=False)
        )
        own = [x for x in read if x not in given]
        made = results_of(
            self.node.op,
            self.node.inputs,
            leaves,
            self.next,
            own,
            self.over,
            attrs["length"],
            attrs["reverse"],
        )[self.count :]
        stacks = dict(zip(own, made, strict=True))
        return [given[x] if x in given else stacks[x] for x in read]
