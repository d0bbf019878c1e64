"""relabel/goal."""
