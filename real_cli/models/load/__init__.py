"""From the name a user gives to a model in memory: its files, their faults, its device."""
