"""One step of the digits network in PyTorch, eager."""

import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)

random = np.random.default_rng(0)
x = torch.tensor(random.random((64, 64)), dtype=torch.float32)
t = torch.tensor(random.integers(0, 10, 64))
loss = nn.functional.cross_entropy(net(x), t)
loss.backward()
optimizer.step()
print(loss.item())
