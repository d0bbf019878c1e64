"""`real train-reward`: from pairs to a reward model. Shares options, steps and passes with `real train-dpo`."""
