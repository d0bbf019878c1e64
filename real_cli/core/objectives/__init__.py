"""What `train-dpo` minimizes: one function an objective, one row in OBJECTIVES, summed by a Mixture."""

from real_cli.core.objectives.logps import Logps
from real_cli.core.objectives.mixture import KNOBS, Mixture
from real_cli.core.objectives.objective import Column, Need, Objective, Responses
from real_cli.core.objectives.table import OBJECTIVES

__all__ = ["KNOBS", "OBJECTIVES", "Column", "Logps", "Mixture", "Need", "Objective", "Responses"]
