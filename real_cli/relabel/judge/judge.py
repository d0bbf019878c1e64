"""Judge one record by one rubric, and count the outcomes."""

from collections.abc import Callable

from real_cli.errors import RecordError
from real_cli.llm.rubric import Rubric
from real_cli.records.judgments import without_panel
from real_cli.records.layouts import Adapted, adapt, adapt_prompt
from real_cli.records.public.message_checks import check_tools
from real_cli.records.questions import Inquiry
from real_cli.records.record import Record, to_candidates
from real_cli.records.verdicts import TIE
from real_cli.relabel.judge.pairwise import Judged, compare
from real_cli.relabel.judge.rate import rate
from real_cli.relabel.judge.tag import tag
from real_cli.text.phrases import say_count


def adapter_of(rubric: Rubric) -> Callable[[Record], Adapted]:
    """Choose the reader of records for a rubric: one that tags takes a prompt without responses."""
    return _adapt_tagged if rubric.tags else _adapt_rated


def _adapt_tagged(record: Record) -> Adapted:
    """Read a prompt, with responses or without; tools that a judge would not see are refused."""
    adapted = adapt_prompt(record)
    check_tools(adapted.record)
    return adapted


def _adapt_rated(record: Record) -> Adapted:
    """Read a record with responses; tools that a judge would not see are refused."""
    adapted = adapt(record)
    check_tools(adapted.record)
    return adapted


def begin_judging(record: Record, rubric: Rubric, model: str, seed: int) -> Inquiry[Judged]:
    """Begin to tag, compare or rate a record, as the rubric asks; too few responses raise RecordError."""
    mark = {"model": model, "rubric": rubric.name, "rubric_hash": rubric.digest}
    if rubric.tags:
        return tag(record, rubric, mark)
    record = without_panel(check_count(record, rubric))  # it would stand beside what others say
    return compare(record, rubric, mark) if rubric.compares else rate(record, rubric, mark, seed)


def check_count(record: Record, rubric: Rubric) -> Record:
    """Refuse a record with too few responses for a rubric."""
    count, needed = len(to_candidates(record)["responses"]), 2 if rubric.compares else 1
    if count < needed:
        raise RecordError(f"{count} response{'' if count == 1 else 's'}; the rubric '{rubric.name}' needs {needed}")
    return record


class JudgeTally:
    """Counts a judge's outcomes."""

    def __init__(self) -> None:
        self.num_records = self.num_comparisons = self.num_flips = self.num_half_ties = 0
        self.num_ties = self.num_labeled = self.num_agreeing = self.num_repaired = self.num_changed = 0

    def add(self, judged: Judged) -> None:
        """Count one record."""
        self.num_records += 1
        self.num_comparisons += len(judged.comparisons)
        self.num_flips += sum(comparison.is_flipped for comparison in judged.comparisons)
        self.num_half_ties += sum(
            (comparison.verdicts[0] == TIE) != (comparison.verdicts[1] == TIE) for comparison in judged.comparisons
        )
        self.num_ties += judged.is_tie
        self.num_labeled += judged.agrees is not None
        self.num_agreeing += bool(judged.agrees)
        self.num_repaired += judged.num_repaired
        self.num_changed += judged.num_changed

    def sentence(self) -> str:
        """Report the counts in one line."""
        parts = [f"{self.num_records:,} judged"]
        if self.num_comparisons:
            share = self.num_flips / self.num_comparisons
            parts.append(
                f"{self.num_flips:,} of {self.num_comparisons:,} verdicts flipped with the order ({share:.1%}), "
                f"{self.num_half_ties:,} a tie in one order only"
            )
        if self.num_labeled:
            parts.append(f"{self.num_agreeing:,} of {self.num_labeled:,} agree with the label that was there")
        if self.num_repaired:
            parts.append(f"{self.num_repaired:,} overall scores repaired")
        if self.num_changed:
            parts.append(f"{say_count(self.num_changed, 'tag')} changed")
        return "; ".join(parts)
