"""One page in a browser, and what a test asks of it."""

from __future__ import annotations

import json
from pathlib import Path


class Page:
    """One file in the browser."""

    def __init__(self, driver, path: Path) -> None:
        self.driver = driver
        self.requests()  # what the page before it asked for
        self.problems()
        driver.get(path.as_uri())

    def __call__(self, script: str, *arguments):
        """The value of a script's expression."""
        return self.driver.execute_script(f"return ({script})", *arguments)

    def do(self, script: str) -> None:
        """Run a script."""
        self.driver.execute_script(script)

    def one(self, selector: str):
        return self.driver.find_element("css selector", selector)

    def point(self, selector: str) -> None:
        """Move the pointer to an element that stands where it can be seen."""
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver, duration=0).move_to_element(self.one(selector)).perform()

    def press(self, *keys: str) -> None:
        """Keys, to what has the focus."""
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def lit(self) -> dict[str, list[str]]:
        """What is lit in each pane: titles of boxes, numbers of equations, numbers of lines."""
        return self("""{
            boxes: [...document.querySelectorAll(".box.lit")].map((e) => data.boxes[e.dataset.box].title).sort(),
            equations: [...document.querySelectorAll("#derivation .eq.lit")].map((e) => e.id.slice(2)),
            lines: [...document.querySelectorAll(".line.lit")].map((e) => e.querySelector("code").textContent.trim()),
        }""")

    def problems(self) -> list[str]:
        """Errors on the console since the last time."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Everything that was asked for since the last time, the file itself included."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return [url for url in asked if not url.startswith("chrome:")]  # the browser's own pictures
