"""`real split`: prompts for training, and prompts held out. May import cli and below, no other command."""
