"""``LiveView``: a page that shows a run while it goes on."""

from __future__ import annotations

import re
import sys
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from math import hypot
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import ArgumentError, GraphcError
from graphc.render.figure import BACKWARD, FORWARD
from graphc.train.callbacks import Callback, Row
from graphc.train.feed import Feed
from graphc.train.layers import look_at, looking_program, spread
from graphc.train.serve import Server

if TYPE_CHECKING:
    from graphc.train.run import Run

INTERVAL = 0.25
"""Seconds between two points of the curves."""

SHARE = 0.005
"""Of the time of training that looking at layers may take, as long as somebody reads."""

READING, FAREWELL = 3.0, 2.0
"""Seconds after which a reader that asks nothing has left; and how long the end waits for one that has not."""

BINS = 16


class LiveView(Callback):
    """A page on this machine that shows a run while it goes on, and closes with it.

    It shows the loss of the steps, the metrics of the epochs, the learning rate, the norm of the gradient, and on the
    figure of the model, layer by layer, the activations (mean, deviation, share of zeros, histogram) and the norms of
    the gradients of its parameters. The page is served on 127.0.0.1 alone and asks for nothing elsewhere. Training is
    the same to the last bit. Layers are looked at only while somebody reads, for at most a two-hundredth of the time.

    Args:
        port: 0 for any that is free.
        open_browser: show it in the browser at once.

    Attributes:
        url: where it is, while training runs; also told on standard error.

    Raises:
        ArgumentError: a port that is none, or (when training starts) is taken.

    Example:
        >>> import numpy as np
        >>> import graphc as gx
        >>> x, t = gx.input("x", ("n", 2)), gx.input("t", ("n", 1))
        >>> y = gx.nn.dense(x, 1, name="line")
        >>> view = gx.train.LiveView()
        >>> history = gx.Model(y, gx.nn.mse(y, t)).fit(np.eye(2), np.ones((2, 1)), callbacks=[view], verbose=False)
        >>> view.url
        ''
    """

    def __init__(self, port: int = 0, open_browser: bool = False) -> None:
        if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port < 65536:
            raise ArgumentError("a port is an int from 0 to 65535", given=repr(port))
        self.port, self.open_browser = port, open_browser
        self.url = ""
        self._server: Server | None = None

    def on_train_begin(self, run: Run) -> None:
        """Draw the model, compile what is looked at, and begin to serve."""
        self._close()
        svg, boxes = _figure(run.model)
        about = {"name": run.model.name, "epochs": run.position.first + run.epochs, "boxes": boxes}
        self._feed = Feed(about)
        for row in run.history.rows:
            self._feed.add_row(row)
        self._program = looking_program(run.model)
        self._losses: list[float] = []
        self._next = self._look = perf_counter()
        self._warm = False  # the first look is slower than the others
        answers = {
            "/data.json": lambda n: self._feed.since(
                *(n.get(k, 0) for k in ("version", "points", "rows", "norms"))
            ),
            "/about.json": lambda n: self._feed.about(),
            "/figure.svg": lambda n: svg.encode(),
        }
        self._server = Server(self.port, answers, _style(svg))
        self.url = self._server.url
        sys.stderr.write(f"graphc: watch it at {self.url}\n")
        if self.open_browser:
            webbrowser.open(self.url)

    def on_steps_end(self, run: Run, losses: Sequence[float]) -> None:
        """Keep the losses; now and then, a point of the curves and a look at the layers."""
        self._losses.extend(losses)
        now = perf_counter()
        if now >= self._next:
            self._next = now + INTERVAL
            self._point(run)
            if now >= self._look and monotonic() - self._feed.asked < READING:
                self._look_at_layers(run)
                took = perf_counter() - now
                self._look = now + took / (SHARE if self._warm else 10 * SHARE)
                self._warm = True

    def on_epoch_end(self, run: Run, row: Row) -> None:
        """The scores of the epoch."""
        self._feed.add_row(row)

    def on_train_end(self, run: Run) -> None:
        """Show the end to who is reading, then close."""
        if self._server is None:
            return
        if self._losses:
            self._point(run)
        self._feed.end(run.history.stopped)
        if monotonic() - self._feed.asked < READING:
            self._feed.delivered.wait(FAREWELL)
        self._close()

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server, self.url = None, ""

    def _point(self, run: Run) -> None:
        self._feed.add_point(run.epoch, run.step, self._losses, run.rate)
        self._losses = []

    def _look_at_layers(self, run: Run) -> None:
        if run.before is None:
            return
        found = look_at(self._program, run)
        gradients = {name: spread(g).norm for name, g in found["gradients"].items()}
        layers = {name: {**asdict(spread(a)), **_histogram(a)} for name, a in found["activations"].items()}
        look = {"activations": layers, "gradients": gradients}
        self._feed.add_look(run.step, hypot(*gradients.values()), look)


def _histogram(array: Any) -> dict[str, Any]:
    """Counts between the least and the largest element; none where one is not finite."""
    values = np.asarray(array)
    with suppress(ValueError):  # of numpy, for a range that is not finite
        counts, edges = np.histogram(values, BINS)
        return {"counts": counts.tolist(), "low": float(edges[0]), "high": float(edges[-1])}
    return {"counts": []}


def _figure(model: Any) -> tuple[str, list[dict[str, Any]]]:
    """The picture of the layers, and for each box the layer that it shows; nothing where it cannot be laid out."""
    drawing = model.draw(level="model", legend=False)
    try:
        svg = drawing.svg[drawing.svg.index("<svg") :]
    except GraphcError:
        return "", []
    boxes = [
        {"id": f"box{box.key}", "layer": box.title.removeprefix("∂ "), "backward": column == BACKWARD}
        for row in drawing.figure.rows
        for column in (FORWARD, BACKWARD)
        for box in row.columns.get(column, ())
        if box.kind != "input"
    ]
    return svg, boxes


def _style(svg: str) -> str:
    found = re.search(r"<style>(.*?)</style>", svg, re.DOTALL)
    return found[1] if found else ""
