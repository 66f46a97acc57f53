"""Data that lie beside the repository, in the folder named by ``GRAPHC_CASES`` or in ``../shared/cases``."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def found(name):
    """The path of a file of ``datasets``; or None, after a line that says that it is absent."""
    folder = Path(os.environ.get("GRAPHC_CASES", REPOSITORY.parent / "shared" / "cases"))
    path = folder / "datasets" / name
    if path.exists():
        return path
    print(f"skipped: there is no {name} in the folder that GRAPHC_CASES names, nor in ../shared/cases")
    return None
