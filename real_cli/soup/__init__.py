"""soup."""
