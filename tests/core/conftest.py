"""Hypothesis on a machine that others use too: no example fails for being slow."""

from hypothesis import settings

settings.register_profile("core", deadline=None)
settings.load_profile("core")
