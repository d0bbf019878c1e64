"""`real relabel degrade`: copies of the chosen response with fewer key words."""
