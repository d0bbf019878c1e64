"""Strategies tried on candidates whose truth is known: the labels that each would have asked for."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from real_cli.errors import UsageError, none_of
from real_cli.evaluate.labels.budgets import LabelBudget, parse_budgets, spend
from real_cli.evaluate.labels.error_rates import SHARES, measure
from real_cli.evaluate.labels.gold import Marks, Truth
from real_cli.evaluate.labels.rows import Numbers, PairTally, Rows
from real_cli.pair.choices import Orient, Strategy
from real_cli.pair.choose import Settings, begin_pairs
from real_cli.pair.keep import keep_value
from real_cli.pair.similarity_batch import Similarities
from real_cli.pair.strategies import STRATEGIES, KeepRule
from real_cli.records.record import Record
from real_cli.stats.bootstrap import Bootstrap
from real_cli.stats.intervals import Estimate
from real_cli.stats.proportions import share_difference
from real_cli.text.phrases import say_count

# A strategy that says nothing of the order spends a budget in an order of chance.
BY_CHANCE = KeepRule("random", lowest=True)
COMPARED = ("expected_flips", "share_wrong")
POSITION = "*position"


def parse_strategies(text: str) -> list[Strategy]:
    """Read names of strategies, each once and in the order given."""
    names = list(dict.fromkeys(map(str.strip, text.split(","))))
    for name in names:
        if name not in list(Strategy):
            raise UsageError(f"--compare: {none_of(name, Strategy)}")
    return [Strategy(name) for name in names]


def with_positions(record: Record) -> Record:
    """Number the responses of a record, so that a pair tells which two it is of."""
    return record | {
        "responses": [response | {POSITION: number} for number, response in enumerate(record["responses"])]
    }


class TrialChoice(NamedTuple):
    """Which responses a pair is of, how similar they are, and the number by which a budget sorts it."""

    first: int
    second: int
    similarity: float
    order: float


class StrategyTrials:
    """The pairs that several strategies choose from the same candidates.

    Args:
        strategies: Which.
        budgets: Budgets of labels to spend under each; may be empty.
        seed: Of random choices.
        max_responses: Most of a prompt that are compared by their embeddings.
    """

    def __init__(
        self,
        strategies: list[Strategy],
        budgets: list[LabelBudget],
        seed: int = 0,
        max_responses: int = Settings.max_responses,
    ) -> None:
        self._strategies = strategies
        self._budgets = budgets
        self._seed = seed
        self._max_responses = max_responses
        self._tallies = {strategy: PairTally() for strategy in strategies}
        self.num_records = 0
        self.num_with_pair = 0
        self._num_without = dict.fromkeys(strategies, 0)

    @property
    def base(self) -> Strategy:
        """What the others are compared with."""
        return Strategy.random if Strategy.random in self._strategies else self._strategies[0]

    def choose(self, light: Record, comparison: Similarities | None) -> dict[Strategy, list[TrialChoice]]:
        """Choose pairs of one record under each strategy."""
        return {strategy: list(self._choices(strategy, light, comparison)) for strategy in self._strategies}

    def _choices(self, strategy: Strategy, light: Record, comparison: Similarities | None) -> Iterator[TrialChoice]:
        settings = Settings(strategy, Orient.none, seed=self._seed, max_responses=self._max_responses)
        by = _order_of(strategy).by
        for pair in begin_pairs(light, settings, comparison).rest:
            if not isinstance(pair, str):
                first, second = (response[POSITION] for response in pair["responses"])
                order = keep_value(pair, by, self._seed) if self._budgets else math.nan
                yield TrialChoice(first, second, pair.get("similarity", math.nan), order)

    def add(self, key: bytes, choices: dict[Strategy, list[TrialChoice]], marks: Marks) -> None:
        """Count what was chosen of one record."""
        self.num_records += 1
        self.num_with_pair += any(choices.values())
        for strategy, chosen in choices.items():
            self._num_without[strategy] += not chosen
            for first, second, similarity, order in chosen:
                gold, label = (numbers[first] - numbers[second] for numbers in marks)
                self._tallies[strategy].add(key, gold, label, similarity, order=order)

    def compare(self, bootstrap: Bootstrap, rows: dict[Strategy, Rows], truth: Truth) -> list[dict[str, Any]]:
        """Put the strategies side by side; `difference_X` is X minus that of `base`, on the same prompts."""
        base = rows[self.base]
        base_values = base.values(truth)
        table = []
        for strategy in self._strategies:
            measured = measure(bootstrap, rows[strategy], truth)
            line: dict[str, Any] = {"strategy": strategy.value}
            line |= {name: measured[name] for name in measured if name == "num_pairs" or name.startswith(COMPARED[0])}
            values = rows[strategy].values(truth)
            for name in COMPARED:
                difference = Estimate(None, None, None, 0)
                if strategy is not self.base:
                    both = (rows[strategy], values[name]), (base, base_values[name])
                    difference = _difference(bootstrap, *both, is_share=name in SHARES)
                line |= difference.fields(f"difference_{name}")
            table.append(line | measured)  # what is compared stands first: a terminal shows as much as fits
        return table

    def spend(self, bootstrap: Bootstrap, rows: dict[Strategy, Rows], truth: Truth) -> list[dict[str, Any]]:
        """Spend every budget under every strategy: a row a strategy and budget."""
        table = []
        for strategy in self._strategies:
            lowest = _order_of(strategy).lowest
            spent = spend(bootstrap, rows[strategy], self._budgets, self.num_with_pair, truth, lowest=lowest)
            table += [{"strategy": strategy.value} | row for row in spent]
        return table

    def rows(self) -> dict[Strategy, Rows]:
        """Hand out the pairs of each strategy."""
        return {strategy: tally.rows() for strategy, tally in self._tallies.items()}

    def notes(self, truth: Truth) -> list[str]:
        """Say what a reader of the table must know."""
        sentences = []
        readers = [strategy.value for strategy in self._strategies if STRATEGIES[strategy].needs_quality]
        if readers and "score" in (truth.gold, truth.label):
            which = "gold: an oracle that nobody has" if truth.gold == "score" else "the label: all responses have one"
            sentences.append(f"{', '.join(readers)} chose by 'score', which is {which} before labeling")
        sentences += [
            f"{strategy.value} found no pair in {count:,} of {say_count(self.num_records, 'record')}"
            for strategy, count in self._num_without.items()
            if count
        ]
        by_chance = [strategy.value for strategy in self._strategies if STRATEGIES[strategy].keep is None]
        if self._budgets and by_chance:
            sentences.append(f"{', '.join(by_chance)} spent budgets in random order, having no order of their own")
        return sentences


def parse_trials(
    compare: str | None, budget: str | None, seed: int, max_responses: int = Settings.max_responses
) -> StrategyTrials | None:
    """Make the trials that --compare and --budget ask for; None for none."""
    if compare is None:
        if budget is not None:
            raise UsageError("--budget is spent under strategies; name them with --compare")
        return None
    budgets = [] if budget is None else parse_budgets(budget)
    return StrategyTrials(parse_strategies(compare), budgets, seed, max_responses)


def _difference(
    bootstrap: Bootstrap, side: tuple[Rows, Numbers], other: tuple[Rows, Numbers], *, is_share: bool
) -> Estimate:
    (rows, values), (base, base_values) = side, other
    if is_share:
        return share_difference(values, rows.keys, base_values, base.keys)
    return bootstrap.difference(rows.cells, values, base.cells, base_values)


def _order_of(strategy: Strategy) -> KeepRule:
    return STRATEGIES[strategy].keep or BY_CHANCE
