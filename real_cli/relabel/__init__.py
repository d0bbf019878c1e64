"""relabel."""
