"""`real eval`: a folder an evaluation. May import cli and below, pair's choices and strategies, and train.curves."""
