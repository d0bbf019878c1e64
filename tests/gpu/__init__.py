"""What is checked on a GPU, and at tiny size on the CPU, so that it does not rot; README.md says how to run it."""
