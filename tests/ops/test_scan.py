"""Loops: held to the same steps written out, in value and in every derivative, and to NumPy."""

import numpy as np
import pytest

import graphc as gx
from graphc.check import check_grad
from graphc.errors import ArgumentError, GraphcError, ShapeError
from graphc.ir.node import result_groups

STEPS = 5
LEVELS = ("exact", "default", "fast")


def recurrent(length="time"):
    """A recurrent network over named and int sizes, its loss, and what it may be differentiated by."""
    x = gx.input("x", (length, "batch", 3), "float64")
    h0 = gx.input("h0", ("batch", 4), "float64")
    W, U, b = (gx.param(n, s, dtype="float64") for n, s in (("W", (3, 4)), ("U", (4, 4)), ("b", (4,))))
    return x, h0, W, U, b


def cell(h, x, W, U, b):
    return gx.tanh(x @ W + h @ U + b)


def looped():
    x, h0, W, U, b = leaves = recurrent()

    def step(h, x):
        h = cell(h, x, W, U, b)
        return h, h

    h, hs = gx.scan(step, h0, x)
    return gx.sum(hs * hs) + gx.sum(gx.exp(h)), leaves


def unrolled():
    x, h, W, U, b = leaves = recurrent(STEPS)
    total = 0
    for t in range(STEPS):
        h = cell(h, x[t], W, U, b)
        total = total + gx.sum(h * h)
    return total + gx.sum(gx.exp(h)), leaves


def data(seed=0):
    random = np.random.default_rng(seed)
    shapes = {"x": (STEPS, 2, 3), "h0": (2, 4), "W": (3, 4), "U": (4, 4), "b": (4,)}
    return {name: random.normal(size=shape) for name, shape in shapes.items()}


def agree(a, b, tolerance=1e-13):
    for left, right in zip(a, b, strict=True):
        np.testing.assert_allclose(left, right, rtol=tolerance, atol=tolerance)


# -- value and derivatives ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
def test_value_and_gradient_are_those_of_the_steps_written_out(level):
    results = []
    for loss, leaves in (looped(), unrolled()):
        program = gx.compile([loss, *gx.grad(loss, list(leaves), level=level)], level=level)
        results.append(program(**data()))
    agree(*results)


def test_the_oracle_and_the_text_agree_with_the_program():
    loss, leaves = looped()
    graph = gx.graph_of([loss, *gx.grad(loss, list(leaves))])
    text = str(graph)
    assert str(gx.parse(text)) == text
    program = gx.compile(graph)
    agree(gx.interpret(graph, data()), program(**data()))
    agree(gx.compile(gx.parse(text))(**data()), program(**data()), 0)


@pytest.mark.parametrize("which", range(5))
def test_forward_mode_and_second_order(which):
    results = []
    for loss, leaves in (looped(), unrolled()):
        direction = np.random.default_rng(which).normal(size=data()[leaves[which].name].shape)
        # h0 and x have named sizes, so their direction is an input
        v = gx.input("v", leaves[which].shape, "float64")
        outputs = [gx.jvp(loss, leaves[which], v), gx.hvp(loss, leaves[which], v)]
        results.append(gx.compile(outputs)(**data(), v=direction))
    agree(*results, 1e-12)


def test_gradients_agree_with_differences():
    loss, leaves = looped()
    assert check_grad(loss, list(leaves), data()).ok


def test_third_derivative():
    u = gx.input("u", (), "float64")
    (last, _), (written, _) = (
        gx.scan(lambda h, _: (gx.sin(h * u + u), None), gx.const(0.5, "float64"), length=3),
        (0, 0),
    )
    written = gx.const(0.5, "float64")
    for _ in range(3):
        written = gx.sin(written * u + u)
    thirds = []
    for y in (last, written):
        for _ in range(3):
            y = gx.grad(y, u)
        thirds.append(float(gx.compile(y)(0.7)))
    assert thirds[0] == pytest.approx(thirds[1], rel=1e-12)


def test_reverse_and_several_carries_in_a_dict():
    x = gx.input("x", ("n",), "float64")

    def step(carry, x):
        a, b = carry["a"], carry["b"]
        return {"a": b, "b": a + b * x}, {"both": a * b}

    last, ys = gx.scan(step, {"a": gx.const(1.0, "float64"), "b": gx.const(2.0, "float64")}, x, reverse=True)
    xs = np.array([0.5, -1.5, 2.0])
    a, b, both = 1.0, 2.0, np.empty(3)
    for t in reversed(range(3)):
        both[t] = a * b
        a, b = b, a + b * xs[t]
    got = gx.compile([last["a"], last["b"], ys["both"]])(xs)
    agree(got, [a, b, both])
    loss = last["a"] * last["b"] + gx.sum(ys["both"])
    assert check_grad(loss, x, {"x": xs}).ok


