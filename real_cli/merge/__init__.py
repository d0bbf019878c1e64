"""`real merge`: the outputs of shards, in the input's order. May import cli and below, no other command."""
