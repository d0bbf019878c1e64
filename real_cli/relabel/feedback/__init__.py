"""`real relabel feedback`: pairs and labeled rows of what users did with replies."""
