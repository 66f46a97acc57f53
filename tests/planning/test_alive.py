"""What must be alive at the worst moment, counted by hand."""

from __future__ import annotations

import graphc as gx
from graphc.planning.alive import alive_peak

X = gx.input("x", (100,))
A, B = gx.exp(X), gx.tanh(X)


def peak(*order, **options):
    return alive_peak(order, [order[-1]], {}, **options)


def test_two_values_that_are_read_together_are_alive_together():
    assert peak(A, B, A * B, gx.sum(A * B)) == 800


def test_a_pointwise_result_takes_the_place_of_what_dies():
    assert peak(A, gx.sin(A), gx.sin(gx.sin(A)), gx.sum(gx.sin(gx.sin(A)))) == 400


def test_what_is_read_again_does_not_die():
    s = gx.sin(A)
    assert peak(A, s, A * s, gx.sum(A * s)) == 800


def test_a_view_keeps_its_array_alive():
    view = gx.reshape(A, (10, 10))
    assert peak(A, view, B, gx.sum(view), gx.sum(B), gx.sum(view) + gx.sum(B)) == 804


def test_results_count_where_they_are_made_anew():
    assert alive_peak((A, B), [A, B], {}) == 0
    assert alive_peak((A, B), [A, B], {}, counted=True) == 800
