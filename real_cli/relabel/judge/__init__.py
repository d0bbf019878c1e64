"""`real relabel judge`: a language model compares, rates or tags."""
