"""Where choices are kept: a table that is shipped, and a folder of the user's. Both are JSON, read as data.

A file that is not what it should be is ignored with a warning. The form in a file of the user's is computed on the
grid and compared with the region as written before it is used.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from graphc.errors import ParseError
from graphc.ir.node import engine
from graphc.ops.machine import known_machine
from graphc.symbolic.regions.form import Form, read_form
from graphc.symbolic.regions.prices import PRICES

VERSION = 2
"""Of the search: a change of what is tried or how it is measured counts it up."""

LARGEST_FILE = 200_000

SHIPPED = Path(__file__).with_name("shipped.json")


@dataclass(frozen=True)
class Stored:
    """A choice as it is kept."""

    form: Form
    how: str
    error: float
    written_error: float
    losers: tuple[tuple[Any, ...], ...]
    found: int

    def data(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "form": self.form.data(),
            "how": self.how,
            "error": self.error,
            "written_error": self.written_error,
            "losers": [list(row) for row in self.losers],
            "found": self.found,
        }


def stored_choice(choice: Any) -> Stored:
    """What is kept of a choice; prices are not, they follow from the form."""
    losers = tuple((loser.how, loser.price, loser.why) for loser in choice.losers)
    error, written = float(f"{choice.error:.3g}"), float(f"{choice.written_error:.3g}")
    return Stored(choice.form, choice.how, error, written, losers, choice.found)


def read_stored(data: Any) -> Stored:
    """A choice from JSON.

    Raises:
        ParseError: it is not one.
    """
    try:
        losers = tuple((str(how), float(price), str(why)) for how, price, why in data["losers"])
        errors = float(data["error"]), float(data["written_error"])
        return Stored(read_form(data["form"]), str(data["how"]), *errors, losers, int(data["found"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ParseError("this is not a choice of a form", given=f"{data!r:.120}") from error


def recall(form: Form, dtype: str) -> Stored | None:
    """What is known of a region; the shipped table was chosen by its own prices, not by measured ones."""
    ready = {} if known_machine().prices else shipped()
    return ready.get(key_of(form, dtype)) or _from_file(form, dtype)


def remember(form: Form, dtype: str, stored: Stored) -> None:
    """Keep a choice in the user's folder, if there is one that can be written to, and if it would be believed."""
    folder = cache_folder()
    if folder is None or not _computes_the_same(stored.form, form, dtype):
        return
    text = json.dumps({"region": form.data(), "dtype": dtype, "choice": stored.data()}, indent=1)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / file_name(form, dtype), text)
    except OSError:
        return  # a cache that cannot be written is no reason to stop


def _write(path: Path, text: str) -> None:
    """The whole file or none of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def cache_folder() -> Path | None:
    """``$GRAPHC_CACHE``, or ``graphc`` in the user's folder for caches; None where the variable is empty."""
    given = os.environ.get("GRAPHC_CACHE")
    if given is not None:
        return Path(given) / "regions" if given else None
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 (never raises)
    return Path(home) / "graphc" / "regions"


def key_of(form: Form, dtype: str) -> str:
    """A region by its structure."""
    return json.dumps([dtype, form.data()], separators=(",", ":"))


def file_name(form: Form, dtype: str) -> str:
    """Of what the choice depends on: the region, the prices, the search and what computes."""
    parts = [
        VERSION,
        key_of(form, dtype),
        sorted({**PRICES, **known_machine().prices}.items()),
        np.__version__,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:40] + ".json"


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, Stored]:
    """The table that comes with graphc, by key."""
    entries = json.loads(SHIPPED.read_text(encoding="utf-8")) if SHIPPED.exists() else []
    return {key_of(read_form(e["region"]), e["dtype"]): read_stored(e["choice"]) for e in entries}


def _from_file(form: Form, dtype: str) -> Stored | None:
    folder = cache_folder()
    path = None if folder is None else folder / file_name(form, dtype)
    if path is None or not path.is_file():
        return None
    try:
        return _checked(path, form, dtype)
    except (OSError, ValueError, ParseError, RecursionError) as error:
        text = f"{path} is not what it should be ({error}); the form is derived anew"
        warnings.warn(text, RuntimeWarning, stacklevel=2)
        return None


def _checked(path: Path, form: Form, dtype: str) -> Stored:
    if path.stat().st_size > LARGEST_FILE:
        raise ValueError("too large")
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict) or data.get("dtype") != dtype or read_form(data.get("region")) != form:
        raise ValueError("it is of another region")
    stored = read_stored(data.get("choice"))
    if not _computes_the_same(stored.form, form, dtype):
        raise ValueError("its form computes something else")
    return stored


def _computes_the_same(found: Form, form: Form, dtype: str) -> bool:
    """Whether a form has the inputs, kept values and outputs of a region, and its values on the grid."""
    same = (found.kinds, found.kept, found.steps[: form.kept]) == (
        form.kinds,
        form.kept,
        form.steps[: form.kept],
    )
    if not same or len(found.outputs) != len(form.outputs):
        return False
    if not all(new <= old for new, old in zip(found.supports(), form.supports(), strict=True)):
        return False
    from graphc.symbolic.regions.grid import computed, grid

    with engine(), np.errstate(all="ignore"):
        arrays = grid(form.kinds, dtype)
        pairs = zip(computed(found, arrays, dtype), computed(form, arrays, dtype), strict=True)
        room = np.sqrt(np.finfo(dtype).eps)
        return all(
            bool(np.all(~np.isfinite(b) | (np.abs(a - b) <= room * np.maximum(1, np.abs(b)))))
            for a, b in pairs
        )
