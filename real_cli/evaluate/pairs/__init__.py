"""`real eval pairs`: the health of a set of pairs."""
