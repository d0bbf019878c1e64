"""models/reward."""
