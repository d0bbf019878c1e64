"""What the options of `pair` mean together, and what a run of it saved."""

import math
from collections.abc import Callable, Collection
from typing import NamedTuple

from real_cli.errors import UsageError
from real_cli.pair.choices import DEFAULT_STRATEGY, Emit, Strategy
from real_cli.pair.choose import Settings
from real_cli.pair.keep import keep_value
from real_cli.pair.strategies import STRATEGIES, Rule
from real_cli.records.record import Record
from real_cli.stats.quota import Keep, parse_keep


class KeepOrder(NamedTuple):
    """What `--keep` keeps: how many, by which number, from which end, or how near to which number."""

    keep: Keep
    by: str
    lowest: bool
    seed: int
    nearest: float | None = None

    def value(self, record: Record) -> float:
        """Return the number that sorts a pair.

        >>> KeepOrder(parse_keep("1"), "margin", lowest=True, seed=0, nearest=2.5).value({"margin": 4})
        1.5
        """
        value = keep_value(record, self.by, self.seed)
        return value if self.nearest is None else abs(value - self.nearest)


# What is written whole: no pair is chosen.
WHOLE = {Emit.ranking: "all responses of a prompt", Emit.prompts: "records as they are"}
# Options that some strategies read, and by what of a row that is known.
READERS: dict[str, Callable[[Rule], bool]] = {
    "--aepo-lambda": lambda rule: "aepo_lambda" in rule.reads,
    "--deviations": lambda rule: rule.needs_deviations,
    "--quantile": lambda rule: "quantile" in rule.reads,
}


def check_settings(
    settings: Settings,
    *,
    strategy_given: bool,
    keep: str | None,
    given: Collection[str] = (),
    distance: float | None = None,
) -> None:
    """Refuse options of `pair` that contradict each other."""
    if settings.emit in WHOLE and (strategy_given or keep or settings.curriculum):
        raise UsageError(
            f"--emit {settings.emit} writes {WHOLE[settings.emit]}; leave out --strategy, --keep and --curriculum"
        )
    if distance is not None and not 0 < distance <= 4:
        raise UsageError(f"--dedup-distance {distance:g}: give a number above 0, at most 4, the distance of opposites")
    if settings.emit is Emit.prompts and distance is None:
        raise UsageError("--emit prompts writes the prompts that --dedup-distance leaves; give it too")
    for option in given:
        readers = [name for name, rule in STRATEGIES.items() if READERS[option](rule)]
        if settings.strategy not in readers:
            raise UsageError(
                f"{option} is read by --strategy {', '.join(readers)}, not by {settings.strategy}; leave it out"
            )
    if settings.curriculum and not STRATEGIES[settings.strategy].several_pairs:
        raise UsageError(
            f"--curriculum orders several pairs of a prompt, and --strategy {settings.strategy} makes one; "
            "use best-vs-rest or all"
        )


def default_strategy(curriculum: bool) -> Strategy:
    """Choose the strategy where the user names none."""
    return Strategy.best_vs_rest if curriculum else DEFAULT_STRATEGY


def plan_keep(
    keep: str | None, by: str | None, lowest: bool | None, settings: Settings, nearest: float | None = None
) -> KeepOrder | None:
    """Complete `--keep` with the strategy's own order.

    >>> plan_keep("50%", None, None, Settings(Strategy.hard))[1:]
    ('similarity', False, 0, None)
    """
    if keep is None:
        if by is not None or lowest is not None or nearest is not None:
            raise UsageError("--by, --lowest, --highest and --nearest say what --keep keeps; give --keep too")
        return None
    if nearest is not None:
        lowest = _lowest_distance(nearest, lowest)
    rule = STRATEGIES[settings.strategy].keep
    if rule is not None and by in (None, rule.by):
        by = rule.by
        lowest = rule.lowest if lowest is None else lowest
    if by is None or (lowest is None and by != "random"):
        raise UsageError(
            f"--keep with --strategy {settings.strategy}: say which pairs with --by NAME and --lowest, --highest or "
            "--nearest X"
        )
    if nearest is not None and by == "random":
        raise UsageError("--nearest: --by random is no measure; give --by score-gap or another")
    return KeepOrder(parse_keep(keep), by, bool(lowest), settings.seed, nearest)


def _lowest_distance(nearest: float, lowest: bool | None) -> bool:
    """Refuse `--nearest` where it means nothing; the nearest pairs are those with the lowest distance."""
    if lowest is not None:
        raise UsageError("--nearest: keeps neither the lowest nor the highest; leave out --lowest and --highest")
    if not math.isfinite(nearest):
        raise UsageError(f"--nearest {nearest}: give a finite number")
    return True
