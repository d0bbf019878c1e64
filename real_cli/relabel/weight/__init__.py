"""`real relabel weight`: how much a pair weighs in the loss."""
