"""Training: models, data, the loop, callbacks, history, saved models."""

from graphc.train.callbacks import Callback
from graphc.train.history import History
from graphc.train.model import Model
from graphc.train.store import load

__all__ = ["Callback", "History", "Model", "load"]
