"""What every command shares at the command line: options, help, exit status, who answers. May import llm and below."""
