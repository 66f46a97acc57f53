"""Every suite, in the order of the table."""

from tests.external import autograd, opinfo, stability, trajectories

SUITES = (trajectories.SUITE, stability.SUITE, opinfo.SUITE, autograd.SUITE)
