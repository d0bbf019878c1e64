"""What commands share at the command line: options, help, exit status, language models. May import llm and below."""
