"""relabel/bridge."""
