"""`real relabel human`: questions on a terminal, or in the files of other annotation tools."""
