"""How `real relabel shape` shapes scores."""

from enum import StrEnum


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
