"""`real relabel winprob`: how probable it is that a response wins."""
