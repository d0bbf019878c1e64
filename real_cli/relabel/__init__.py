"""`real relabel`: a folder a method, and what scoring methods share. May import cli and below, no other command."""
