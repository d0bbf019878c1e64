"""What `train-dpo` minimizes: a file a loss, with its function on log-probabilities and its row; OBJECTIVES holds all.

Pure: these files import torch, `train.logps` and `train.objective`, nothing of files, flags or printing.
"""

from real_cli.train.losses.table import OBJECTIVES

__all__ = ["OBJECTIVES"]
