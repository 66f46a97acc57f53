"""What several test files share: where the cases from elsewhere are."""

from __future__ import annotations

import os
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]


def cases_root() -> Path | None:
    """The folder of cases made by others: GRAPHC_CASES, else ../shared/cases; None where it is absent."""
    root = Path(os.environ.get("GRAPHC_CASES") or REPO.parent / "shared" / "cases")
    return root if root.is_dir() else None


def find_case(*parts: str) -> tuple[Path | None, str]:
    """A file or folder under the cases, or None with the reason: safe to call while tests are collected."""
    root = cases_root()
    if root is None:
        return None, "external cases are absent (set GRAPHC_CASES or put them at ../shared/cases)"
    path = root.joinpath(*parts)
    if not path.exists():
        return None, f"no external case {'/'.join(parts)} in GRAPHC_CASES or ../shared/cases"
    return path, ""
