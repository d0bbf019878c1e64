"""evaluate/margin."""
