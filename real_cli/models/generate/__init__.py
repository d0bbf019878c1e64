"""models/generate."""
