"""`real eval budget`: what labels buy, by strategy, from the outcomes of many trained policies."""
