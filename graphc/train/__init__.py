"""Training: models, data, the loop, callbacks, history, saved models."""

from graphc.train.callbacks import Callback
from graphc.train.checkpoint import Checkpoint
from graphc.train.history import History
from graphc.train.model import Model
from graphc.train.stopping import EarlyStopping, StopAtNaN
from graphc.train.store import load

__all__ = ["Callback", "Checkpoint", "EarlyStopping", "History", "Model", "StopAtNaN", "load"]
