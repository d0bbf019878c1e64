"""What the options of `pair` mean together, and what a run of it saved."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from real_cli.core.counting import say_count
from real_cli.core.names import Emit, Strategy
from real_cli.core.pairing import Outcome, Settings
from real_cli.core.records import Record, is_preference
from real_cli.core.selection import Keep, parse_keep
from real_cli.core.strategies import STRATEGIES
from real_cli.errors import UsageError


class KeepOrder(NamedTuple):
    """What `--keep` keeps: how many, by which number, from which end."""

    keep: Keep
    by: str
    lowest: bool
    seed: int


# What is written whole: no pair is chosen.
WHOLE = {Emit.ranking: "all responses of a prompt", Emit.prompts: "records as they are"}
# Options that some strategies read.
READERS: dict[str, frozenset[Strategy]] = {
    "--aepo-lambda": frozenset({Strategy.aepo}),
    "--deviations": frozenset(name for name, rule in STRATEGIES.items() if rule.needs_deviations),
    "--quantile": frozenset({Strategy.delta_quantile}),
}


def check_settings(
    settings: Settings,
    *,
    strategy_given: bool,
    keep: str | None,
    given: Collection[str] = (),
    distance: float | None = None,
) -> None:
    """Refuse options of `pair` that contradict each other.

    Args:
        settings: What was asked for.
        strategy_given: Whether the user named the strategy.
        keep: The value of `--keep`.
        given: The options of READERS that the user gave.
        distance: The value of `--dedup-distance`.

    Raises:
        UsageError: If one option would be ignored.
    """
    if settings.emit in WHOLE and (strategy_given or keep or settings.curriculum):
        raise UsageError(
            f"--emit {settings.emit} writes {WHOLE[settings.emit]}; leave out --strategy, --keep and --curriculum"
        )
    if distance is not None and not 0 < distance <= 4:
        raise UsageError(f"--dedup-distance {distance:g}: give a number above 0, at most 4, the distance of opposites")
    if settings.emit is Emit.prompts and distance is None:
        raise UsageError("--emit prompts writes the prompts that --dedup-distance leaves; give it too")
    for option in given:
        if settings.strategy not in READERS[option]:
            readers = ", ".join(name for name in STRATEGIES if name in READERS[option])
            raise UsageError(f"{option} is read by --strategy {readers}, not by {settings.strategy}; leave it out")
    if settings.curriculum and not STRATEGIES[settings.strategy].several_pairs:
        raise UsageError(
            f"--curriculum orders several pairs of a prompt, and --strategy {settings.strategy} makes one; "
            "use best-vs-rest or all"
        )


def default_strategy(curriculum: bool) -> Strategy:
    """Choose the strategy where the user names none.

    Args:
        curriculum: Whether stages are wanted.

    Returns:
        Curry-DPO's pairs for stages, REAL's otherwise.
    """
    return Strategy.best_vs_rest if curriculum else Strategy.easy


def plan_keep(keep: str | None, by: str | None, lowest: bool | None, settings: Settings) -> KeepOrder | None:
    """Complete `--keep` with the strategy's own order.

    Args:
        keep: A share, a count, or None for all.
        by: A number's name, or None for the strategy's own.
        lowest: The end to keep, or None for the strategy's own.
        settings: The strategy and the seed.

    Returns:
        The order, or None if all pairs stay.

    Raises:
        UsageError: If the order is not clear, or said without `--keep`.

    Example:
        >>> plan_keep("50%", None, None, Settings(Strategy.hard))[1:]
        ('similarity', False, 0)
    """
    if keep is None:
        if by is not None or lowest is not None:
            raise UsageError("--by, --lowest and --highest say what --keep keeps; give --keep too")
        return None
    own = STRATEGIES[settings.strategy].keep
    if own is not None and by in (None, own.by):
        by = own.by
        lowest = own.lowest if lowest is None else lowest
    if by is None or (lowest is None and by != "random"):
        raise UsageError(
            f"--keep with --strategy {settings.strategy}: say which pairs with --by NAME and --lowest or --highest"
        )
    return KeepOrder(parse_keep(keep), by, bool(lowest), settings.seed)


@dataclass
class Savings:
    """How many labels a choice of pairs saves.

    Attributes:
        num_prompts: Records read.
        num_possible: Pairs that the distinct responses of all prompts could form.
        num_given: Pairs that the input already was; None once a prompt came with another number of responses than two.
        num_chosen: Pairs that stay.
        num_unlabeled: Pairs without a label, of those that were chosen before `--keep`.
    """

    num_prompts: int = 0
    num_possible: int = 0
    num_given: int | None = 0
    num_chosen: int = 0
    num_unlabeled: int = 0

    def add(self, record: Record, outcome: Outcome) -> None:
        """Count one prompt.

        Args:
            record: The record as read.
            outcome: What became of it.
        """
        self.num_prompts += 1
        self.num_possible += outcome.possible
        is_pair = is_preference(record) or len(record.get("responses", ())) == 2
        self.num_given = self.num_given + 1 if self.num_given is not None and is_pair else None

    def add_pair(self, made: Record) -> None:
        """Count a pair that was chosen.

        Args:
            made: The pair.
        """
        self.num_unlabeled += "responses" in made

    def share_of_possible(self) -> float | None:
        """Work out 1 - chosen / all possible pairs.

        Returns:
            A share in [0, 1]; None if no pair was possible.

        Example:
            >>> Savings(num_prompts=2, num_possible=12, num_given=None, num_chosen=3).share_of_possible()
            0.75
        """
        return 1 - self.num_chosen / self.num_possible if self.num_possible else None

    def share_of_given(self) -> float | None:
        """Work out 1 - chosen / pairs of the input.

        Returns:
            A share, at most 1; None where the input was not pairs.

        Example:
            >>> Savings(num_prompts=4, num_possible=4, num_given=4, num_chosen=2).share_of_given()
            0.5
        """
        return 1 - self.num_chosen / self.num_given if self.num_given else None

    def sentence(self, emit: Emit = Emit.pairs) -> str:
        """Tell the savings in one line.

        Args:
            emit: What was written; a ranking needs every response labeled and saves nothing.

        Returns:
            Both shares with their denominators, METHODS 1.7.

        Example:
            >>> Savings(num_prompts=4, num_possible=4, num_given=4, num_chosen=2).sentence()
            "2 pairs from 4 prompts; labels saved: 50.0% of the 4 possible pairs, 50.0% of the input's 4"
        """
        if emit is Emit.prompts:
            return say_count(self.num_chosen, "prompt")
        made = say_count(self.num_chosen, emit.value.removesuffix("s"))
        text = f"{made} from {say_count(self.num_prompts, 'prompt')}"
        if emit is Emit.ranking:
            return text
        if self.num_unlabeled and self.num_unlabeled != self.num_chosen:
            text += f" ({self.num_unlabeled:,} chosen without a label)"
        if (share := self.share_of_possible()) is not None:
            text += f"; labels saved: {share:.1%} of the {say_count(self.num_possible, 'possible pair')}"
        if (share := self.share_of_given()) is not None:
            text += f", {share:.1%} of the input's {self.num_given:,}"
        return text
