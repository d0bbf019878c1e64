"""`real relabel`: a folder a method, and what those that score share. May import cli and below, no other command."""
