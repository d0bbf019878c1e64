"""What a person looks at: tables at the terminal, and HTML with plots. May import io and below."""
