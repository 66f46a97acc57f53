"""L-BFGS: a driver over a model's compiled loss and gradient. It is no equation of one step, so it is no optimizer.

Each iteration goes along d = -H g, where H approximates the inverse Hessian by the last few differences s of the
parameters and y of the gradients, with a line search for the strong Wolfe conditions.

Source: Nocedal and Wright, Numerical Optimization, 2nd edition, algorithms 7.4 and 7.5.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, NonFiniteError
from graphc.optim.descent import sgd
from graphc.optim.settings import fraction, not_negative
from graphc.runtime.load import refusals
from graphc.train.line_search import Point, strong_wolfe
from graphc.train.run import check_count

Pair = tuple[Any, Any, float]


@dataclass
class Descent:
    """What a driver did.

    Attributes:
        losses: before the first iteration, and after each.
        gradients: the largest magnitude in the gradient at the same places.
        steps: the step size of each iteration.
        evaluations: how often loss and gradient were computed.
        stopped: why it ended.
    """

    losses: list[float] = field(default_factory=list)
    gradients: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    evaluations: int = 0
    stopped: str = ""


def lbfgs(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    iterations: int = 100,
    memory: int = 10,
    gradient_tolerance: float = 1e-6,
    loss_tolerance: float = 0.0,
    c1: float = 1e-4,
    c2: float = 0.9,
    seed: int = 0,
) -> Descent:
    """Minimise a model's loss over all data at once, and leave the parameters at the lowest place found.

    Args:
        model: a ``gx.Model`` with a loss.
        x: data, as for ``fit``.
        y: targets, as for ``fit``.
        iterations: at most so many.
        memory: how many differences are kept.
        gradient_tolerance: it ends where no element of the gradient is larger.
        loss_tolerance: it ends where an iteration lowers the loss by no more.
        c1: how much of the promised decrease a step must bring.
        c2: how much of the slope a step may leave.
        seed: of what is drawn (masks): the same at every evaluation, since a line search needs one function.

    Raises:
        ArgumentError: a setting that is none; 0 < c1 < c2 < 1 is needed.
        NonFiniteError: the loss where it starts is not finite.

    Example:
        >>> import graphc as gx
        >>> x, t = gx.input("x", ("batch", 1)), gx.input("t", ("batch", 1))
        >>> y = gx.nn.dense(x, 1, name="line")
        >>> model = gx.Model(y, gx.nn.mse(y, t), name="line")
        >>> found = gx.train.lbfgs(model, [[0.0], [1.0], [2.0]], [[1.0], [3.0], [5.0]])
        >>> model.params["line.W"].round(2), len(found.steps) < 20
        (array([[2.]], dtype=float32), True)
    """
    _check(iterations, memory, seed, gradient_tolerance, loss_tolerance, c1, c2)
    objective = _Objective(model, x, y, seed)
    descent, pairs = Descent(), deque[Pair](maxlen=memory)
    theta, here = objective.start()
    try:
        while not _ended(descent, here, iterations, gradient_tolerance, loss_tolerance):
            direction = _downhill(here.gradient, pairs)
            here = Point(0.0, here.loss, float(here.gradient @ direction), here.gradient, here.state)
            first = 1.0 if pairs else min(1.0, 1.0 / float(np.abs(here.gradient).sum()))
            found = strong_wolfe(objective.line(theta, direction), here, first, c1, c2)
            if found.step == 0.0:
                descent.stopped = "no lower loss was found along the direction of descent"
                break
            _remember(pairs, found.step * direction, found.gradient - here.gradient)
            theta, here = theta + found.step * direction, found
            descent.steps.append(found.step)
            objective.accept(theta, here.state)
    except KeyboardInterrupt:
        descent.stopped = "interrupted"
    descent.evaluations = objective.evaluations
    return descent


def _check(iterations: Any, memory: Any, seed: Any, gradient: Any, loss: Any, c1: Any, c2: Any) -> None:
    check_count("iterations", iterations, 0)
    check_count("memory", memory, 1)
    check_count("seed", seed, 0)
    not_negative(gradient_tolerance=gradient, loss_tolerance=loss)
    fraction(c1=c1, c2=c2)
    if not 0 < c1 < c2:
        raise ArgumentError("the Wolfe conditions need 0 < c1 < c2 < 1", given=f"c1={c1!r}, c2={c2!r}")


def _ended(descent: Descent, here: Point, iterations: int, gradient: float, loss: float) -> bool:
    """Note where the iteration stands, and whether and why it is the last."""
    descent.losses.append(here.loss)
    descent.gradients.append(float(np.abs(here.gradient).max(initial=0.0)))
    if descent.gradients[-1] <= gradient:
        descent.stopped = f"no element of the gradient is larger than {gradient:g}"
    elif descent.steps and descent.losses[-2] - here.loss <= loss:
        descent.stopped = f"the loss fell by no more than {loss:g}"
    elif len(descent.steps) == iterations:
        descent.stopped = f"all {iterations} iterations done"
    return bool(descent.stopped)


def _downhill(gradient: Any, pairs: deque[Pair]) -> Any:
    """-H g; or -g, without the differences, where rounding leaves them saying nothing any more."""
    direction = -_times_inverse_hessian(gradient, pairs)
    if gradient @ direction < 0:
        return direction
    pairs.clear()
    return -gradient


def _times_inverse_hessian(g: Any, pairs: deque[Pair]) -> Any:
    """H g by two loops over the differences (algorithm 7.4); without any, H is the identity."""
    r, shares = g.copy(), []
    for s, y, rho in reversed(pairs):
        shares.append(rho * (s @ r))
        r -= shares[-1] * y
    if pairs:
        s, y, rho = pairs[-1]
        r /= rho * (y @ y)
    for (s, y, rho), share in zip(pairs, reversed(shares), strict=True):
        r += (share - rho * (y @ r)) * s
    return r


def _remember(pairs: deque[Pair], s: Any, y: Any) -> None:
    """Keep a difference that shows a positive curvature; H then stays positive definite."""
    curvature = float(s @ y)
    if curvature > np.finfo(np.float64).eps * float(y @ y):
        pairs.append((s, y, 1.0 / curvature))


class _Objective:
    """Loss and gradient of a model over one vector of all trained parameters, in float64."""

    def __init__(self, model: Any, x: Any, y: Any, seed: int) -> None:
        self.model, self.seed, self.evaluations = model, seed, 0
        data = model.checked_data(x, y)
        self.inputs = [data[name] for name in model.train_inputs]
        self.module = model.module(sgd())  # for its forward and backward; what it says of steps is not used
        if not self.module.model.trained:
            raise ArgumentError("no parameter of this model is trained", fix="model.freeze() thaws all")
        self.options: dict[str, Any] = {"check": False} if self.module.model.labels else {}

    def start(self) -> tuple[Any, Point]:
        """Where the model stands.

        Raises:
            NonFiniteError: the loss there is not finite.
        """
        params = self.model.in_use()
        self.names = [str(self.model.graph.name_of(p)) for p in self.module.model.trained]
        vector = self._vector(params)
        here = self.line(vector, np.zeros_like(vector))(0.0)
        if not np.isfinite(here.loss):
            raise NonFiniteError("the loss is not finite where the descent starts", fix="model.reset()")
        return vector, here

    def line(self, theta: Any, direction: Any) -> Any:
        """The loss along a direction."""

        def at(step: float) -> Point:
            loss, gradient, state = self._evaluated(theta + step * direction)
            slope = float(gradient @ direction) if np.isfinite(loss) else np.nan
            return Point(step, loss, slope, gradient, state)

        return at

    def accept(self, theta: Any, state: Any) -> None:
        """The model stands there from now on."""
        self.model.set_params(self._params(theta))
        self.model.values.state = state

    def _evaluated(self, theta: Any) -> tuple[float, Any, Any]:
        self.evaluations += 1
        model, options = self.model, self.options
        if model.graph.sites:
            options = {**options, "rng": model.make_rng(self.seed)}
        params = {**model.values.params, **self._params(theta)}
        with np.errstate(all="ignore"), refusals():
            loss, state, saved = self.module.forward(params, model.values.state, *self.inputs, **options)
            gradient = self._vector(self.module.backward(params, saved))
        finite = np.isfinite(loss) and bool(np.isfinite(gradient).all())
        return float(loss) if finite else np.inf, gradient, state

    def _vector(self, arrays: Mapping[str, Any]) -> Any:
        return np.concatenate([np.ravel(np.asarray(arrays[n], np.float64)) for n in self.names])

    def _params(self, theta: Any) -> dict[str, Any]:
        found, at = {}, 0
        for name in self.names:
            old = np.asarray(self.model.values.params[name])
            found[name] = theta[at : at + old.size].reshape(old.shape).astype(old.dtype)[()]
            at += old.size
        return found
