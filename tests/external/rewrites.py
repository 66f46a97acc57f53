"""Rewrites that PyTensor's own tests ask for: what must become smaller, what must become accurate, what must stay.

An expression is read by graphc's formula parser, over variables known to lie in the case's domain, and simplified at
``fast``. Operations are counted; a stretched constant is none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import graphc as gx
from graphc.symbolic.formulas import formula_names, formula_nodes
from tests.external.harness import DIFFERS, RIGHT, WRONG, Case, Outcome, Suite
from tests.support import find_case

FILE = "rewrites/rewrites.json"
TOLERANCE = 1e-12
REFUSED = "0 times what may be infinite or nan is kept, also where the domain is finite"


def leaves(case: dict[str, Any], known: bool) -> dict[str, Any]:
    """A variable for each name, with the domain as a fact."""
    nodes = {name: gx.input(name, ("n",), "float64") for name in formula_names(case["frm"])}
    low, high = case["dom"]
    return {n: gx.assume(x, low=low, high=high) for n, x in nodes.items()} if known else nodes


def operations(outputs: Any) -> int:
    """How many operations a graph has, without claims and stretched constants."""
    order = gx.graph_of(outputs).nodes if not isinstance(outputs, (int, float)) else ()
    plain: set[Any] = set()
    for node in order:
        if node.op.role == "const" or (node.inputs and all(x in plain for x in node.inputs)):
            plain.add(node)
    return sum(n.op.kind != "leaf" and n.op.role != "assume" and n not in plain for n in order)


def check_simplify(case: dict[str, Any]) -> Outcome:
    """At most as many operations as stated, or as the stated result has, and the same values in the domain."""
    nodes = leaves(case, True)
    given, stated = (formula_nodes(case[key], nodes, "float64") for key in ("frm", "to"))
    found = gx.simplify(given, level="fast").outputs[0]
    most = operations(stated) if case["ops"] is None else case["ops"]
    count = operations(found)
    if "0.0*" in case["frm"]:
        return Outcome(DIFFERS if count else WRONG, REFUSED)
    error = difference(given, found, nodes, case["dom"])
    verdict = RIGHT if count <= most and error <= TOLERANCE else WRONG
    return Outcome(verdict, f"{count} operations, at most {most}; worst error {error:.1e}")


def difference(before: Any, after: Any, nodes: dict[str, Any], domain: list[float]) -> float:
    """The worst relative error of the simplified expression, over points of the domain."""
    random = np.random.default_rng(0)
    arrays = {name: random.uniform(*domain, 64) for name in nodes}
    both = gx.interpret(gx.graph_of([before, after]), arrays)
    return float(np.max(np.abs(both[0] - both[1]) / np.maximum(1, np.abs(both[0]))))


def check_stabilize(case: dict[str, Any]) -> Outcome:
    """The stated values, at points where the expression as written fails."""
    node = formula_nodes(case["frm"], leaves(case, False), "float64")
    points = np.array(case["at"], dtype=np.float64)
    with np.errstate(all="ignore"):
        got = gx.compile(node)(points)
    want = np.array([float.fromhex(text) for text in case["expected"]])
    error = float(np.max(np.abs(got - want) / np.abs(want)))
    return Outcome(RIGHT if error <= TOLERANCE else WRONG, f"worst relative error {error:.1e}")


def check_forbid(case: dict[str, Any]) -> Outcome:
    """The expression keeps its own values, where the near miss has others."""
    nodes = leaves(case, False)
    node = formula_nodes(case["frm"], nodes, "float64")
    arrays = {name: np.linspace(*case["dom"], 41) for name in nodes}
    with np.errstate(all="ignore"):
        want = gx.interpret(gx.graph_of(node), arrays)
        got = gx.compile(node, level="fast")(**arrays)
    beside_poles = ~np.isinf(want)  # at a pole, the sign of a zero decides which infinity it is
    same = np.allclose(got[beside_poles], want[beside_poles], rtol=TOLERANCE, atol=0, equal_nan=True)
    return Outcome(RIGHT if same else WRONG, "left alone" if same else "rewritten to something else")


CHECKS = {"simplify": check_simplify, "stabilize": check_stabilize, "forbid": check_forbid}


def check_vector(case: dict[str, Any]) -> Outcome:
    """A row by its stable form."""
    v = gx.input("v", (2,), "float64")
    node = {
        "log(sum(exp(v)))": lambda: gx.log(gx.sum(gx.exp(v))),
        "exp(v)/sum(exp(v))": lambda: gx.exp(v) / gx.sum(gx.exp(v)),
    }[case["frm"]]()
    program = gx.compile(node)
    worst = 0.0
    for point, texts in zip(case["at"], case["expected"], strict=True):
        want = np.array([float.fromhex(text) for text in texts])
        with np.errstate(all="ignore"):
            got = np.ravel(program(np.array(point)))
        worst = max(worst, float(np.max(np.abs(got - want) / np.maximum(np.abs(want), 1e-300))))
    return Outcome(RIGHT if worst <= TOLERANCE else WRONG, f"worst relative error {worst:.1e}")


def check_reduction(case: dict[str, Any]) -> Outcome:
    """As many operations as the stated form has."""
    v, A = gx.input("v", (5,), "float64"), gx.input("A", (2, 3), "float64")
    c = gx.input("c", (), "float64")
    before, after = {
        "sum(v/c)": lambda: (gx.sum(v / c), gx.sum(v) / c),
        "max(max(A,axis=0),axis=0)": lambda: (gx.max(gx.max(A, axis=0), axis=0), gx.max(A)),
        "reshape(reshape(A,s1),s2)": lambda: (gx.reshape(gx.reshape(A, (3, 2)), (6,)), gx.reshape(A, (6,))),
    }[case["frm"]]()
    count, most = operations(gx.simplify(before, level="fast").outputs[0]), operations(after)
    return Outcome(RIGHT if count <= most else WRONG, f"{count} operations, at most {most}")


def stored() -> list[str]:
    """The names of all facts in the file."""
    path, _ = find_case(*FILE.split("/"))
    facts = json.loads(path.read_text(encoding="utf-8")) if path else {}
    return [name_of(kind, i, fact) for kind in facts for i, fact in enumerate(facts[kind])]


def name_of(kind: str, i: int, fact: dict[str, Any]) -> str:
    """A name of its own for each fact."""
    return f"{fact.get('kind', kind)}{i}: {fact['frm']} -> {fact['to']}"


def cases() -> Iterator[Case]:
    """A case for each fact."""
    path, _ = find_case(*FILE.split("/"))
    facts = json.loads(path.read_text(encoding="utf-8")) if path else {}
    for kind, listed in facts.items():
        for i, fact in enumerate(listed):
            check = {"vector": check_vector, "reductions": check_reduction}.get(kind) or CHECKS[fact["kind"]]
            yield Case(name_of(kind, i, fact), FILE, partial(_checked, check, fact))


def _checked(check: Any, fact: dict[str, Any], path: Path) -> Outcome:
    outcome: Outcome = check(fact)
    return outcome


SUITE = Suite("rewrites", tuple(cases()), stored)
