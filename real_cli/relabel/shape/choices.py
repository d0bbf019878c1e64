"""How `real relabel shape` shapes scores."""

from enum import StrEnum

# Steepness of par.
STEEPNESS = 1.0
# Tokens that cost nothing.
FREE_LENGTH = 300
# The field of a record with the scores of reference responses.
REFERENCE_SCORES = "reference_scores"


class Shaping(StrEnum):
    """How `relabel shape` shapes scores; the functions are in `real_cli.relabel.shape.shapes`."""

    par = "par"
    centered = "centered"
    tanh = "tanh"
    arctan = "arctan"
    polynomial = "polynomial"
    sgfc = "sgfc"
    lsc = "lsc"
    ceiling = "ceiling"
    clip = "clip"
    standardize = "standardize"
    min_max = "min-max"
