"""What asking costs: the bill of a server, a limit that no call overshoots, and an estimate before the first call."""
