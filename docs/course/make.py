"""Runs the chapters of the course: writes below each block what it prints, and the pictures that its code draws.

    python -m docs.course.make                   # every chapter
    python -m docs.course.make 03 09             # some of them
    python -m docs.course.make --png FOLDER      # the pictures as .png in a folder, to look at; chapters stay

A block fenced as ``python`` is code. The block right below it, if it is fenced as one of these, is what it prints:
``py`` a listing and ``text`` a derivation, both exact; ``console`` the numbers of a run, which end a little elsewhere
on another processor. The tests run the same blocks with ``parsers()`` and compare.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from sybil import Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser

HERE = Path(__file__).resolve().parent
EXACT, RUN = ("py", "text"), "console"
NUMBER = re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?")
RELATIVE, UNITS = 0.1, 2
"""How far a printed number of a training run in float32 may lie from the one in the chapter: by a share of it, and by
units of its last digit."""


def chapters() -> list[Path]:
    """The chapters, in order."""
    return sorted(HERE.glob("[0-9][0-9]_*.md"))


def parsers() -> list[Any]:
    """For Sybil: code blocks, and blocks of what they print, each with its evaluator."""
    shown = [CodeBlockParser(language, _compare) for language in (*EXACT, RUN)]
    return [CodeBlockParser("python", _run), *shown]


def _run(example: Any) -> None:
    """Run a block of code and keep what it prints for the block below."""
    _nothing_left(example.namespace)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        PythonEvaluator()(example)
    example.namespace["_printed"] = printed.getvalue()
    if example.start == max(other.start for other in example.document.examples()):
        _nothing_left(example.namespace)


def _compare(example: Any) -> str | None:
    """Compare a block with what the code above it printed; the text of the difference, or None."""
    printed = example.namespace.pop("_printed", "")
    if example.region.lexemes["arguments"] == RUN:
        return None if _near(str(example.parsed), printed) else _difference(example.parsed, printed)
    return None if str(example.parsed).strip() == printed.strip() else _difference(example.parsed, printed)


def _nothing_left(namespace: dict[str, Any]) -> None:
    printed = namespace.pop("_printed", "")
    assert not printed.strip(), f"no block in the chapter shows what was printed:\n{printed}"


def _near(shown: str, printed: str) -> bool:
    """The same words, and numbers near each other."""
    a, b = (" ".join(text.split()) for text in (shown, printed))
    if NUMBER.sub("#", a) != NUMBER.sub("#", b):
        return False
    pairs = zip(NUMBER.findall(a), NUMBER.findall(b), strict=True)
    return all(abs(float(x) - float(y)) <= _margin(x) for x, y in pairs)


def _margin(number: str) -> float:
    """The margin of a number as it is written: 0.98 has units of 0.01, 2.6e-05 of 0.1e-05."""
    mantissa, _, exponent = number.partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return RELATIVE * abs(float(number)) + UNITS * unit


def _difference(shown: Any, printed: str) -> str:
    return f"the chapter shows:\n{shown}\nits code prints:\n{printed}\nrun python -m docs.course.make"


def written(path: Path) -> str:
    """The chapter with what its blocks print now; pictures go to the current folder."""
    text = path.read_text(encoding="utf-8")
    document = Sybil(parsers=parsers()).parse(path)
    namespace, places = document.namespace, []
    for example in document.examples():
        if example.region.lexemes["arguments"] == "python":
            _run(example)
        else:
            found = namespace.pop("_printed", "").strip("\n")
            places.append((example.start, example.end, example.region.lexemes["arguments"], found))
    for start, end, language, found in reversed(places):
        tail = "" if text[start:end].endswith("```") else "\n"
        text = f"{text[:start]}```{language}\n{found}\n```{tail}{text[end:]}"
    return text


def make(path: Path) -> None:
    """Write a chapter and its pictures. Twice where its lines moved, as derivations name them."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for _ in range(3):
            before, after = path.read_text(encoding="utf-8"), written(path)
            path.write_text(after, encoding="utf-8")
            if after.count("\n") == before.count("\n"):
                break
        for picture in Path(folder).glob("*.svg"):
            shutil.copy(picture, HERE)


def make_png(path: Path, folder: Path) -> None:
    """The pictures of a chapter as ``.png`` in a folder."""
    copy = folder / path.name
    copy.write_text(path.read_text(encoding="utf-8").replace('.svg"', '.png"'), encoding="utf-8")
    with contextlib.chdir(folder):
        written(copy)


def _settle() -> None:
    """The same bytes each time: one thread, and pictures without a date or random names."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "graphc"


def main(arguments: list[str]) -> None:
    """Write the chapters whose names begin with one of the arguments, or all."""
    folder = Path(arguments.pop(1)).resolve() if arguments[:1] == ["--png"] else None
    wanted = tuple(a for a in arguments if a != "--png") or ("",)
    _settle()
    for path in (p for p in chapters() if p.name.startswith(wanted)):
        print(path.name, flush=True)  # noqa: T201
        make(path) if folder is None else make_png(path, folder)


if __name__ == "__main__":
    os.environ.update({"SOURCE_DATE_EPOCH": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    main(sys.argv[1:])
