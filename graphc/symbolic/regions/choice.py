"""The choice of a form: the cheapest that is nowhere less accurate than the region as written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from graphc.errors import ParseError
from graphc.ir.node import engine
from graphc.symbolic.regions.form import Form
from graphc.symbolic.regions.store import Stored, recall, remember, stored_choice

GAIN = 0.01
"""Nanoseconds that a form must save to take the place of the one that is written."""

TRIED = 24
"""Forms whose error is measured, the cheapest first."""


@dataclass(frozen=True)
class Loser:
    """A form that was cheaper and did not win."""

    how: str
    price: float
    why: str


@dataclass(frozen=True)
class Choice:
    """What became of a region.

    Attributes:
        form: the form that is computed.
        how: how it came about; ``as written`` where nothing better was found.
        dtype: float32 or float64.
        price: nanoseconds an element.
        written: those of the region as written.
        error: the worst scaled error, |err| / (eps max(1, |f|)); negative where none had to be measured.
        written_error: that of the region as written.
        losers: cheaper forms and why they did not win, the cheapest first.
        found: how many forms were made.
    """

    form: Form
    how: str
    dtype: str
    price: float
    written: float
    error: float
    written_error: float
    losers: tuple[Loser, ...]
    found: int

    def __str__(self) -> str:
        """In one line, for a trace."""
        changed = f"{self.price:.2f} ns an element instead of {self.written:.2f}"
        text = (
            f"{self.how}: {self.price:.2f} ns an element"
            if self.how == AS_WRITTEN
            else f"{self.how}: {changed}"
        )
        if self.written_error >= 0:
            text += f", worst error {self.error:.2g} eps"
        if self.how != AS_WRITTEN:
            text += f" instead of {self.written_error:.2g}"
        return f"{text}; {self.found} other forms, {len(self.losers)} of them cheaper but not as accurate"


AS_WRITTEN = "as written"


def choose(form: Form, dtype: str) -> Choice:
    """The best form of a region: from the table that is shipped, from the user's cache, or derived now."""
    return _chosen(form, dtype)


@lru_cache(maxsize=4096)
def _chosen(form: Form, dtype: str) -> Choice:
    stored = recall(form, dtype)
    if stored is not None:
        return _from(stored, form, dtype)
    choice = derive(form, dtype)
    remember(form, dtype, stored_choice(choice))
    return choice


def derive(form: Form, dtype: str) -> Choice:
    """The best form, found by SymPy and measured against mpmath, whatever is stored."""
    try:
        return _derived(form, dtype)
    except ParseError as error:  # no exact value is known of a card
        return as_written(form, dtype, losers=(Loser("other forms", 0.0, error.what),))


def _derived(form: Form, dtype: str) -> Choice:
    from graphc.symbolic.regions.accuracy import (
        agrees_at_extremes,
        as_accurate,
        error_of,
        reference,
        sound_error,
        warns_more,
    )
    from graphc.symbolic.regions.candidates import candidates

    written = form.price(dtype)
    with engine():
        made = candidates(form, dtype)
        cheaper = [c for c in made if c.form.price(dtype) <= written - GAIN][:TRIED]
        if not cheaper:
            return as_written(form, dtype, found=len(made))
        exact = reference(form, dtype)
        bound, sound = error_of(form, exact).scaled, sound_error(form, exact)
        losers = []
        for candidate in cheaper:
            error = error_of(candidate.form, exact).scaled
            price = candidate.form.price(dtype)
            if not as_accurate(candidate.form, exact):
                why = f"worst error {error:.2g} eps, as written {bound:.2g}"
                where = "" if sound == bound else f", {sound:.2g} where that keeps half of its digits"
                losers.append(Loser(candidate.how, price, why + where))
            elif warns_more(candidate.form, exact):
                losers.append(Loser(candidate.how, price, "a warning that the written form never gives"))
            elif not agrees_at_extremes(candidate.form, exact):
                losers.append(Loser(candidate.how, price, "another value at an infinity or a nan"))
            else:
                found = (error, bound, tuple(losers), len(made))
                return Choice(candidate.form, candidate.how, dtype, price, written, *found)
    return as_written(form, dtype, bound, tuple(losers), len(made))


def as_written(
    form: Form, dtype: str, error: float = -1.0, losers: tuple[Loser, ...] = (), found: int = 0
) -> Choice:
    """The choice of leaving a region as it is."""
    price = form.price(dtype)
    return Choice(form, AS_WRITTEN, dtype, price, price, error, error, losers, found)


def _from(stored: Stored, form: Form, dtype: str) -> Choice:
    price, written = stored.form.price(dtype), form.price(dtype)
    losers = tuple(Loser(*row) for row in stored.losers)
    errors = (stored.error, stored.written_error)
    return Choice(stored.form, stored.how, dtype, price, written, *errors, losers, stored.found)
