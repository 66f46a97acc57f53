"""Every suite, in the order of the table."""

from tests.external import stability, trajectories

SUITES = (trajectories.SUITE, stability.SUITE)
