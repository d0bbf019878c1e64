"""`real relabel implicit`: a policy's own log-probabilities as rewards."""
