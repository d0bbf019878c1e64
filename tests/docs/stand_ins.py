"""Small models in place of those that short names stand for."""

import os


def small_models():
    """A hook of the launcher: `smollm2` is the folder $SMOLLM2."""
    from real_cli.models.load import resolve

    resolve.SHORT_NAMES["smollm2"] = resolve.ShortName("no_such_package", "", os.environ["SMOLLM2"])
