"""The layouts that people have: what tells each, how it is read, and where its prompt stands."""
