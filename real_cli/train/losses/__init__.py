"""What `train-dpo` minimizes: one function an objective, one row in OBJECTIVES, summed by a Mixture."""

from real_cli.train.logps import Logps
from real_cli.train.losses.mixture import KNOBS, Mixture
from real_cli.train.losses.table import OBJECTIVES
from real_cli.train.objective import Column, Need, Objective, Responses

__all__ = ["KNOBS", "OBJECTIVES", "Column", "Logps", "Mixture", "Need", "Objective", "Responses"]
