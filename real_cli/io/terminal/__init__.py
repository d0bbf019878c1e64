"""What commands write and draw on a terminal that they share. Imports `terminal_lock`, text and what is below."""
