"""A real Chromium, driven through its debugging protocol; without one these tests skip."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import graphc as gx
from graphc import nn
from tests.browser.support import Page

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--window-size=1500,950",
)  # fmt: skip


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        pytest.skip("there is no Chromium here (Debian: apt-get install chromium chromium-driver)")
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    found = webdriver.Chrome(options=options, service=Service(chromedriver))
    yield found
    found.quit()


@pytest.fixture(scope="session")
def network():
    """A network of three layers, and one batch."""
    x = gx.input("x", ("batch", 6))
    t = gx.input("t", ("batch",), dtype="int64")
    h = nn.dense(x, 5, activation="relu", name="first")
    h = nn.dense(h, 4, activation="tanh", name="second")
    logits = nn.dense(h, 3, name="output")
    random = np.random.default_rng(0)
    batch = random.standard_normal((8, 6)).astype("float32"), random.integers(0, 3, 8)
    return gx.Model(logits, nn.cross_entropy(logits, t), name="viewed"), batch


@pytest.fixture(scope="session")
def written(tmp_path_factory, network):
    model, batch = network
    return model.view(tmp_path_factory.mktemp("view") / "viewed.html", values=batch, layout="fresh").path


@pytest.fixture
def page(driver, written):
    return Page(driver, written)
