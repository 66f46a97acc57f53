"""Every command does what its help says."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import graphc as gx
from tests.cli.support import run, write_net


@pytest.fixture
def net(tmp_path):
    return write_net(tmp_path)


@pytest.fixture
def saved(tmp_path, net, capsys):
    path = tmp_path / "net.gx"
    words = ("train", net, "--data", "spirals", "--epochs", 3, "--save", path)
    assert run(capsys, *words)[0] == 0
    return str(path)


def test_train_reports_on_both_parts_and_keeps_the_model(tmp_path, net, capsys):
    path = tmp_path / "net.gx"
    words = ("train", net, "--data", "spirals", "--epochs", 30, "--lr", "0.05", "--save", path)
    code, out, err = run(capsys, *words)
    assert code == 0
    rows = [line.split() for line in out.splitlines()]
    assert [row[:2] for row in rows[:4]] == [
        ["train", "loss"],
        ["train", "accuracy"],
        ["test", "loss"],
        ["test", "accuracy"],
    ]
    assert rows[4:] == [["ended", "all", "30", "epochs", "done"], ["model", str(path)]]
    assert err.startswith("epoch 3/30: loss ")
    assert err.count("\n") == 10
    assert gx.load(path).history["epoch"] == list(range(1, 31))


def test_training_is_reproducible_and_the_seed_matters(net, capsys):
    words = ("train", net, "--data", "moons", "--epochs", 2)
    first = run(capsys, *words)
    assert first == run(capsys, *words)
    assert first[1] != run(capsys, *words, "--seed", 1)[1]


def test_a_run_can_be_watched(net, capsys):
    words = ("train", net, "--data", "moons", "--epochs", 2)
    plain, viewed = run(capsys, *words), run(capsys, *words, "--view")
    assert viewed[:2] == plain[:2]
    assert viewed[2].startswith("graphc: watch it at http://127.0.0.1:")


def test_no_held_out_rows(net, capsys):
    code, out, _ = run(capsys, "train", net, "--data", "spirals", "--epochs", 1, "--test", 0)
    assert code == 0
    assert "test" not in out


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_optimizers(tmp_path, net, capsys, optimizer):
    path = tmp_path / "net.gx"
    words = ("--epochs", 1, "--optimizer", optimizer, "--lr", "0.25", "--save", path)
    assert run(capsys, "train", net, "--data", "spirals", *words)[0] == 0
    made = gx.load(path).optimizer
    assert (made.name, made.rate) == (optimizer, 0.25)


def test_a_saved_model_goes_on_with_its_own_optimizer(tmp_path, net, capsys):
    path, again = tmp_path / "a.gx", tmp_path / "b.gx"
    words = ("--data", "spirals", "--epochs", 1)
    assert run(capsys, "train", net, *words, "--optimizer", "momentum", "--save", path)[0] == 0
    assert run(capsys, "train", path, *words, "--save", again)[0] == 0
    loaded = gx.load(again)
    assert loaded.optimizer.name == "momentum"
    assert loaded.history["epoch"] == [1, 2]


def test_a_csv_with_whole_numbers_trains_a_float_column(tmp_path, net, capsys):
    table = tmp_path / "t.csv"
    rows = [f"{i},{3 * i + 1},{i % 3}" for i in range(12)]
    table.write_text("\n".join(["a,y,b", *rows]), encoding="utf-8")
    words = ("--target", "y", "--optimizer", "sgd", "--lr", "0.001", "--epochs", 2)
    code, out, _ = run(capsys, "train", f"{net}:line", "--data", table, *words)
    assert code == 0
    assert "train loss" in out


def test_an_npz(tmp_path, net, capsys):
    path = tmp_path / "d.npz"
    rng = np.random.default_rng(0)
    np.savez(path, x=rng.normal(size=(20, 2)), y=rng.integers(0, 3, 20))
    assert run(capsys, "train", net, "--data", path, "--epochs", 1)[0] == 0


def test_curves(tmp_path, net, capsys):
    pytest.importorskip("matplotlib")
    path = tmp_path / "curves.png"
    code, out, _ = run(capsys, "train", net, "--data", "spirals", "--epochs", 2, "--plot", path)
    assert code == 0
    assert str(path) in out
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("level", ["model", "graph", "lowered", "plan"])
def test_draw(tmp_path, net, capsys, level):
    path = tmp_path / "net.dot"  # DOT needs no layout engine
    code, out, _ = run(capsys, "draw", net, "-o", path, "--level", level)
    assert (code, out) == (0, f"{path}\n")
    assert path.read_text(encoding="utf-8").startswith("digraph")


def test_draw_beside_where_you_are(tmp_path, net, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, "draw", net)
    assert code == 0
    assert out.strip() in ("spiral_net.svg", "spiral_net.html")
    assert Path(out.strip()).exists()


def test_show_the_listing(net, saved, capsys):
    code, out, _ = run(capsys, "show", net)
    assert code == 0
    assert "def train_step(params, state, slots, x, t, *, lr=0.001" in out
    assert run(capsys, "show", saved)[1] == out
    assert "def momentum(" in run(capsys, "show", net, "--optimizer", "momentum")[1]


def test_show_the_ir_which_parses_back(net, capsys):
    code, out, _ = run(capsys, "show", net, "--what", "ir")
    assert code == 0
    assert str(gx.parse(out)).rstrip("\n") == out.rstrip("\n")


def test_show_the_plan(net, capsys):
    code, out, _ = run(capsys, "show", net, "--what", "plan")
    assert code == 0
    head, first, *rest = out.splitlines()
    assert head.split() == ["phase", "layer", "value", "operation", "type"]
    assert first.split() == ["1", "forward", "hidden", "matmul", "float32[batch,", "8]"]
    assert any(row.split()[1] == "backward" and "hidden.d_W" in row for row in rest)


def test_explain_one_parameter_or_all(net, saved, capsys):
    code, out, _ = run(capsys, "explain", net, "hidden.W")
    assert code == 0
    assert out.startswith("dL/d(hidden.W): float32[2, 8], in ")
    assert "chain rule of tanh" in out
    assert "net.py:7" in out
    code, everything, _ = run(capsys, "explain", saved)
    assert code == 0
    assert "output.b" in everything.splitlines()[0]


@pytest.mark.parametrize(("suffix", "begin"), [(".md", "# Deri"), (".tex", "\\docum"), (".html", "<!DOCT")])
def test_derive_writes_a_page(tmp_path, net, capsys, suffix, begin):
    path = tmp_path / f"page{suffix}"
    code, out, _ = run(capsys, "derive", net, "-o", path)
    assert (code, out) == (0, f"{path}\n")
    assert path.read_text(encoding="utf-8").startswith(begin)


def test_derive_prints_markdown(saved, capsys):
    code, out, _ = run(capsys, "derive", saved, "output.b", "hidden.W")
    assert code == 0
    assert out.startswith("# Derivation of the gradients of ")
    assert "from the loss through" in out
    assert r"\partial L" in out


def test_export_then_run_it(tmp_path, saved, capsys):
    path = tmp_path / "alone.py"
    code, out, _ = run(capsys, "export", saved, "-o", path, "--data", "spirals")
    assert (code, out) == (0, f"{path}\n")
    assert path.with_suffix(".npz").exists()
    text = path.read_text(encoding="utf-8")
    assert "def adam(" in text
    assert "graphc import" not in text


def test_check_passes_a_right_gradient_and_blames_a_wrong_one(tmp_path, net, capsys):
    code, out, _ = run(capsys, "check", net)
    assert code == 0
    assert out.startswith("gradients agree with central differences")
    assert out.count("ok ") == 4
    wrong = """
