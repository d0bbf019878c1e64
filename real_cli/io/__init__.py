"""Bytes in and out: JSONL, sources, outputs that appear whole, resuming, a filter's run. May import stats and below."""
