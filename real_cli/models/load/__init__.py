"""From the name a user gives to a model in memory: where it is, its device, its tensors, what is wrong with it."""
