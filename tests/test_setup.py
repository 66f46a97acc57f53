"""The test set-up keeps its promises."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support import REPO, find_case


def test_blas_is_single_threaded():
    assert os.environ["OMP_NUM_THREADS"] == "1"
    code = "import sys, tests.conftest as c; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_cases_follow_the_environment_variable(monkeypatch, tmp_path: Path):
    (tmp_path / "stability").mkdir()
    monkeypatch.setenv("GRAPHC_CASES", str(tmp_path))
    assert find_case("stability") == (tmp_path / "stability", "")
    assert find_case("nothing")[0] is None


def test_absent_cases_say_why(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("GRAPHC_CASES", str(tmp_path / "absent"))
    path, reason = find_case("stability")
    assert path is None
    assert "GRAPHC_CASES" in reason


def test_the_cases_fixture_skips_or_finds(cases):
    assert cases("stability").is_dir()


def test_the_project_is_declared_once():
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == "0.1.0"
    assert project["scripts"] == {"graphc": "graphc.cli:main"}
    assert {name.split(">=")[0] for name in project["dependencies"]} == {
        "graphviz",
        "mpmath",
        "networkx",
        "numpy",
        "sympy",
        "tqdm",
    }


def test_dependencies_have_lower_bounds_only():
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {name: specs for name, specs in project["optional-dependencies"].items() if name != "bench"}
    extras = [spec for group in groups.values() for spec in group]  # what is measured has a version
    assert not [spec for spec in project["dependencies"] + extras if "<" in spec or "==" in spec]


@pytest.mark.full
def test_the_full_set_is_selected_by_its_marker(request):
    assert request.config.getoption("markexpr") == "full"
