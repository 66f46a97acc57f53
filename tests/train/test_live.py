"""The live view: what it serves and to whom, that it ends with the run, and that training is the same with it."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from time import monotonic, sleep

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim
from graphc.errors import ArgumentError, NonFiniteError
from graphc.train import live
from graphc.train.feed import MOST, Feed
from graphc.train.serve import HOST, Server

DATA = (np.random.default_rng(0).normal(size=(40, 3)).astype("float32"), np.arange(40) % 2)


def network():
    x, t = gx.input("x", ("batch", 3)), gx.input("t", ("batch",), dtype="int64")
    h = nn.dropout(nn.dense(x, 5, activation="relu", name="block.hidden"), 0.2, name="drop")
    z = nn.dense(h, 2, name="output")
    return gx.Model(z, nn.cross_entropy(z, t), metrics=["accuracy"], name="<b>net</b>")


def get(url, host=None, method="GET"):
    """Status, headers and body."""
    place, path = url.removeprefix("http://").split("/", 1)
    connection = http.client.HTTPConnection(place, timeout=10)
    try:
        connection.request(method, f"/{path}", headers={"Host": host} if host else {})
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()
    finally:
        connection.close()


class Reading(gx.train.Callback):
    """Reads the page from within the run, after each epoch."""

    def __init__(self, view):
        self.view, self.seen = view, []

    def on_epoch_begin(self, run):
        self.url = self.view.url
        self.seen.append(json.loads(get(f"{self.url}data.json")[2]))


@pytest.fixture
def eager(monkeypatch):
    """A point and a look at every step; no waiting for a reader at the end."""
    monkeypatch.setattr(live, "INTERVAL", 0.0)
    monkeypatch.setattr(live, "SHARE", 1e9)
    monkeypatch.setattr(live, "FAREWELL", 0.0)


def watched(model, **options):
    view = gx.train.LiveView()
    reading = Reading(view)
    options = {"epochs": 3, "batch_size": 20, "verbose": False, "callbacks": [view, reading], **options}
    model.fit(*DATA, **options)
    return view, reading


def test_a_reader_sees_curves_layers_and_the_rate(eager, capsys):
    model = network()
    _, reading = watched(model, optimizer=optim.sgd(0.1))
    first, last = reading.seen[0], reading.seen[-1]
    assert first["rows"] == []
    steps = [point[0] for point in last["points"]]  # a point after each stretch, however long that is
    assert steps == sorted(set(steps))
    assert steps[-1] == 4
    assert last["points"][0][4] == 0.1
    assert last["rows"] == [dict(row) for row in model.history.rows[:2]]
    assert last["now"] == {"step": 4, "epoch": 2, "rate": 0.1, "ended": None}
    hidden = last["layers"]["activations"]["block.hidden"]
    assert sum(hidden["counts"]) == 20 * 5
    assert 0 <= hidden["zeros"] <= 1
    norms = last["layers"]["gradients"]
    assert set(norms) == {"block.hidden.W", "block.hidden.b", "output.W", "output.b"}
    assert last["norms"][-1][1] == pytest.approx(np.sqrt(sum(n * n for n in norms.values())))
    assert f"graphc: watch it at {reading.url}" in capsys.readouterr().err


def test_training_is_the_same_to_the_last_bit(eager):
    alone, seen = network(), network()
    alone.fit(*DATA, epochs=3, batch_size=20, verbose=False)
    watched(seen)
    assert seen.history.rows == alone.history.rows
    assert all((seen.params[name] == value).all() for name, value in alone.params.items())


def test_it_closes_with_the_run(eager):
    view, reading = watched(network())
    assert view.url == ""
    with pytest.raises(ConnectionRefusedError):
        get(reading.url)
    assert not [t for t in threading.enumerate() if t.name == "graphc live view"]


def test_it_closes_with_a_run_that_fails(eager):
    view = gx.train.LiveView()
    with pytest.raises(NonFiniteError):
        network().fit(*DATA, optimizer=optim.sgd(1e30), epochs=50, callbacks=[view], verbose=False)
    assert view.url == ""


def test_who_reads_is_told_how_it_ended(monkeypatch):
    view, found = gx.train.LiveView(), []

    def read():
        while not found or found[-1]["now"]["ended"] is None:
            if view.url:
                found.append(json.loads(get(f"{view.url}data.json")[2]))

    reader = threading.Thread(target=read, daemon=True)

    class Slow(gx.train.Callback):
        def on_train_begin(self, run):
            reader.start()

        def on_epoch_end(self, run, row):
            end = monotonic() + 10
            while not found and monotonic() < end:
                pass

    network().fit(*DATA, epochs=2, verbose=False, callbacks=[view, Slow()])
    reader.join(10)
    assert found[-1]["now"]["ended"] == "all 2 epochs done"
    assert len(found[-1]["rows"]) == 2


@pytest.fixture(scope="module")
def server():
    found = Server(0, {"/data.json": lambda n: json.dumps(n).encode()}, "g { fill: red }")
    yield found
    found.close()


def test_it_listens_on_this_machine_alone(server):
    assert server._http.server_address[0] == "127.0.0.1"
    assert server.url == f"http://127.0.0.1:{server.port}/"


@pytest.mark.parametrize(
    "host", ["example.org", "example.org:80", "127.0.0.1", "127.0.0.1.example.org:{port}", "[::1]:{port}"]
)
def test_another_host_is_refused(server, host):
    status, _, body = get(server.url, host.format(port=server.port))
    assert status == 403
    assert b"html" not in body


def test_a_request_without_a_host_is_refused(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert b" 403 " in connection.recv(100)


@pytest.mark.parametrize(
    "path", ["../model.py", "page/live.html", "etc/passwd", "%2e%2e/live.py", "live.js/", "data"]
)
def test_there_is_nothing_else(server, path):
    assert get(server.url + path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_written(server, method):
    assert get(server.url, method=method)[0] == 501


@pytest.mark.parametrize(
    ("path", "kind"), [("", "text/html"), ("live.js", "text/javascript"), ("live.css", "text/css")]
)
def test_the_page_may_load_nothing_from_elsewhere(server, path, kind):
    status, headers, body = get(server.url + path)
    assert status == 200
    assert headers["Content-Type"].startswith(kind)
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self' 'sha256-")
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Origin" not in headers
    text = body.decode().replace("http://www.w3.org/2000/svg", "")
    assert "http:" not in text
    assert "https:" not in text
    assert "innerHTML" not in text
    assert "eval(" not in text


def test_only_whole_numbers_are_read(server):
    body = get(f"{server.url}data.json?version=3&points=-1&rows=1e9&norms=99999999999999&a=1&a=2")[2]
    assert json.loads(body) == {"version": 3, "a": 2}


def test_too_many_fields_are_none(server):
    query = "&".join(f"a{i}=1" for i in range(11))
    assert get(f"{server.url}data.json?{query}")[0] == 200


def test_no_thread_waits_for_a_reader_that_asks_nothing():
    found = Server(0, {}, "")
    idle = [socket.create_connection((HOST, found.port)) for _ in range(5)]
    end = monotonic() + 5
    while len(waiting()) < 5 and monotonic() < end:
        sleep(0.01)
    assert len(waiting()) == 5
    found.close()
    while waiting() and monotonic() < end:
        sleep(0.01)
    assert not waiting()
    for connection in idle:
        connection.close()


def waiting():
    """The threads that answer readers."""
    return [thread for thread in threading.enumerate() if "process_request" in thread.name]


def test_a_taken_port_is_told_of_before_anything_changes(server):
    model = network()
    before = model.params
    with pytest.raises(ArgumentError, match=f"port {server.port} cannot be listened on"):
        model.fit(*DATA, callbacks=[gx.train.LiveView(server.port)], verbose=False)
    assert all((model.params[name] == value).all() for name, value in before.items())


@pytest.mark.parametrize("port", [-1, 65536, "80", True, None])
def test_a_port_is_a_port(port):
    with pytest.raises(ArgumentError, match="a port is an int"):
        gx.train.LiveView(port)


# -- the feed ---------------------------------------------------------------------------------------------------------


def test_a_reader_gets_what_is_new():
    feed = Feed({})
    feed.add_point(1, 10, [1.0, 3.0], 0.1)
    feed.add_row({"epoch": 1, "loss": 2.0})
    feed.add_point(1, 20, [1.0], 0.1)
    whole = json.loads(feed.since(0, 0, 0, 0))
    assert whole["points"] == [[10, 2.0, 1.0, 3.0, 0.1], [20, 1.0, 1.0, 1.0, 0.1]]
    new = json.loads(feed.since(whole["version"], 1, 1, 0))
    assert new["points"] == whole["points"][1:]
    assert new["rows"] == []
    assert new["from"] == [1, 1, 0]


def test_what_is_not_finite_is_null():
    feed = Feed({})
    feed.add_point(1, 1, [float("nan"), float("inf")], 0.1)
    feed.add_look(1, float("inf"), {"a": {"mean": float("nan")}})
    found = json.loads(feed.since(0, 0, 0, 0))
    assert found["points"] == [[1, None, None, None, 0.1]]
    assert found["layers"] == {"a": {"mean": None}}


def test_a_long_run_keeps_its_outline():
    feed = Feed({})
    for step in range(5 * MOST):
        feed.add_point(1, step + 1, [float(step)], 0.1)
        feed.add_look(step, 1.0, {})
    found = json.loads(feed.since(0, 3, 0, 0))
    assert found["version"] > 0
    assert found["from"] == [0, 0, 0]  # merged since this reader asked: it gets all of it
    assert len(found["points"]) <= MOST
    assert found["points"][0][2] == 0.0
    assert found["points"][-1][3] == 5 * MOST - 1
    assert [p[0] for p in found["points"]] == sorted(p[0] for p in found["points"])


def test_the_picture_has_a_box_for_each_layer():
    svg, boxes = live._figure(network())
    layers = {(box["layer"], box["backward"]) for box in boxes}
    assert {("block.hidden", False), ("block.hidden", True), ("output", False), ("output", True)} <= layers
    for box in boxes:
        assert f'id="{box["id"]}"' in svg
    assert "<b>net" not in svg
    assert live._style(svg) in svg


def test_without_a_layout_there_are_curves_alone(monkeypatch, eager):
    from graphc.errors import MissingDependency
    from graphc.render.drawing import Drawing

    def missing(self):
        raise MissingDependency("nothing can lay out a picture")

    monkeypatch.setattr(Drawing, "svg", property(missing))
    _, reading = watched(network())
    assert reading.seen[-1]["points"]


def test_many_short_epochs_keep_their_outline_and_the_last_is_always_shown():
    feed = Feed({})
    for epoch in range(1, 5 * MOST):
        feed.add_row({"epoch": epoch, "loss": 1.0 / epoch})
    found = json.loads(feed.since(0, 0, 0, 0))
    assert len(found["rows"]) <= MOST
    assert found["row"] == {"epoch": 5 * MOST - 1, "loss": 1.0 / (5 * MOST - 1)}
    assert [row["epoch"] for row in found["rows"]] == sorted({row["epoch"] for row in found["rows"]})


def test_a_point_is_written_as_text_once(monkeypatch):
    """However often and however much of it is read: who reads does not make training wait for the whole history."""
    from graphc.train import feed as module

    written = []
    json_of = module._json
    monkeypatch.setattr(module, "_json", lambda value: written.append(value) or json_of(value))
    feed = Feed({})
    for step in range(100):
        feed.add_point(1, step, [1.0], 0.1)
    first = feed.since(0, 0, 0, 0)
    feed.add_point(1, 100, [1.0], 0.1)
    assert len(json.loads(feed.since(0, 0, 0, 0))["points"]) == 101
    assert len(json.loads(first)["points"]) == 100
    assert len([value for value in written if isinstance(value, tuple) and len(value) == 5]) == 101
