"""`real train-dpo` and `real train-reward`: from pairs to a model. May import cli and below, no other command."""

import real_cli.models  # noqa: F401 - settles what transformers and trl read once, on import, before they are imported
