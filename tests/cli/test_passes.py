"""``graphc opt`` and ``graphc diff``."""

from __future__ import annotations

import io

import pytest

import graphc as gx
from graphc.cli.passes import passes_named
from graphc.errors import UsageError
from graphc.rewrite.pipeline import GROUPS, PASSES
from tests.cli.support import NET, run, write_net


@pytest.fixture
def net(tmp_path):
    return write_net(tmp_path)


def test_opt_prints_what_it_can_read_again(tmp_path, net, capsys):
    code, out, _ = run(capsys, "opt", net)
    assert code == 0
    assert str(gx.parse(out)) == out
    path = tmp_path / "net.ir"
    path.write_text(out, encoding="utf-8")
    assert run(capsys, "opt", path)[1] == out
    assert run(capsys, "diff", path, path) == (0, "no difference: 33 nodes are the same\n", "")


def test_opt_shows_each_pass_with_the_rules_that_fired(net, capsys):
    code, out, _ = run(capsys, "opt", net, "--passes", "clean,save-cost,share", "--print-after-each")
    assert code == 0
    heads = [line for line in out.splitlines() if line.startswith("# ")]
    assert [head.split(":")[0] for head in heads] == [
        "# before",
        "# after clean",
        "# after save_cost",
        "# after share",
    ]
    assert "unit-seed" in heads[1]
    texts = [part.partition("\n")[2].strip() for part in out.split("# ")[1:]]
    assert all(gx.parse(text + "\n") for text in texts if text)


def test_opt_reads_standard_input(net, capsys, monkeypatch):
    text = run(capsys, "show", net, "--what", "ir")[1]
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    code, out, _ = run(capsys, "opt", "-", "--level", "exact")
    assert code == 0
    assert out.startswith("graphc 1\n")


def test_diff_says_what_changed(tmp_path, net, capsys):
    other = write_net(tmp_path, "other.py", NET.replace("tanh", "relu"))
    code, out, _ = run(capsys, "diff", net, other)
    assert code == 1
    assert "- %hidden.h = tanh(%hidden.z)" in out
    assert "+ %hidden.h = relu(%hidden.z)" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("opt", "NET", "--passes", "clea"), "there is no pass 'clea'; one of clean, "),
        (("opt", "nothing.ir"), "there is no file nothing.ir"),
        (("opt", "bad.ir"), "bad.ir: this is not the text of a graph; given 'hello'"),
        (("diff", "NET", "binary.ir"), "is not text in UTF-8"),
        (("diff", "NET"), "the following arguments are required: B"),
    ],
)
def test_bad_use_is_one_line(tmp_path, net, capsys, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.ir").write_text("hello", encoding="utf-8")
    (tmp_path / "binary.ir").write_bytes(b"\xff\xfe\x00")
    code, out, err = run(capsys, *(net if word == "NET" else word for word in words))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_the_help_names_every_pass(capsys):
    text = run(capsys, "opt", "--help")[1]
    assert all(f"  {name} " in text for name in [*PASSES, *GROUPS])
    for name, passes in GROUPS.items():
        assert passes_named(name) == passes
        assert f"{name}{' ' * (15 - len(name))}{', '.join(p.__name__ for p in passes)}" in text


def test_a_list_of_passes_is_a_list_of_names():
    with pytest.raises(UsageError, match="no pass ''"):
        passes_named("clean,")
