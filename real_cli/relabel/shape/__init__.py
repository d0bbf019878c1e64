"""`real relabel shape`: what a score becomes before anything learns from it."""
