"""models/load."""
