"""models/score."""
