"""Print what came of every case: ``python -m tests.external [SUITE ...]``."""

from __future__ import annotations

import sys

import tests.conftest  # noqa: F401  BLAS on one thread, before NumPy comes in
from tests.external.harness import table
from tests.external.suites import SUITES

if __name__ == "__main__":
    wanted = sys.argv[1:] or [suite.name for suite in SUITES]
    chosen = [suite for suite in SUITES if suite.name in wanted]
    print(table([(s.name, [(case.name, case.run()) for case in s.cases]) for s in chosen]))  # noqa: T201  its job
