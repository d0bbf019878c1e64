"""relabel/judge."""
