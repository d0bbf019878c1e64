"""What each `eval` puts into its report: from summary and excerpts to sections, pure data."""
