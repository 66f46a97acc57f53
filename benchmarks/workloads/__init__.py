"""Nine workloads, W1 to W9: each one training step (or a value with its gradient), written several times over.

``problems`` makes the data and the starting values, ``models`` declares the networks in graphc, ``generated`` turns
these into steps, ``by_hand`` holds the same steps in plain NumPy as a person would write them who counts every call,
and ``torch_steps`` and ``jax_steps`` are the peers. Every one of them gives the same losses.
"""
