"""evaluate/pairs."""
