"""How the blocks of the documents are run by the tests.

``python`` is run; where its first line is a comment with the name of a file, such as ``# net.py``, it is written to
that file as well. ``sh`` is run line by line: the command line of graphc, and programs that ``python -I`` runs.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser, SkipParser
from sybil.parsers.rest import DocTestParser

FILE = re.compile(r"# (\w+\.py)\n")


def parsers() -> list[Any]:
    """For Sybil."""
    return [
        CodeBlockParser("python", run_code),
        CodeBlockParser("sh", run_commands),
        DocTestParser(),
        SkipParser(),
    ]


def run_code(example: Any) -> None:
    """Run a block, and write it to its file where it names one."""
    found = FILE.match(str(example.parsed))
    if found:
        Path(found[1]).write_text(str(example.parsed), encoding="utf-8")
    PythonEvaluator()(example)


def run_commands(example: Any) -> None:
    """Run each line of a block; it fails where one does."""
    for line in str(example.parsed).splitlines():
        words = shlex.split(line, comments=True)
        if words[:2] == ["python", "-I"]:
            subprocess.run([sys.executable, *words[1:]], check=True, capture_output=True)
        elif words:
            assert _graphc(words) == 0, line


def _graphc(words: list[str]) -> int:
    from graphc.cli import main

    assert words[0] == "graphc", f"the tests run only graphc and python -I, not {words[0]}"
    return main(words[1:])
