"""`real eval reward`: whether a reward model scores the better response higher."""
