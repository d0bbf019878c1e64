"""What becomes of answered and unanswered pairs: written, left out, counted."""

from collections import Counter as Tally

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


def say_agreement(num_same: int, num_twice: int) -> str:
    """Report how often a pair asked twice has the same answer; empty if none was."""
    return f"; agreement with yourself {num_same}/{num_twice}" if num_twice else ""


class SessionOutcome:
    """Writes answered pairs; drops and counts the others."""

    def __init__(self, job: Job, ties: Ties, *, is_held: bool = False) -> None:
        self._verdicts: Tally[Verdict] = Tally()
        self._num_of_two_models = 0
        self._num_written = 0
        self._job = job
        self._ties = ties
        self._held: list[Record] | None = [] if is_held else None

    def add(self, question: PairQuestion, answer: PairAnswer | None) -> None:
        """Take the next pair of the stream, and its answer if it has one."""
        self.count(question, answer)
        verdict = answer.verdict if answer else None
        reasons = {None: UNANSWERED, Verdict.skip: SKIPPED}
        if self._ties is Ties.drop:
            reasons[Verdict.tie] = TIES
        if answer is None or verdict in reasons:
            self._job.drop(question.place, question.record, reasons[verdict])
            return
        record = answered_record(question, answer)
        self._num_written += 1
        write = self._job.write if self._held is None else self._held.append
        write(record)

    def count(self, question: PairQuestion, answer: PairAnswer | None) -> None:
        """Count an answer, whether or not its pair is written."""
        if answer:
            self._verdicts[answer.verdict] += 1
            self._num_of_two_models += question.compares_models and answer.verdict is not Verdict.skip

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
    def is_empty(self) -> bool:
        """Whether no record was written."""
        return not self._num_written

    @property
    def sentence(self) -> str:
        """The counts of pairs and ties written."""
        num_ties = self._verdicts[Verdict.tie] if self._ties is Ties.keep else 0
        return say_count(self.num_pairs, "pair") + (f", {say_count(num_ties, 'tie')}" if num_ties else "")

    @property
    def answers(self) -> str:
        """The counts of all answers by what they say."""
        others = ((self._verdicts[Verdict.tie], "tie", "ties"), (self._verdicts[Verdict.skip], "skipped", "skipped"))
        return ", ".join(
            [say_count(self.num_pairs, "pair"), *(say_count(number, *noun) for number, *noun in others if number)]
        )

    @property
    def num_pairs(self) -> int:
        """How many answers prefer a response."""
        return self._verdicts[Verdict.first] + self._verdicts[Verdict.second]

    @property
    def next_command(self) -> str:
        """What reads the output; empty if it holds nothing."""
        num_ties = self._verdicts[Verdict.tie] if self._ties is Ties.keep else 0
        if self._num_of_two_models and self._num_of_two_models == self.num_pairs + self._verdicts[Verdict.tie]:
            return "real eval winrate" if self.num_pairs + num_ties else ""
        return "real train-dpo --policy MODEL -o FOLDER" if self.num_pairs else ""
