"""What a run of `train-dpo` writes as it goes: checkpoints that count, and the lines of `--dump`, cut to them."""
