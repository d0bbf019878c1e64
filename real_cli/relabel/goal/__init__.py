"""`real relabel goal`: each pair twice, once for the goal each response reaches."""
