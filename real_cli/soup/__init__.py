"""`real soup`: the average of checkpoints. May import cli and below, no other command."""
