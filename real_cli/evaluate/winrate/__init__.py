"""evaluate/winrate."""
