"""Every suite, in the order of the table."""

from tests.external import opinfo, stability, trajectories

SUITES = (trajectories.SUITE, stability.SUITE, opinfo.SUITE)
