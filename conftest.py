"""Every code block of the documents and every example in a docstring is run."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

# Read by BLAS when NumPy is first imported.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[_name] = "1"
os.environ["MPLBACKEND"] = "Agg"
os.environ.setdefault("GRAPHC_CACHE", "")  # no form of a region outlives the process

from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.rest import DocTestParser
from sybil.sybil import SybilCollection

from docs.course.make import parsers as chapter_parsers
from docs.tools.blocks import parsers as document_parsers


def _enter(namespace: dict[str, Any]) -> None:
    """Documents write files; they do so in a folder of their own."""
    namespace["_folder"] = folder = tempfile.TemporaryDirectory()
    namespace["_home"] = str(Path.cwd())
    os.chdir(folder.name)


def _leave(namespace: dict[str, Any]) -> None:
    os.chdir(namespace["_home"])
    namespace["_folder"].cleanup()


_documents = Sybil(
    parsers=document_parsers(),
    patterns=["README.md", "docs/*.md", "docs/howto/*.md"],
    setup=_enter,
    teardown=_leave,
)
_docstrings = Sybil(
    parsers=[DocTestParser()],
    patterns=["graphc/*.py", "graphc/**/*.py"],
    document_types={".py": PythonDocStringDocument},
    setup=_enter,
    teardown=_leave,
)
_chapters = Sybil(parsers=chapter_parsers(), patterns=["docs/course/*.md"], setup=_enter, teardown=_leave)

pytest_collect_file = SybilCollection([_documents, _docstrings, _chapters]).pytest()
