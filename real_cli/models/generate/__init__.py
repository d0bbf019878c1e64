"""A causal language model that answers, seeded response by response."""
