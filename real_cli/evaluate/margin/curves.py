"""The section of a report that shows a training run."""

from real_cli.report.contents import SHARE, Plot, PlotKind, Section, Series, Span
from real_cli.text.phrases import say_count
from real_cli.train.curves import EVAL_PREFIX, TrainingCurves

ACCURACY = ("rewards/accuracies",)
REWARDS = ("rewards/chosen", "rewards/rejected")
# Of sums of log-probabilities in float32, times beta.
ROUNDING = 1e-5
FREE: Span = (None, None)
# Title, vertical axis, names in the log, value of y to mark and what it is, ends of the vertical axis.
PLOTS: tuple[tuple[str, str, tuple[str, ...], float | None, str, Span], ...] = (
    ("Loss", "loss", ("loss",), None, "", FREE),
    ("Margin of rewards", "margin, times beta", ("rewards/margins",), 0.0, "no preference", FREE),
    ("Accuracy of rewards", "share of pairs", ACCURACY, 0.5, "chance", SHARE),
    (
        "Rewards of chosen and rejected",
        "reward, times beta",
        REWARDS,
        0.0,
        "the reference",
        FREE,
    ),
)
TRAINING = "A point of training is a mean over the pairs since the one before."
HELD_OUT = "A point of held-out pairs is a mean over all of them."


def training_section(curves: TrainingCurves) -> Section:
    """Draw what a run logged: a plot for each kind of number that is there."""
    plots = []
    for title, label, names, baseline, mark, span in PLOTS:
        series = tuple(
            Series(_heading(prefix, name, several=len(names) > 1), *curves.curves[prefix + name])
            for name in names
            for prefix in ("", EVAL_PREFIX)
            if prefix + name in curves.curves
        )
        if series:
            sizes = ", ".join(f"{len(line.x):,} {line.name}" for line in series)
            drawn = {prefix for name in names for prefix in ("", EVAL_PREFIX) if prefix + name in curves.curves}
            means = " ".join(text for prefix, text in (("", TRAINING), (EVAL_PREFIX, HELD_OUT)) if prefix in drawn)
            note = f"n = logged lines: {sizes}. {means}"
            if names == ACCURACY:
                note += _unmoved(curves)
            plots.append(Plot(PlotKind.curve, title, "step", label, series, note, baseline, mark, y_span=span))
    text = f"{say_count(curves.num_steps, 'logged line')} of a training run."
    if curves.num_unknown:
        text += f" Passed over, because they are no step of a run: {curves.num_unknown:,}."
    return Section("Training", text, tuple(plots))


def _unmoved(curves: TrainingCurves) -> str:
    """Say how many points are rounding; as in TRL's log a pair is right if chosen has the larger reward."""
    empty: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())
    (steps, chosen), (other_steps, rejected) = (curves.curves.get(name, empty) for name in REWARDS)
    if steps != other_steps:
        return ""
    count = sum(max(map(abs, rewards)) < ROUNDING for rewards in zip(chosen, rejected, strict=True))
    if not count:
        return ""
    return (
        f" At {say_count(count, 'logged step')} both mean rewards are within {ROUNDING:g} of 0, as while the policy "
        "still is its reference: these pairs are ties, rounding decides each, and the point says nothing."
    )


def _heading(prefix: str, name: str, *, several: bool) -> str:
    where = "held out" if prefix else "training"
    return f"{name.rsplit('/', 1)[-1]}, {where}" if several else where
