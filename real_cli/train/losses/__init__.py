"""What `train-dpo` minimizes: one function an objective, one row in OBJECTIVES, summed by a Mixture."""

from real_cli.train.losses.logps import Logps
from real_cli.train.losses.mixture import KNOBS, Mixture
from real_cli.train.losses.objective import Column, Need, Objective, Responses
from real_cli.train.losses.table import OBJECTIVES

__all__ = ["KNOBS", "OBJECTIVES", "Column", "Logps", "Mixture", "Need", "Objective", "Responses"]
