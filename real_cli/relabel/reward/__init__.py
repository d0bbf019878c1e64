"""`real relabel reward`: the scores of a reward model, on their records."""
