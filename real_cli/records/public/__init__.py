"""The layouts that people have: what tells each, how it is read, and where prompts stand in them."""
