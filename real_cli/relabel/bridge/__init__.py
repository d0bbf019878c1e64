"""`real relabel bridge`: the rejected response edited towards the chosen one."""
