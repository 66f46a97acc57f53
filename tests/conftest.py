"""Settings and fixtures for every test."""

from __future__ import annotations

import os

# Read by BLAS when NumPy is first imported, so this precedes every import that may bring NumPy in.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[_name] = "1"
os.environ["MPLBACKEND"] = "Agg"
os.environ.setdefault("GRAPHC_CACHE", "")  # no form of a region outlives the process

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import REPO, find_case


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as CONTRIBUTING says."""
    from tests.test_site import build

    target = tmp_path_factory.mktemp("site")
    done = build(REPO / "docs", target)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture(scope="session")
def cases() -> Callable[..., Path]:
    """A function of path parts: the external case there, or the test is skipped with the reason."""

    def path_of(*parts: str) -> Path:
        path, reason = find_case(*parts)
        if path is None:
            pytest.skip(reason)
        return path

    return path_of
