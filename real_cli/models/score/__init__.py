"""Log-probabilities of responses: tokens, layouts, masks, one forward pass for all responses of a prompt."""
