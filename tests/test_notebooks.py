"""The notebooks of ``examples/``: they run from first to last, and are stored without what they printed."""

from __future__ import annotations

import pytest

from tests.support import REPO

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")

NOTEBOOKS = sorted((REPO / "examples").glob("*.ipynb"))
SHOWN = {
    "backprop_by_hand": {"text/html", "text/latex", "text/markdown", "image/svg+xml", "image/png"},
    "your_own_activation_and_optimizer": {"text/html", "image/png"},
}


def read(path):
    return nbformat.read(path, as_version=4)


def test_there_are_two():
    assert [path.stem for path in NOTEBOOKS] == sorted(SHOWN)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_output(path):
    book = read(path)
    nbformat.validate(book)
    assert book.metadata.kernelspec.name == "python3"
    for cell in book.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.full
@pytest.mark.filterwarnings("default")  # what the client of the kernel warns of is its own
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path):
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    book = read(path)
    nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in book.cells for output in cell.get("outputs", ())]
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert kinds >= SHOWN[path.stem]
    assert not [o for o in outputs if o.output_type == "error"]
    assert not list(tmp_path.iterdir())  # nothing is left behind
