"""`real help`: the manual, wherever the package is. May import cli and below, no other command."""
