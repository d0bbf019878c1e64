"""The roof: one thin file a command."""
