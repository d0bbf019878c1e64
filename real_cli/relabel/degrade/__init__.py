"""relabel/degrade."""
