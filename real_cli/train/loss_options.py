"""The knobs of the losses as options, for a help that loads no torch. Made by `python -m real_cli.docs`."""

from dataclasses import dataclass
from typing import Annotated

import typer


@dataclass(frozen=True, kw_only=True)
class LossKnobs:
    """What the losses may be told; None is what each loss has by default. The order is kept, as that of the names."""

    beta: Annotated[
        float | None,
        typer.Option(
            "--beta",
            metavar="X",
            show_default="the objective's",
            help="Strength of the pull towards the reference, or of the margin.",
        ),
    ] = None
    label_smoothing: Annotated[
        float | None,
        typer.Option(
            "--label-smoothing",
            metavar="X",
            show_default="the objective's",
            help="Share of labels thought to be flipped; of spa, of those it flags.",
        ),
    ] = None
    alpha: Annotated[
        float | None,
        typer.Option(
            "--alpha",
            metavar="X",
            show_default="the objective's",
            help="Weight of an objective's second term (sft, optimism, degrees).",
        ),
    ] = None
    gamma: Annotated[
        float | None,
        typer.Option(
            "--gamma",
            metavar="X",
            show_default="the objective's",
            help="Margin that simpo and tpo-l demand.",
        ),
    ] = None
    rho: Annotated[
        float | None,
        typer.Option(
            "--rho",
            metavar="X",
            show_default="0.5931",
            help="Entropy that ada-dpo gives each pair, in nats: ln 2 less its authors' rho.",
        ),
    ] = None
    tau: Annotated[
        float | None,
        typer.Option(
            "--tau",
            metavar="X",
            show_default="0.05",
            help="Temperature of discopop's blend.",
        ),
    ] = None
    tau_min: Annotated[
        float | None,
        typer.Option(
            "--tau-min",
            metavar="X",
            show_default="0.1",
            help="Lowest temperature of ada-dpo.",
        ),
    ] = None
    tau_max: Annotated[
        float | None,
        typer.Option(
            "--tau-max",
            metavar="X",
            show_default="5",
            help="Highest temperature of ada-dpo.",
        ),
    ] = None
    delta: Annotated[
        float | None,
        typer.Option(
            "--delta",
            metavar="X",
            show_default="1.5",
            help="Most that bmc adds to the weight of a differing token.",
        ),
    ] = None
    offset_scale: Annotated[
        float | None,
        typer.Option(
            "--offset-scale",
            metavar="X",
            show_default="0.2",
            help="What dlma multiplies its offset by.",
        ),
    ] = None
    offset_min: Annotated[
        float | None,
        typer.Option(
            "--offset-min",
            metavar="X",
            show_default="-40",
            help="Offsets of dlma below this count as this.",
        ),
    ] = None
    offset_max: Annotated[
        float | None,
        typer.Option(
            "--offset-max",
            metavar="X",
            show_default="40",
            help="Offsets of dlma above this count as this.",
        ),
    ] = None
    flip_quantile: Annotated[
        float | None,
        typer.Option(
            "--flip-quantile",
            metavar="X",
            show_default="0.1",
            help="Share of recent pairs, those of least margin, that spa distrusts.",
        ),
    ] = None
    warm_share: Annotated[
        float | None,
        typer.Option(
            "--warm-share",
            metavar="X",
            show_default="0.2",
            help="Share of the steps before spa distrusts any.",
        ),
    ] = None
    extrapolate: Annotated[
        float | None,
        typer.Option(
            "--extrapolate",
            metavar="X",
            show_default="0.5",
            help="How far spa's detector goes beyond the policy; 0 is the policy.",
        ),
    ] = None
    levels: Annotated[
        float | None,
        typer.Option(
            "--levels",
            metavar="X",
            show_default="4",
            help="Degrees that spo tells apart, 0 among them.",
        ),
    ] = None
    desirable_weight: Annotated[
        float | None,
        typer.Option(
            "--desirable-weight",
            metavar="X",
            show_default="1",
            help="Weight that kto gives completions labeled true.",
        ),
    ] = None
    undesirable_weight: Annotated[
        float | None,
        typer.Option(
            "--undesirable-weight",
            metavar="X",
            show_default="1",
            help="Weight that kto gives completions labeled false.",
        ),
    ] = None
