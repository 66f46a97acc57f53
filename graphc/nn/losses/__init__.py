"""Losses, written as people write them; the compiler finds the stable form.

Every loss takes ``reduction`` (``mean``, ``sum`` or ``none``) and ``weights`` of examples, and refuses operands of
different shapes: a loss never broadcasts.
"""

from graphc.nn.losses.binary import (
    binary_cross_entropy,
    hinge,
    multilabel_margin,
    multilabel_soft_margin,
    soft_margin,
    squared_hinge,
)
from graphc.nn.losses.classes import cross_entropy, focal, kl_div, multi_margin, nll
from graphc.nn.losses.distances import (
    cosine_embedding,
    cosine_similarity,
    hinge_embedding,
    margin_ranking,
    triplet,
)
from graphc.nn.losses.reduction import REDUCTIONS, reduced
from graphc.nn.losses.regression import (
    gaussian_nll,
    huber,
    l1,
    log_cosh,
    mse,
    pinball,
    poisson_nll,
    smooth_l1,
)

__all__ = [
    "REDUCTIONS",
    "binary_cross_entropy",
    "cosine_embedding",
    "cosine_similarity",
    "cross_entropy",
    "focal",
    "gaussian_nll",
    "hinge",
    "hinge_embedding",
    "huber",
    "kl_div",
    "l1",
    "log_cosh",
    "margin_ranking",
    "mse",
    "multi_margin",
    "multilabel_margin",
    "multilabel_soft_margin",
    "nll",
    "pinball",
    "poisson_nll",
    "reduced",
    "smooth_l1",
    "soft_margin",
    "squared_hinge",
    "triplet",
]
