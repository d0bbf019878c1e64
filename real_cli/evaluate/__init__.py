"""`real eval`: a folder an evaluation. May import cli and below, pair's rules (not its command), and train.curves."""
