"""Real: jq for preference data."""

__version__ = "0.1.0"
