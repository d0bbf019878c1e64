"""relabel/dsat."""
