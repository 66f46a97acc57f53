"""Planning: what is computed, in which order, in which phase."""
