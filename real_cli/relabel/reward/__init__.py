"""relabel/reward."""
