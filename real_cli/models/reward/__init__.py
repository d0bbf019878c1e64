"""Reward models: what they read, and their scores."""
