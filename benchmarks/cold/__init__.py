"""Programs that take one training step of the digits network from nothing, each in a process of its own."""
