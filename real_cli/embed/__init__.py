"""`real embed`: texts to vectors. May import cli and below, no other command."""
