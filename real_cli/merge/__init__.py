"""`real merge`: shards in the input's order. May import cli and below, no other command."""
