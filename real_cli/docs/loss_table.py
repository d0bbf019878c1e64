"""The light tables of losses and their knobs, made from the losses' files, for a help that must not load torch."""

import textwrap

from real_cli.train import loss_options
from real_cli.train.losses import KNOBS, OBJECTIVES

MADE = "Made by `python -m real_cli.docs`"
NAMES = f'''"""The names of the losses, for a help that loads no torch. {MADE}.

The order is that of the help, and is kept: a new name comes last, and may be moved by hand.
"""

LOSSES = (
'''
OPTIONS = f'''"""The knobs of the losses as options, for a help that loads no torch. {MADE}."""

from dataclasses import dataclass
from typing import Annotated

import typer


@dataclass(frozen=True, kw_only=True)
class LossKnobs:
    """What the losses may be told; None is what each loss has by default. The order is kept, as that of the names."""

'''
KNOB = """    {name}: Annotated[
        float | None,
        typer.Option(
            "--{flag}",
            metavar="X",
            show_default={default},
            help={help},
        ),
    ] = None
"""
HELP_WIDTH = 100
PACKAGE = "real_cli/train"


def loss_tables() -> dict[str, str]:
    """Make the modules that the command line reads: paths below the repository's root, and contents."""
    known = [name for name in loss_options.LossKnobs.__annotations__ if name in KNOBS]
    names = dict.fromkeys([*known, *KNOBS])
    return {
        f"{PACKAGE}/loss_names.py": NAMES + "".join(f"    {_quoted(name)},\n" for name in OBJECTIVES) + ")\n",
        f"{PACKAGE}/loss_options.py": OPTIONS + "".join(map(_knob, names)),
    }


def _knob(name: str) -> str:
    *parts, last = textwrap.wrap(KNOBS[name].help, HELP_WIDTH)
    text = f"\n{' ' * 12}".join(map(_quoted, [*(f"{part} " for part in parts), last]))
    flag = name.replace("_", "-")
    return KNOB.format(name=name, flag=flag, default=_quoted(_default(name)), help=text)


def _default(name: str) -> str:
    defaults = {row.knobs[name] for row in OBJECTIVES.values() if name in row.knobs}
    return f"{defaults.pop():.4g}" if len(defaults) == 1 else "the objective's"


def _quoted(text: str) -> str:
    """Quote a text as the formatter does."""
    plain = text.replace("\\", "\\\\")
    return f'"{plain}"' if '"' not in text else repr(text)
