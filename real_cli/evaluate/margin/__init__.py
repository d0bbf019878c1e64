"""`real eval margin`: how far a policy prefers the chosen responses."""
