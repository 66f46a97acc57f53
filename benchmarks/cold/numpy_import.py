"""What every one of them does first."""

import numpy as np

print(np.float32(0))
