"""The docs site as a browser shows it: no page is wider than its window, no picture is missing, nothing is fetched."""

from __future__ import annotations

import pytest

from tests.browser.support import Page
from tests.test_site import needs_sphinx

WIDTHS = (360, 420, 700, 900, 1100, 1200, 1300, 1320, 1400, 1460, 1600)
PAGES = (
    "index", "tour", "rules", "ops", "performance", "comparison", "plots", "activations", "viewer", "howto/figure",
    "reference/nn", "course/01_regression", "course/09_batch_normalisation",
)  # fmt: skip


@needs_sphinx
@pytest.mark.full
@pytest.mark.parametrize("name", PAGES)
def test_no_page_is_wider_than_its_window(driver, site, name):
    page = Page(driver, site / f"{name}.html")
    assert page.problems() == []
    assert {url.partition(":")[0] for url in page.requests()} <= {"file", "data"}
    assert page("[...document.images].filter((i) => i.complete && !i.naturalWidth).map((i) => i.src)") == []
    wide = {}
    try:
        for width in WIDTHS:
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            if (over := page("document.documentElement.scrollWidth - window.innerWidth")) > 0:
                wide[width] = over
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide == {}
