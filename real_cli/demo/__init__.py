"""The preference problem that `real init` writes: checked prompts and sampled responses."""
