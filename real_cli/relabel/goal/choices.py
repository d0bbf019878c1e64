"""Where `real relabel goal` writes a goal."""

from enum import StrEnum


class Placement(StrEnum):
    """Where `relabel goal` puts the goal."""

    system = "system"
    user = "user"
