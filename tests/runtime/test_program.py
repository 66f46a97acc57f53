"""Calling programs: arguments, structures, updates, random sites, threads, pickles."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest

import graphc as gx
from graphc.errors import ArgumentError, DTypeError, ShapeError


def two():
    x, w = gx.input("x", ("n", 2)), gx.param("layer.w", (2,))
    return gx.compile({"y": x * w, "parts": [gx.sum(x), (w,)]}, name="two")


def test_outputs_keep_their_structure():
    out = two()([[1.0, 2.0]], [3.0, 4.0])
    assert out["y"].tolist() == [[3, 8]]
    assert out["parts"][0] == 3
    assert out["parts"][1][0].tolist() == [3, 4]
    assert isinstance(out["parts"][1], tuple)


def test_arguments_by_name_in_both_spellings():
    program = two()
    for name in ("layer.w", "layer_w"):
        assert program(x=[[1.0, 2.0]], **{name: [3.0, 4.0]})["y"].tolist() == [[3, 8]]


def test_hyper_parameters_have_defaults():
    x, k = gx.input("x", ()), gx.hyper("k", 2.0)
    program = gx.compile(x * k)
    assert program(3.0) == 6
    assert program(3.0, k=5.0) == 15
    assert program(3.0, 4.0) == 12


def test_updates_come_back_by_name():
    x, s = gx.input("x", ()), gx.state("total", ())
    program = gx.compile(x, updates={s: s + x})
    assert program(2.0, 5.0) == (2.0, {"total": 7.0})


def test_attached_updates_follow_the_mode():
    x, s = gx.input("x", ()), gx.state("s", ())
    y = gx.by_mode(train=gx.update(x, {s: x}), eval=x + s)
    assert gx.compile(y, mode="train")(3.0, 1.0) == (3.0, {"s": 3.0})
    assert gx.compile(y)(3.0, 1.0) == 4.0


def test_a_program_holds_no_values_and_may_run_in_threads():
    x = gx.input("x", (1000,))
    program = gx.compile(gx.sum(gx.tanh(x) * x))
    data = [np.random.default_rng(i).random(1000).astype(np.float32) for i in range(8)]
    expected = [program(d) for d in data]
    results = [None] * 8

    def work(i):
        for _ in range(50):
            results[i] = program(data[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert results == expected


def test_programs_pickle():
    program = two()
    again = pickle.loads(pickle.dumps(program))
    assert again.source == program.source
    assert again([[1.0, 2.0]], [3.0, 4.0])["y"].tolist() == [[3, 8]]


def test_export_writes_what_runs(tmp_path):
    program = two()
    path = program.export(tmp_path / "two.py")
    space = {}
    exec(path.read_text(encoding="utf-8"), space)
    x, w = np.float32([[1, 2]]), np.float32([3, 4])
    assert space["two"](x, w)[0].tolist() == [[3, 8]]
    assert list(tmp_path.iterdir()) == [path]


def test_random_programs_need_rng():
    program = gx.compile(gx.nn.dropout(gx.input("x", (4,)), 0.5, name="d"), mode="train")
    with pytest.raises(gx.GraphcError, match=r"d\.mask.*needs rng"):
        program(np.ones(4))


CALLS = {
    "missing": (lambda p: p([[1.0, 2.0]]), r"two is missing layer\.w"),
    "surplus": (lambda p: p(1, 2, 3), "two takes 2 arguments"),
    "twice": (lambda p: p([[1.0, 2.0]], [1.0, 2.0], x=[[1.0, 2.0]]), "got x twice"),
    "unknown": (lambda p: p([[1.0, 2.0]], weight=[1.0, 2.0]), "no argument named 'weight'"),
    "rank": (lambda p: p([1.0, 2.0], [1.0, 2.0]), "x has 1 axis, but 2 axes were declared"),
    "size": (lambda p: p([[1.0, 2.0, 3.0]], [1.0, 2.0]), "axis 1 of x has size 3, but 2 was declared"),
    "kind": (lambda p: p([[1, 2]], [1.0, 2.0]), "x must be float32"),
    "text": (lambda p: p([["a", "b"]], [1.0, 2.0]), "x must be float32"),
}


@pytest.mark.parametrize("what", CALLS)
def test_bad_calls_say_what_is_wrong(what):
    call, message = CALLS[what]
    with pytest.raises(gx.GraphcError, match=message):
        call(two())


def test_named_sizes_agree_across_arguments():
    x, y = gx.input("x", ("n",)), gx.input("y", ("n",))
    with pytest.raises(gx.GraphcError, match="axis 0 of y has size 3, but n is 2 in x"):
        gx.compile(x + y)(np.ones(2), np.ones(3))


def test_named_sizes_do_not_broadcast_even_when_they_are_one():
    x, y = gx.input("x", ("n",)), gx.input("y", ("m",))
    with pytest.raises(gx.GraphcError, match="size n meets size m"):
        x + y


def test_integers_outside_the_dtype_are_refused():
    program = gx.compile(gx.input("i", (), dtype="int32") + 1)
    assert program(5) == 6
    with pytest.raises(gx.GraphcError, match="does not fit int32"):
        program(2**40)


COMPILE = {
    "mode": {"mode": "training"},
    "level": {"level": "O3"},
    "layout": {"layout": "packed"},
    "target": {"target": "fortran"},
    "name": {"name": "not a name"},
    "keyword": {"name": "lambda"},
}


@pytest.mark.parametrize("what", COMPILE)
def test_bad_settings_of_compile_are_refused(what):
    with pytest.raises(gx.GraphcError):
        gx.compile(gx.input("x", ()), **COMPILE[what])


def test_compile_takes_only_nodes():
    with pytest.raises(gx.GraphcError, match="neither a node nor"):
        gx.compile([gx.input("x", ()), 3.0])


@pytest.mark.parametrize("size", ["2*n", "n//2", "n + 4"])
def test_a_size_of_a_name_that_a_later_argument_shows_is_checked(size):
    x, y = gx.input("x", (size,)), gx.input("y", ("n",))
    program = gx.compile([gx.sum(x), gx.sum(y)])
    with pytest.raises(ShapeError, match="axis 0 of x has size 5"):
        program(np.ones(5), np.ones(4))


def test_a_size_whose_name_no_argument_shows_agrees_across_arguments():
    x, y = gx.input("x", ("2*n",)), gx.input("y", ("2*n",))
    program = gx.compile(x + y)
    assert program(np.ones(4), np.ones(4)).shape == (4,)
    with pytest.raises(ShapeError, match=r"2\*n is 1 in x"):
        program(np.ones(1), np.ones(4))


def test_arguments_of_awkward_names():
    assert gx.compile(gx.input("self", ()) + 1.0)(self=1.0) == 2.0
    dotted, plain = gx.input("a.b", ()), gx.input("a_b", ())
    assert gx.compile(dotted - plain)(a_b=1.0, **{"a.b": 10.0}) == 9.0


def test_ragged_lists_are_refused_by_name():
    x = gx.input("x", ("n", 2))
    with pytest.raises(ShapeError, match="x is no array"):
        gx.compile(x * 2)([[1.0, 2.0], [3.0]])
    with pytest.raises(DTypeError, match="does not fit an array"):
        gx.const([[1.0, 2.0], [3.0]])


@pytest.mark.parametrize(
    ("dtype", "default", "value"), [("int64", 3, 6), ("int64", 3.0, 6), ("float32", 1, 2)]
)
def test_the_default_of_a_hyper_has_its_dtype(dtype, default, value):
    assert gx.compile(gx.hyper("h", default, dtype=dtype) * 2)() == value


@pytest.mark.parametrize(("dtype", "default"), [("int64", 2.5), ("float32", "a"), ("float32", float("nan"))])
def test_a_default_of_another_kind_is_refused(dtype, default):
    with pytest.raises(ArgumentError, match="the default of h"):
        gx.hyper("h", default, dtype=dtype)


def test_fixed_indices_are_checked_where_they_are_written():
    w = gx.input("w", (3,))
    assert gx.compile(gx.take(w, [-3, 2]))(np.arange(3.0)).tolist() == [0, 2]
    with pytest.raises(ShapeError, match="index 3 is out of range on axis 0 of size 3"):
        gx.take(w, [0, 3])


def test_sizes_that_would_be_negative_are_refused():
    program = gx.compile(gx.mean(gx.input("x", ("n",))[4:]))
    assert program(np.ones(6)) == 1
    with pytest.raises(gx.GraphcError, match="the size n - 4 would be -2"):
        program(np.ones(2))


def test_an_output_that_is_asked_for_twice_is_two_arrays():
    h = gx.tanh(gx.input("x", (3,)))
    a, b = gx.compile([h, h])(np.ones(3))
    assert not np.shares_memory(a, b)
