"""What `real train-dpo` and `real train-reward` share: options, settings, the steps of a run."""
