"""`real eval compare`: which way of training is better than another, on the same held-out pairs."""
