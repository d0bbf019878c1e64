"""What a training run says of itself at its end: what moved, and why not more."""
