"""What `train-dpo` minimizes: a file a loss, with its function on log-probabilities and its row; OBJECTIVES holds all.

Pure: these files import torch, `train.logps` and `train.objective`, nothing of files, flags or printing.
"""

from real_cli.train.choices import Loss
from real_cli.train.losses import (
    ada_dpo,
    aot,
    apo,
    asft,
    bco,
    bmc,
    cpo,
    discopop,
    dlma,
    dpo,
    exo,
    hinge,
    ipo,
    nca,
    orpo,
    pro,
    selm,
    sft,
    simpo,
    spa,
    spo,
    sppo,
    tpo,
)
from real_cli.train.objective import Objective

FILES = (
    ada_dpo,
    aot,
    apo,
    asft,
    bco,
    bmc,
    cpo,
    discopop,
    dlma,
    dpo,
    exo,
    hinge,
    ipo,
    nca,
    orpo,
    pro,
    selm,
    sft,
    simpo,
    spa,
    spo,
    sppo,
    tpo,
)
ROWS = {name: row for file in FILES for name, row in file.ROWS.items()}
# In the order in which the help lists them.
OBJECTIVES: dict[str, Objective] = {name.value: ROWS[name.value] for name in Loss}
