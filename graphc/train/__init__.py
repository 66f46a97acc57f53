"""Training: models, data, the loop, callbacks, history, saved models."""

from graphc.train.balance import class_weights, example_weights
from graphc.train.callbacks import Callback
from graphc.train.checkpoint import Checkpoint
from graphc.train.finder import RateSearch, find_rate
from graphc.train.history import History
from graphc.train.layers import LayerStatistics
from graphc.train.live import LiveView
from graphc.train.loader import Loader, Prefetch
from graphc.train.logs import CSVLog, JSONLog
from graphc.train.model import Model
from graphc.train.plateau import ReduceOnPlateau
from graphc.train.quasi_newton import Descent, lbfgs
from graphc.train.stopping import EarlyStopping, StopAtNaN
from graphc.train.store import load

__all__ = [
    "CSVLog",
    "Callback",
    "Checkpoint",
    "Descent",
    "EarlyStopping",
    "History",
    "JSONLog",
    "LayerStatistics",
    "LiveView",
    "Loader",
    "Model",
    "Prefetch",
    "RateSearch",
    "ReduceOnPlateau",
    "StopAtNaN",
    "class_weights",
    "example_weights",
    "find_rate",
    "lbfgs",
    "load",
]
