"""What becomes of answered and unanswered pairs: written, left out, counted."""

from real_cli.io.job import Job
from real_cli.records.choices import Ties
from real_cli.records.record import Record
from real_cli.relabel.human.choices import Verdict
from real_cli.relabel.human.pair import (
    SKIPPED,
    TIES,
    UNANSWERED,
    PairAnswer,
    PairQuestion,
    answered_record,
)
from real_cli.text.phrases import say_count


def say_unused(number: int) -> str:
    """Report answers about no pair of the input; empty for none."""
    about = "about pairs that are not in the input, or that an earlier version read differently"
    return f"{say_count(number, 'answer')} {about}" if number else ""


class SessionOutcome:
    """Writes answered pairs; drops and counts the others."""

    def __init__(self, job: Job, ties: Ties, *, is_held: bool = False) -> None:
        self.num_pairs = 0
        self.num_ties = 0
        self._job = job
        self._ties = ties
        self._held: list[Record] | None = [] if is_held else None

    def add(self, question: PairQuestion, answer: PairAnswer | None) -> None:
        """Take the next pair of the stream, and its answer if it has one."""
        verdict = answer.verdict if answer else None
        reasons = {None: UNANSWERED, Verdict.skip: SKIPPED}
        if self._ties is Ties.drop:
            reasons[Verdict.tie] = TIES
        if answer is None or verdict in reasons:
            self._job.drop(question.place, question.record, reasons[verdict])
            return
        self.num_ties += verdict is Verdict.tie
        self.num_pairs += verdict is not Verdict.tie
        record = answered_record(question, answer)
        write = self._job.write if self._held is None else self._held.append
        write(record)

    def flush(self) -> None:
        """Flush the output, unless records are held back."""
        if self._held is None:
            self._job.flush()

    def release(self) -> None:
        """Write the records held back while the screen was in use."""
        held, self._held = self._held or [], None
        for record in held:
            self._job.write(record)

    @property
    def sentence(self) -> str:
        """The counts of pairs and ties."""
        return say_count(self.num_pairs, "pair") + (f", {say_count(self.num_ties, 'tie')}" if self.num_ties else "")
