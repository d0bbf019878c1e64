"""`real relabel dsat`: replies that left a user dissatisfied."""
