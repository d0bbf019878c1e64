"""Servers that embed or score: what goes over the wire, and many questions in one request."""
