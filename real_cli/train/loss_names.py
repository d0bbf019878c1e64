"""The names of the losses, for a help that loads no torch. Made by `python -m real_cli.docs`.

The order is that of the help, and is kept: a new name comes last, and may be moved by hand.
"""

LOSSES = (
    "dpo",
    "cdpo",
    "ipo",
    "hinge",
    "robust",
    "exo",
    "nca",
    "bco",
    "aot",
    "aot-unpaired",
    "apo-zero",
    "apo-down",
    "discopop",
    "dpo-norm",
    "sppo",
    "sppo-hard",
    "ada-dpo",
    "dlma",
    "spa",
    "bmc",
    "bmc-code",
    "spo",
    "selm",
    "tpo",
    "tpo-l",
    "pro",
    "sft",
    "asft",
    "simpo",
    "cpo",
    "orpo",
    "kto",
)
