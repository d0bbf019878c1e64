"""`real init`: a worked project, or a published method as a Makefile. May import cli and below, no other command."""
