"""What all suites share: a case, what came of it, and the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.support import find_case

RIGHT, WRONG, NOT_COVERED, DIFFERS, ABSENT = "right", "wrong", "not covered", "convention differs", "absent"
LONG = 100
"""A suite of more cases lists those of one outcome together."""
COLUMNS = (RIGHT, WRONG, NOT_COVERED, DIFFERS, ABSENT)


@dataclass(frozen=True)
class Outcome:
    """What came of a case, and the measured error or the reason."""

    verdict: str
    note: str = ""


@dataclass(frozen=True)
class Case:
    """One case from elsewhere.

    Attributes:
        name: unique within its suite.
        file: the file that holds it, under the folder of cases.
        check: from the path of that file to what came of it.
        full: whether it takes long.
        known: why it is wrong today; the test then demands that it is wrong.
    """

    name: str
    file: str
    check: Callable[[Path], Outcome]
    full: bool = False
    known: str = ""

    def run(self) -> Outcome:
        """What came of it; ``absent`` where there is no such file."""
        path, reason = find_case(*self.file.split("/"))
        return Outcome(ABSENT, reason) if path is None else self.check(path)


@dataclass(frozen=True)
class Suite:
    """The cases of one source; ``stored`` lists the names that its files hold, so that none is passed over."""

    name: str
    cases: tuple[Case, ...]
    stored: Callable[[], Iterable[str]]


def absent(file: str) -> tuple[Case, ...]:
    """What stands in the table for the cases of a file that is not there."""
    return (Case("cases", file, lambda path: Outcome(ABSENT, "no cases in the file")),)


def every(index: int, count: int) -> bool:
    """Whether a case is left to the full set, where one of so many is in the fast one."""
    return index % count != 0


def unrun(name: str, file: str, verdict: str, reason: str) -> Case:
    """A case that is named in the table, with the reason why it does not count."""
    return Case(name, file, lambda path: Outcome(verdict, reason))


def compared(got: Any, want: Any, tolerance: float) -> Outcome:
    """Right where every number is within an absolute tolerance of the one published."""
    got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
    if got.shape != want.shape:
        return Outcome(WRONG, f"{got.shape} numbers instead of {want.shape}")
    worst = float(np.abs(got - want).max())
    note = f"worst error {worst:.1e} over {want.size} numbers, tolerance {tolerance:g}"
    return Outcome(RIGHT if worst <= tolerance else WRONG, note)  # a nan is not within


def joined(parts: Sequence[tuple[str, Outcome]]) -> Outcome:
    """One outcome of several checks: right where all are."""
    verdict = RIGHT if all(part.verdict == RIGHT for _, part in parts) else WRONG
    return Outcome(verdict, "; ".join(f"{name}: {part.note}" for name, part in parts))


def table(results: Sequence[tuple[str, Sequence[tuple[str, Outcome]]]]) -> str:
    """A row of counts per suite, then every case with its note, by verdict."""
    lines = ["".join(f"{word:>20}" for word in ("suite", "cases run", *COLUMNS))]
    for suite, outcomes in results:
        counts = Counter(outcome.verdict for _, outcome in outcomes)
        run = counts[RIGHT] + counts[WRONG]
        lines.append("".join(f"{cell:>20}" for cell in (suite, run, *(counts[c] for c in COLUMNS))))
    for verdict in COLUMNS:
        lines += _listed(verdict, results)
    return "\n".join(lines)


def _listed(verdict: str, results: Sequence[tuple[str, Sequence[tuple[str, Outcome]]]]) -> list[str]:
    found = []
    for suite, outcomes in results:
        wanted = [(name, outcome.note) for name, outcome in outcomes if outcome.verdict == verdict]
        lines = _by_note(wanted) if len(outcomes) > LONG and verdict != WRONG else _each(wanted)
        found += [f"  {suite}/{line}" for line in lines]
    return ["", f"{verdict}:", *found] if found else []


def _each(outcomes: Sequence[tuple[str, str]]) -> list[str]:
    return [f"{name}: {note}" for name, note in outcomes]


def _by_note(outcomes: Sequence[tuple[str, str]]) -> list[str]:
    """A line for each note, the most frequent first, with the functions whose cases it is of."""
    groups: dict[str, Counter[str]] = {}
    for name, note in outcomes:
        groups.setdefault(note, Counter())[name.rsplit("/", 1)[0]] += 1
    ordered = sorted(groups.items(), key=lambda item: -item[1].total())
    return [
        f"{', '.join(f'{name} {count}' for name, count in found.items())}: {found.total()} {note}".rstrip()
        for note, found in ordered
    ]
