"""The lines that make buffers, each with how long it is needed, in numbers and names that a reader can follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphc.codegen.statements import MAX_WIDTH

END = 999_999
"""The place of what is needed to the end of a section of a step; the next section begins behind it."""

Buffer = tuple[str, str, str, int, int]
"""Its name, shape and dtype, and the first and the last place that needs it."""


def buffer_lines(buffers: Sequence[Buffer], called: Mapping[int, str]) -> list[str]:
    """The call of ``_buffers``: places as numbers that follow each other, and what is computed at the last of them."""
    if not buffers:
        return []
    left = ", ".join(name for name, *_ in buffers)
    number = _numbers([place for *_, first, last in buffers for place in (first, last)])
    specs = [
        _commented(f"    ({shape}, np.{dtype}, {number[first]}, {number[last]}),", called.get(last, ""))
        for _, shape, dtype, first, last in buffers
    ]
    target = f"[{left}] = " if len(left) < MAX_WIDTH - 24 else ""
    if target:
        return [f"{target}_buffers(", *specs, ")"]
    return ["[", *(f"    {name}," for name, *_ in buffers), "] = _buffers(", *specs, ")"]


def _commented(line: str, last: str) -> str:
    """A line that says for whom the buffer is read last."""
    text = f"{line}  # until {last}"
    return text if last.isidentifier() and len(text) < MAX_WIDTH - 4 else line


def _numbers(places: Sequence[int]) -> dict[int, int]:
    """The places of several sections one after the other, as numbers from 0."""
    sections: dict[int, int] = {}
    for place in places:
        section, local = divmod(place, END + 1)
        if local != END:
            sections[section] = max(sections.get(section, 0), local + 1)
    start, starts = 0, {}
    for section in sorted({place // (END + 1) for place in places}):
        starts[section] = start
        start += sections.get(section, 0) + 1
    return {p: _number(p, starts, sections) for p in places}


def _number(place: int, starts: Mapping[int, int], sections: Mapping[int, int]) -> int:
    section, local = divmod(place, END + 1)
    return starts[section] + (sections.get(section, 0) if local == END else local)
