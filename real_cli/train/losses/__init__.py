"""What `train-dpo` minimizes: a file a loss, with its function on log-probabilities and its row; OBJECTIVES holds all.

Pure: these files import torch, `train.logps`, `train.knobs` and `train.objective`, nothing of files, flags or printing.
A file that lies here is read: adding a loss adds its file, and `python -m real_cli.docs` then adds it to the help.
"""

from importlib import import_module
from pkgutil import iter_modules

from real_cli.train.knobs import declared_knobs
from real_cli.train.loss_names import LOSSES
from real_cli.train.objective import Objective

_FILES = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
_ROWS: dict[str, Objective] = {name: row for file in _FILES for name, row in file.ROWS.items()}
# In the order of the help; what that does not know yet comes last.
OBJECTIVES = {name: _ROWS[name] for name in dict.fromkeys([*LOSSES, *_ROWS]) if name in _ROWS}
KNOBS = declared_knobs({name: row.loss for name, row in OBJECTIVES.items()})
