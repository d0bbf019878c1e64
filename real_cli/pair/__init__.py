"""`real pair`: which responses of a prompt to compare. May import cli and below, no other command."""