def test_no_steps_give_the_start_and_nothing_that_aliases():
    x, h = gx.input("x", ("n", 2), "float64"), gx.input("h", (2,), "float64")
    last, ys = gx.scan(lambda h, x: (h + x, h), h, x)
    program = gx.compile([last, ys, gx.grad(gx.sum(last), h)])
    start = np.ones(2)
    got, stack, slope = program(x=np.empty((0, 2)), h=start)
    assert stack.shape == (0, 2)
    got[0] = 7
    slope[0] = 7
    assert start[0] == 1
    agree(program(x=np.empty((0, 2)), h=start)[2:], [np.ones(2)])


def test_integers_and_bools_are_carried_and_stacked():
    x = gx.input("x", ("n",), "int64")
    count, seen = gx.scan(lambda c, x: (c + x, c > 2), gx.const(0), x)
    got = gx.compile([count, seen])([1, 2, 3])
    assert got[0] == 6
    assert got[1].dtype == bool
    assert got[1].tolist() == [False, False, True]


def test_an_integer_carry_beside_a_float_one_is_differentiated():
    x = gx.input("x", ("n",), "float64")

    def step(carry, x):
        k, s = carry
        return (k + 1, s + x * gx.astype(k, "float64")), None

    (_, total), _ = gx.scan(step, (gx.const(0), gx.const(0.0, "float64")), x)
    agree([gx.compile(gx.grad(total, x))(np.ones(3))], [[0.0, 1.0, 2.0]])


def test_a_loop_in_a_loop():
    x = gx.input("x", ("n", 4), "float64")
    a = gx.param("a", (), dtype="float64", init="ones")

    def row(c, values):
        s, _ = gx.scan(lambda s, v: (gx.sin(s * v + a), None), c, values)
        return s, s

    _, cs = gx.scan(row, gx.const(1.0, "float64"), x)
    loss = gx.sum(cs * cs)
    xs = np.random.default_rng(1).normal(size=(3, 4))
    c, total = 1.0, 0.0
    for values in xs:
        for v in values:
            c = np.sin(c * v + 0.3)
        total += c * c
    assert float(gx.compile(loss)(x=xs, a=0.3)) == pytest.approx(total)
    assert check_grad(loss, [x, a], {"x": xs, "a": np.array(0.3)}).ok


def test_in_a_composite_and_by_mode():
    x = gx.input("x", ("n",), "float64")
    power = gx.composite(
        "running", lambda x: gx.scan(lambda s, x: (s + x, s * x), gx.const(0.0, "float64"), x)[1]
    )
    y = gx.sum(power(x))
    assert check_grad(y, x, {"x": np.array([1.0, 2.0, 3.0])}).ok

    def step(s, x):
        return gx.by_mode(train=s + x, eval=s + 2 * x), None

    s, _ = gx.scan(step, gx.const(0.0, "float64"), x)
    outputs = [s, gx.grad(s, x)]
    for mode, factor in (("train", 1), ("eval", 2)):
        agree(gx.compile(outputs, mode=mode)([1.0, 2.0]), [3 * factor, [factor] * 2])


def test_a_composite_in_a_body_may_take_what_is_around_it():
    x, w = gx.input("x", (), "float64"), gx.param("w", (), dtype="float64")

    def step(s, _):
        return gx.composite("more", lambda b: b * w + s)(2 * s), None

    total, _ = gx.scan(step, x, length=2)
    agree(gx.compile([total, *gx.grad(total, [x, w])])(3.0, 1.0), [27, 9, 36])
    text = str(gx.graph_of(total))
    assert str(gx.parse(text)) == text
    chosen = gx.cond(x > 0, lambda s: gx.composite("more", lambda b: b * w + s)(2 * s), lambda s: s, x)
    assert gx.compile(chosen)(3.0, 1.0) == 9


@pytest.mark.parametrize(("mode", "factor"), [("train", 2), ("eval", 3)])
def test_a_choice_by_mode_in_a_composite_in_a_body(mode, factor):
    x = gx.input("x", (), "float64")
    scaled = gx.composite("scaled", lambda v: gx.by_mode(train=v * 2, eval=v * 3))
    looped, _ = gx.scan(lambda s, _: (scaled(s), None), x, length=2)
    chosen = gx.cond(x > 0, scaled, lambda s: s, x)
    outputs = [looped, gx.grad(looped, x), chosen, gx.grad(chosen, x)]
    agree(gx.compile(outputs, mode=mode)(1.0), [factor**2, factor**2, factor, factor])


def test_what_changed_a_state_before_may_be_read_by_a_body():
    x = gx.input("x", (), "float64")
    k = gx.state("k", (), dtype="float64")
    y = gx.update(x * 2, {k: k + 1})
    looped, _ = gx.scan(lambda s, _: (s + y, None), gx.const(0.0, "float64"), length=3)
    chosen = gx.cond(x > 0, lambda: y, lambda: -y)
    values, states = gx.compile([looped, chosen])(1.0, 5.0)
    assert (values, states) == ([6.0, 2.0], {"k": 6.0})


