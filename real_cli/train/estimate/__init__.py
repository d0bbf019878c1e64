"""What a run would take, before it takes it: memory by its parts, time from a probe, and what would fit."""
