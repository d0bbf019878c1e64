"""TRL's trainers, with our data, passes and checkpoints. The only folder that imports trl."""
