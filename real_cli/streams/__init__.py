"""Bytes and terminals: where records come from, where they go, and what is said about them."""
