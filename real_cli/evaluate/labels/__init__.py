"""evaluate/labels."""
