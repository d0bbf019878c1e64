"""relabel/implicit."""
