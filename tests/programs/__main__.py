"""Run random programs and print what came of them: ``python -m tests.programs --seed 7 --count 1000``."""

from __future__ import annotations

import argparse
import sys

import tests.conftest  # noqa: F401  BLAS on one thread, before NumPy comes in
from tests.programs.sweep import sweep_all

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.programs", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=None)
    given = parser.parse_args()
    outcome = sweep_all(given.seed, given.count, given.workers)
    print(outcome)
    sys.exit(bool(outcome.failures))