import graphc as gx
x = gx.input("x", ("n", 3))
w = gx.param("w", (3, 1))
bad = gx.composite("bad", lambda v: v * v, gradient=lambda g, v: g * v)
model = gx.Model(x @ w, gx.mean(bad(x @ w)))
"""
    code, out, _ = run(capsys, "check", write_net(tmp_path, "wrong.py", wrong))
    assert code == 1
    assert out.startswith("gradients differ from central differences")
    assert "suspect" in out


def test_the_file_runs_as_a_module_with_its_folder_on_the_path(tmp_path, capsys):
    (tmp_path / "sizes_of_mine.py").write_text("UNITS = 4\n", encoding="utf-8")
    text = """
import sys
from sizes_of_mine import UNITS
import graphc as gx
print("hello from", __name__)
assert sys.modules[__name__].__name__ == __name__
x, t = gx.input("x", ("n", 2)), gx.input("t", ("n", UNITS))
y = gx.nn.dense(x, UNITS)
model = gx.Model(y, gx.nn.mse(y, t))
"""
    before = list(sys.path), "mine" in sys.modules
    code, out, err = run(capsys, "show", write_net(tmp_path, "mine.py", text), "--what", "ir")
    assert code == 0
    assert out.startswith("graphc ")  # what the file prints stays out of the results
    assert err == "hello from mine\n"
    assert (list(sys.path), "mine" in sys.modules) == before


def test_a_file_named_like_a_loaded_module_does_not_replace_it(tmp_path, net, capsys):
    import json

    path = write_net(tmp_path, "json.py")
    assert run(capsys, "show", path, "--what", "ir")[0] == 0
    assert sys.modules["json"] is json


def test_early_stopping_with_a_log(tmp_path, net, capsys):
    log = tmp_path / "log.csv"
    words = (
        "--epochs",
        300,
        "--validation",
        "0.2",
        "--stratify",
        "--patience",
        3,
        "--lr",
        "0.1",
        "--log",
        log,
    )
    code, out, _ = run(capsys, "train", net, "--data", "spirals", *words)
    assert code == 0
    assert "val_loss has not become better since epoch" in out
    assert "test accuracy" in out
    lines = log.read_text().splitlines()
    assert lines[0] == "epoch,loss,accuracy,val_loss,val_accuracy"
    assert 4 < len(lines) < 301


def test_a_run_goes_on_from_its_checkpoint(tmp_path, net, capsys):
    words = ("--data", "spirals", "--log", tmp_path / "log.jsonl", "--checkpoint")
    whole, parts = tmp_path / "whole.gx", tmp_path / "parts.gx"
    assert run(capsys, "train", net, *words, whole, "--epochs", 4, "--resume")[0] == 0  # nothing is there yet
    assert run(capsys, "train", net, *words, parts, "--epochs", 2)[0] == 0
    code, out, _ = run(capsys, "train", net, *words, parts, "--epochs", 4, "--resume")
    assert code == 0
    assert str(parts) in out
    a, b = gx.load(whole), gx.load(parts)
    assert a.history.rows == b.history.rows
    assert all((a.params[name] == b.params[name]).all() for name in a.params)
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 4


def test_view_writes_one_page(tmp_path, net, capsys):
    target = tmp_path / "net.html"
    code, out, _ = run(capsys, "view", net, "--data", "spirals", "-o", target)
    assert (code, out.strip()) == (0, str(target))
    page = target.read_text(encoding="utf-8")
    assert '"values":' in page
    assert "Content-Security-Policy" in page


def test_draw_highlights_a_parameter(tmp_path, net, capsys):
    target = tmp_path / "net.dot"
    assert run(capsys, "draw", net, "--highlight", "W1", "-o", target)[0] == 0
    code, _, err = run(capsys, "draw", net, "--highlight", "Q", "-o", target)
    assert code == 2
    assert "hidden.W" in err
