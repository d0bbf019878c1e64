"""`real eval winrate`: which model wins."""
