"""Every suite, in the order of the table."""

from tests.external import (
    adbench,
    autograd,
    initialisers,
    layers,
    onnx,
    opinfo,
    optim,
    pytensor,
    rewrites,
    schedules,
    stability,
    trajectories,
)

SUITES = (
    trajectories.SUITE,
    stability.SUITE,
    rewrites.SUITE,
    opinfo.SUITE,
    autograd.SUITE,
    pytensor.SUITE,
    onnx.SUITE,
    adbench.SUITE,
    layers.SUITE,
    schedules.SUITE,
    optim.SUITE,
    initialisers.SUITE,
)
