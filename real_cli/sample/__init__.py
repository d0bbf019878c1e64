"""`real sample`: policies answer prompts. May import cli and below, no other command."""