@pytest.mark.parametrize("length", ["m", "n"])
def test_a_number_of_steps_that_no_argument_shows_is_refused_when_compiled(length):
    x = gx.input("x", ("n",), "float64")
    total, _ = gx.scan(lambda s, _: (s + 1, None), gx.const(0.0, "float64"), length=length)
    with pytest.raises(ShapeError, match=f"the size {length} cannot be read off any argument"):
        gx.compile(total)
    if length == "n":
        assert gx.compile([total, x])(np.ones(4))[0] == 4


# -- what is computed -----------------------------------------------------------------------------------------------


def test_one_loop_forward_and_one_back():
    loss, leaves = looped()
    source = gx.compile([loss, *gx.grad(loss, list(leaves))]).source
    assert source.count("for t") == 2
    assert source.count("reversed(") == 1
    assert source.count("np.tanh") == 1


def test_what_nobody_reads_is_not_computed():
    x = gx.input("x", ("n",), "float64")

    def step(carry, x):
        a, b = carry
        return (a + x, b * gx.exp(x)), (gx.sin(x), gx.cos(x))

    (a, _), (sines, _) = gx.scan(step, (gx.const(0.0, "float64"), gx.const(1.0, "float64")), x)
    source = gx.compile([a, sines]).source
    assert "np.sin" in source
    assert "np.cos" not in source
    assert "np.exp" not in source


def test_what_does_not_change_is_computed_once_outside():
    x, w = gx.input("x", ("n",), "float64"), gx.input("w", (), "float64")
    s, _ = gx.scan(lambda s, x: (s + x * gx.exp(w), None), gx.const(0.0, "float64"), x)
    lines = gx.compile(s).source.splitlines()
    assert next(i for i, line in enumerate(lines) if "np.exp" in line) < next(
        i for i, line in enumerate(lines) if "for t" in line
    )


def trained_by_steps(length, batch=2):
    """A loop whose weights are read twice at each step, its loss, and what it is differentiated by."""
    x, h0 = gx.input("x", (length, batch, 3), "float64"), gx.input("h0", (batch, 3), "float64")
    W, b = gx.param("W", (3, 3), dtype="float64"), gx.param("b", (3,), dtype="float64")
    h, ys = gx.scan(lambda h, x: (gx.tanh(h @ W + x @ W + b), h * b), h0, x)
    return gx.sum(h * h) + gx.sum(ys), [W, b, h0, x]


@pytest.mark.parametrize("length", [0, 1, 4])
def test_gradients_of_weights_leave_the_loop_as_one_product(length):
    loss, leaves = trained_by_steps("time", "batch")
    random = np.random.default_rng(length)
    shapes = {"x": (length, 2, 3), "h0": (2, 3), "W": (3, 3), "b": (3,)}
    values = {name: random.normal(size=shape) for name, shape in shapes.items()}
    graph = gx.graph_of([loss, *gx.grad(loss, leaves)])
    found, exact = (gx.compile(graph, level=level, layout="planned") for level in ("default", "exact"))
    agree(found(**values), exact(**values))
    back = [program.source.partition("d_x = np.empty")[2] for program in (found, exact)]
    inside = [[line for line in text.splitlines() if line.startswith(" " * 12)] for text in back]
    assert [sum("dot(" in line and "out=d_x" not in line for line in lines) for lines in inside] == [0, 2]
    assert "        d_W = " in back[0]


def test_gradients_of_weights_stay_in_the_loop_where_a_stack_would_be_fresh_memory():
    loss, leaves = trained_by_steps("time", "batch")
    back = gx.compile([loss, *gx.grad(loss, leaves)]).source.partition("reversed(")[2]
    assert any(".T @" in line for line in back.splitlines() if line.startswith("        "))


def test_gradients_of_weights_without_a_batch_leave_the_loop_too():
    x, W = gx.input("x", ("time", 3), "float64"), gx.param("W", (3, 3), dtype="float64")
    h, _ = gx.scan(lambda h, x: (gx.tanh(h @ W + x), None), gx.zeros((3,), "float64"), x)
    loss = gx.sum(h * h)
    graph = gx.graph_of([loss, gx.grad(loss, W)])
    random = np.random.default_rng(0)
    values = {"x": random.normal(size=(4, 3)), "W": random.normal(size=(3, 3))}
    found, exact = (gx.compile(graph, level=level, layout="planned") for level in ("default", "exact"))
    agree(found(**values), exact(**values))
    assert "None" not in found.source.partition("for product")[2].partition("return")[0]
    assert "        d_W = hs_T @ products" in found.source
    assert check_grad(loss, [W], values).ok


