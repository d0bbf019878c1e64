"""Texts as people and statistics read them: words, scripts, what a terminal may show. Pure; may import records."""
