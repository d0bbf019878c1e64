"""relabel/shape."""
