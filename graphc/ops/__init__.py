"""The cards: one file per family. ``CARDS`` is the table that engines and tests go through."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from graphc.ir.op import Op
from graphc.ops import (
    activations,
    arith,
    arrange,
    assume,
    bits,
    card,
    combine,
    compare,
    cond,
    contract,
    counting,
    create,
    cumulate,
    decompose,
    effects,
    gather,
    index,
    leaves,
    linalg,
    losses,
    math,
    nn,
    norms,
    operators,
    order,
    put,
    random,
    reduce,
    rounding,
    samples,
    scan,
    shape,
    slices,
    special,
    trig,
    windows,
)

operators.bind()

CARDS: Mapping[str, Op] = MappingProxyType(
    {
        op.name: op
        for family in (
            leaves,
            arith,
            math,
            activations,
            losses,
            trig,
            special,
            compare,
            bits,
            rounding,
            reduce,
            samples,
            shape,
            slices,
            contract,
            index,
            gather,
            create,
            arrange,
            put,
            norms,
            cumulate,
            order,
            counting,
            combine,
            linalg,
            decompose,
            nn,
            random,
            windows,
            effects,
            assume,
            scan,
            cond,
        )
        for op in family.CARDS
    }
    | {card.const_op.name: card.const_op}
)
"""Every built-in card, by its standard name."""
