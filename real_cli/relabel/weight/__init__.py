"""relabel/weight."""
