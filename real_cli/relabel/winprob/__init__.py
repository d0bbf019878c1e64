"""relabel/winprob."""