def test_results_of_one_computation_are_grouped():
    x = gx.input("x", ("n",), "float64")
    s, ys = gx.scan(lambda s, x: (s + x, s), gx.const(0.0, "float64"), x)
    groups = result_groups([s, ys])
    assert groups[s] == groups[ys] == (s, ys)


def test_a_recurrent_model_trains_and_leaves_as_a_file(tmp_path):
    x, t = gx.input("x", ("n", 6, 2)), gx.input("t", ("n", 1))
    W = gx.param("W", (2, 8))
    U = gx.param("U", (8, 8), init="orthogonal" if "orthogonal" in gx.init.__doc__ else "xavier_uniform")
    start = gx.zeros(("n", 8))
    h, _ = gx.scan(lambda h, x: (gx.tanh(x @ W + h @ U), None), start, gx.swapaxes(x, 0, 1))
    y = gx.nn.dense(h, 1, name="out")
    random = np.random.default_rng(0)
    data = {"x": random.normal(size=(64, 6, 2)).astype("float32")}
    data["t"] = data["x"][:, :, 0].sum(axis=1, keepdims=True)
    model = gx.Model(outputs=y, loss=gx.nn.mse(y, t), name="recurrent")
    history = model.fit(data, epochs=30, batch_size=16, optimizer=gx.optim.adam(0.01), verbose=False)
    assert history["loss"][-1] < 0.3 * history["loss"][0]
    path = tmp_path / "recurrent.py"
    model.export(path)
    module = gx.load_source(path.read_text(), "recurrent")
    params = {name: np.asarray(value) for name, value in model.params.items()}
    np.testing.assert_array_equal(
        module["predict"](params, {}, data["x"][:4]), model.predict({"x": data["x"][:4]})
    )


# -- refusals -------------------------------------------------------------------------------------------------------


def zero():
    return gx.const(0.0, "float64")


BAD = {
    "no_length": (lambda: gx.scan(lambda s, x: (s, None), zero()), ArgumentError, "sequences or a length"),
    "no_pair": (
        lambda: gx.scan(lambda s, x: s, zero(), gx.input("x", (3,), "float64")),
        ArgumentError,
        "a pair",
    ),
    "structure": (
        lambda: gx.scan(lambda s, x: ((s, s), None), zero(), gx.input("x", (3,), "float64")),
        ArgumentError,
        "another structure",
    ),
    "type": (
        lambda: gx.scan(lambda s, x: (s + x, None), zero(), gx.input("x", (3, 2), "float64")),
        ShapeError,
        "the carry s has another type",
    ),
    "lengths": (
        lambda: gx.scan(
            lambda s, x: (s, None), zero(), [gx.input("x", (3,), "float64"), gx.input("y", (4,), "float64")]
        ),
        ShapeError,
        "one length",
    ),
    "scalar": (lambda: gx.scan(lambda s, x: (s, None), zero(), zero()), ShapeError, "one length"),
    "given": (
        lambda: gx.scan(lambda s, x: (s, None), zero(), gx.input("x", (3,), "float64"), length=4),
        ShapeError,
        "one length",
    ),
    "state": (
        lambda: gx.scan(
            lambda s, x: (gx.update(s + x, {gx.state("k", (), dtype="float64"): x}), None),
            zero(),
            gx.input("x", (3,), "float64"),
        ),
        ArgumentError,
        "cannot change inside",
    ),
    "state in a composite": (
        lambda: gx.scan(
            lambda s, _: (gx.composite("u", lambda v: gx.update(v, {gx.state("k", ()): v}))(s), None),
            gx.const(1.0),
            length=2,
        ),
        ArgumentError,
        "cannot change inside",
    ),
    "text": (
        lambda: gx.scan(lambda s, x: ("a", None), zero(), gx.input("x", (3,))),
        ArgumentError,
        "next carry",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_refused(case):
    make, kind, words = BAD[case]
    with pytest.raises(kind, match=words):
        make()


HOSTILE = {
    "result": ("result=0", "result=7"),
    "over": ("over=1", "over=5"),
    "length": ("length=n", "length=m"),
    "names": ('names=["s", "x"]', 'names=["s"]'),
    "next": ("next=[%_add]", "next=[%x]"),
    "around": ("add(%_arg, %_arg#2)", "add(%_arg, %k)"),
    "none": ("next=[%_add]", "next=[]"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_texts_that_describe_no_loop_are_refused(case):
    s, _ = gx.scan(lambda s, x: (s + x, None), zero(), gx.input("x", ("n",), "float64"))
    text = str(gx.graph_of([s, gx.input("k", (), "float64")]))
    old, new = HOSTILE[case]
    assert old in text
    with pytest.raises(GraphcError):
        gx.parse(text.replace(old, new))
