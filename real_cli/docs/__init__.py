"""Man pages and the README's tables, made from the code; nothing imports this room."""
