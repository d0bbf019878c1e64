"""What travels on a line: records, their layouts, texts, numbers and embeddings. Pure; imports errors alone."""
