"""relabel/human."""
