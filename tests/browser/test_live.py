"""The live view in a real browser: curves and statistics appear while training runs, and nothing else is asked for."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

import graphc as gx
from tests.browser.support import Page

pytestmark = pytest.mark.full


class Hold(gx.train.Callback):
    """Keeps a run going until it is let go."""

    def __init__(self):
        self.over = threading.Event()

    def on_epoch_end(self, run, row):
        time.sleep(0.01)
        if self.over.is_set():
            run.stop("seen enough")


@pytest.fixture
def running(network):
    model, (x, t) = network
    view, hold = gx.train.LiveView(), Hold()
    options = {"epochs": 100_000, "batch_size": 4, "validation_data": (x, t), "callbacks": [view, hold]}
    thread = threading.Thread(target=lambda: model.fit(x, t, verbose=False, **options))
    thread.start()
    while not view.url and thread.is_alive():
        time.sleep(0.01)
    yield view, hold
    hold.over.set()
    thread.join(20)


class Address:
    """A page that is no file."""

    def __init__(self, url):
        self.url = url

    def as_uri(self):
        return self.url


def until(page, script, seconds=20):
    end = time.monotonic() + seconds
    while not (found := page(script)) and time.monotonic() < end:
        time.sleep(0.05)
    assert found, script
    return found


def test_a_run_is_watched_to_its_end(driver, running):
    view, hold = running
    url = view.url
    page = Page(driver, Address(url))
    until(page, "document.querySelectorAll('#charts figure').length >= 4")
    until(page, "document.querySelectorAll('#figure .beside text').length > 10")
    assert page("document.getElementById('name').textContent") == "viewed"
    assert page("document.querySelectorAll('#figure .bars').length") == 3 * 16
    assert page("document.querySelector('.line').getAttribute('points').split(' ').length") > 1
    page.do("document.querySelector('#charts button').click()")
    assert page("document.querySelector('#charts button').getAttribute('aria-pressed')") == "true"
    hold.over.set()
    until(page, "document.getElementById('status').textContent.startsWith('ended: seen enough')")
    assert page.problems() == []
    asked = {address.partition("?")[0] for address in page.requests() if address.startswith("http")}
    assert asked == {
        url + name for name in ("", "live.css", "live.js", "about.json", "figure.svg", "data.json")
    }


def test_a_value_that_is_not_finite_is_said_to_be_none(driver, running):
    view, _ = running
    page = Page(driver, Address(view.url))
    until(page, "document.querySelectorAll('#figure .beside text').length > 10")
    page.do("seen.layers.activations.first.mean = null; drawLayers()")
    assert page("document.querySelector('#figure .bad').textContent") == "mean not finite"
    assert np.isfinite(page("scale([1, NaN, 3], 0, 10, false).place(3)"))
