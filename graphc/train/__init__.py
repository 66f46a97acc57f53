"""Training: models, data, the loop, history, saved models."""

from graphc.train.history import History
from graphc.train.model import Model
from graphc.train.store import load

__all__ = ["History", "Model", "load"]
