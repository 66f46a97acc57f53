"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest
import importlib

import pytest

from graphc import datasets


@pytest.mark.parametrize("name", ["dataset", "bundled", "synthetic", "files"])
def test_docstring_examples(name: str):
    found = doctest.testmod(importlib.import_module(f"graphc.datasets.{name}"))
    assert found.attempted
    assert not found.failed


@pytest.mark.parametrize("name", [name for name in datasets.__all__ if name != "Dataset"])
def test_public_functions_say_all_that_is_promised(name: str):
    text = getattr(datasets, name).__doc__
    for part in ("Returns:", "Example:", "Source:", "float"):
        assert part in text, f"{name}: {part}"
