"""How `train-dpo` runs on several devices: a process each, of which the first reads, writes and speaks."""
