"""Small real data inside the package, synthetic data from a seed, and files of your own.

Every function here returns a ``Dataset``: immutable ``x`` and ``y`` with their names and source.
"""

from graphc.datasets.bundled import diabetes, digits
from graphc.datasets.dataset import Dataset
from graphc.datasets.files import load
from graphc.datasets.synthetic import lines, moons, spirals

__all__ = ["Dataset", "diabetes", "digits", "lines", "load", "moons", "spirals"]
