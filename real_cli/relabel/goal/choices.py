"""Where `real relabel goal` writes a goal."""

from enum import StrEnum

DEFAULT_TEMPLATE = "Aim for a response whose overall quality is {goal} out of 10."


class Placement(StrEnum):
    """Where `relabel goal` puts the goal."""

    system = "system"
    user = "user"
