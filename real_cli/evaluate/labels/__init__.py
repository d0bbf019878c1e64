"""`real eval labels`: how often labels are wrong, and which strategy asks for right ones."""
