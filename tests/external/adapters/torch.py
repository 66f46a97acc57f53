"""PyTorch's operations, by the names of its OpInfo."""

from tests.external.adapters import torch_math, torch_nn, torch_shape

TABLE = {**torch_math.TABLE, **torch_shape.TABLE, **torch_nn.TABLE}
STATIC = torch_shape.STATIC
