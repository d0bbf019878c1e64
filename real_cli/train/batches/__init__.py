"""From examples to the passes of one step: which tokens count, which examples go together, what each weighs."""
