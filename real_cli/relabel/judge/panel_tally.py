"""What a panel decided, counted: how united it was, who flipped, who failed, what a further judge was spared."""

from collections import Counter
from collections.abc import Iterable, Sequence

from real_cli.llm.spending.budget import show_dollars
from real_cli.records.verdicts import TIE
from real_cli.relabel.judge.opinions import PanelJudged
from real_cli.text.phrases import say_count

# A pair is asked about in both orders.
QUESTIONS_A_PAIR = 2


class PanelTally:
    """Counts a panel's outcomes; `further` names the judge of what it is unsure of, if there is one."""

    def __init__(self, models: Sequence[str], further: Sequence[str]) -> None:
        self._models, self._further = models, further
        self.num_records = self.num_pairs = self.num_unanimous = self.num_ties = 0
        self.num_labeled = self.num_agreeing = self.num_escalated = self.num_spared = self.num_without_odds = 0
        self.num_repaired = 0
        self.flips: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()

    def add(self, judged: PanelJudged) -> None:
        """Count one record."""
        self.num_records += 1
        for verdict in judged.verdicts.values():
            self.num_pairs += 1
            self.num_unanimous += verdict.decision.agreement == 1
            self.num_ties += verdict.decision.winner == TIE
        self.num_labeled += judged.agrees is not None
        self.num_agreeing += bool(judged.agrees)
        comparing = [opinion for opinion in judged.opinions if opinion.rated is None]
        for opinion in comparing:
            self.asked[opinion.model] += len(opinion.judgments)
            self.flips[opinion.model] += sum(judgment.is_flipped for judgment in opinion.judgments.values())
            chances = [chance for judgment in opinion.judgments.values() for chance in judgment.chances]
            self.num_without_odds += chances.count(None)
        self.num_repaired += sum(opinion.num_repaired for opinion in judged.opinions)
        self.num_escalated += len(judged.escalated)
        asked = {pair for opinion in comparing for pair in opinion.judgments}
        self.num_spared += len(asked) - len(judged.escalated)

    def count_failures(self, models: Iterable[str]) -> None:
        """Count judges that have no answer to a record."""
        self.failures.update(models)

    def sentence(self, dollars_a_call: float | None, *, wants_odds: bool = False) -> str:
        """Report the counts in one line; `dollars_a_call` is what a call of the further judge costs, if known."""
        judges = len(self._models)
        head = f"{self.num_records:,} judged" + (f" by a panel of {judges}" if judges > 1 else "")
        parts = [head]
        if self.num_pairs:
            united = (
                f"{self.num_unanimous:,} of {say_count(self.num_pairs, 'verdict')} unanimous, " if judges > 1 else ""
            )
            parts.append(united + say_count(self.num_ties, "tie"))
        parts += [
            f"{model} flipped {self.flips[model]:,} of {number:,} with the order ({self.flips[model] / number:.1%})"
            for model, number in self.asked.items()
            if number
        ]
        if self.num_labeled:
            parts.append(f"{self.num_agreeing:,} of {self.num_labeled:,} agree with the label that was there")
        if self.num_repaired:
            parts.append(f"{self.num_repaired:,} overall scores repaired")
        if wants_odds and self.num_without_odds:
            parts.append(f"{say_count(self.num_without_odds, 'answer')} without probabilities: their verdicts count")
        parts += [f"{model} has no answer to {say_count(number, 'record')}" for model, number in self.failures.items()]
        return "; ".join(parts + self._escalation(dollars_a_call))

    def _escalation(self, dollars_a_call: float | None) -> list[str]:
        if not self._further:
            return []
        spared = self.num_spared * QUESTIONS_A_PAIR
        worth = "" if dollars_a_call is None else f", about {show_dollars(spared * dollars_a_call)}"
        total = self.num_escalated + self.num_spared
        return [
            f"{self.num_escalated:,} of {say_count(total, 'pair')} put to {self._further[0]}: "
            f"{say_count(spared, 'question')} saved{worth}"
        ]
