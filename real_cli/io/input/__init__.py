"""What becomes of what was read: rows joined, shards, names that are no files. Imports as io does."""
