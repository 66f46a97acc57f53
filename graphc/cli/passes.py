"""``graphc opt`` and ``graphc diff``: graphs as text, through the passes, and held against each other."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from graphc.cli.console import paint
from graphc.cli.models import read_model
from graphc.cli.shown import difference
from graphc.errors import ParseError, UsageError
from graphc.explanation.difference import changes
from graphc.ir.graph import Graph
from graphc.ir.node import engine
from graphc.ir.reader import MAX_CHARACTERS
from graphc.rewrite.driver import Trace
from graphc.rewrite.pipeline import GROUPS, PASSES, Pass, run
from graphc.stages import parse, resolve


def opt(options: Namespace) -> int:
    """Run passes over a graph, and print its text at the end or after each."""
    passes = passes_named(options.passes)
    graph = resolve(read_graph(options.file), options.mode)
    if not options.print_after_each:
        with engine():
            print(run(graph, passes, options.level), end="")
        return 0
    print(f"{paint('# before', 'bold')}\n{graph}")
    for step in passes:
        trace = Trace()
        with engine():
            after = run(graph, (step,), options.level, trace)
        same = after.roots == graph.roots
        print(paint(f"# after {step.__name__}: {'nothing changed' if same else _fired(trace)}", "bold"))
        print("" if same else str(after))
        graph = after
    return 0


def _fired(trace: Trace) -> str:
    fired = [f"{rule} ({count})" if count > 1 else rule for rule, count in trace.fired().items()]
    return ", ".join(fired) or "no rule fired, but nodes were replaced"


def passes_named(text: str) -> tuple[Pass, ...]:
    """The passes that a list of names stands for.

    Raises:
        UsageError: a name of none.
    """
    found: list[Pass] = []
    for name in text.split(","):
        word = name.strip().replace("-", "_")
        if word not in PASSES and word not in GROUPS:
            raise UsageError(
                f"--passes: there is no pass {name.strip()!r}", fix=f"one of {', '.join([*PASSES, *GROUPS])}"
            )
        found += GROUPS.get(word, ()) or [PASSES[word]]
    return tuple(found)


def diff(options: Namespace) -> int:
    """Print what lies between two graphs; 1 where they differ."""
    found = changes(read_graph(options.before), read_graph(options.after))
    print(difference(found))
    return 0 if found.empty else 1


def read_graph(spec: str) -> Graph:
    """The graph of a text, or of a model: its loss with all gradients.

    Raises:
        UsageError: no such file, or one that is no text of a graph.
    """
    if spec.endswith((".py", ".gx")) or ".py:" in spec:
        model = read_model(spec)
        return model.graph if model.loss is None else model.training_graph()
    text = _text(spec)
    try:
        return parse(text)
    except ParseError as error:
        raise UsageError(
            f"{_called(spec)}: {error.what}", given=error.given, expected=error.expected, where=error.where
        ) from error


def _called(spec: str) -> str:
    return "standard input" if spec == "-" else spec


def _text(spec: str) -> str:
    """What a file or standard input holds; never more than a graph may have."""
    path = Path(spec)
    if spec != "-" and not path.is_file():
        raise UsageError(
            f"there is no file {spec}", fix="name the text of a graph, FILE.py[:NAME] or FILE.gx"
        )
    try:
        if spec == "-":
            return sys.stdin.read(MAX_CHARACTERS + 1)
        with path.open(encoding="utf-8") as file:
            return file.read(MAX_CHARACTERS + 1)
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{_called(spec)} is not text in UTF-8", fix="graphc show MODEL --what ir > FILE"
        ) from error
