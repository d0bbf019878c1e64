"""Records with the side that their prompts are on, and one side of them written."""

from array import array
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from real_cli.errors import RealError, clip
from real_cli.io.job import Job, RecordReader
from real_cli.io.two_pass import RecordSpool
from real_cli.records.layouts import PROMPT, Adapted
from real_cli.records.messages import text_key
from real_cli.records.record import Record
from real_cli.split.choices import Side, Written
from real_cli.split.sides import draw, lowest_share, prompt_alone, question_of
from real_cli.text.phrases import say_count

REPEATS = "repeated prompts"


class Sided(NamedTuple):
    """A record, where it came from, the number of its question, and whether that is held out."""

    place: str
    record: Record
    number: int
    is_held: bool


def read_question(record: Record) -> Adapted:
    """Put what a record asks beside the record, which stays as it is."""
    return Adapted({"prompt": question_of(record), "record": record}, PROMPT)


class Splitter:
    """Splits a job's records by a share of their prompts, or by the prompts of a file."""

    def __init__(self, job: Job, heldout: Fraction | str, part: Side, seed: int) -> None:
        self._job = job
        self._heldout = heldout
        self._part = part
        self._seed = seed
        self._split = ""

    def write(self, emit: Written, first: int | None) -> str:
        """Write a side, or the first records of it; returns what is told of it."""
        numbers: set[int] = set()
        prompts: set[bytes] = set()
        num_read = num_written = 0
        for place, record, number, is_held in self._sides():
            num_read += 1
            if is_held is not (self._part is Side.heldout):
                continue
            if emit is Written.prompts:
                alone = prompt_alone(record)
                key = text_key(alone["prompt"])
                if key in prompts:
                    self._job.drop(place, record, REPEATS)
                    continue
                prompts.add(key)
                record = alone
            self._job.write(record)
            numbers.add(number)
            num_written += 1
            if num_written == first:
                break
        if num_read and not num_written:
            raise self._nothing()
        written = say_count(num_written, emit[:-1])
        if emit is Written.prompts:
            among = f", {len(numbers):,} distinct" if len(numbers) != num_written else ""
        else:
            among = f" of {say_count(len(numbers), 'prompt')}"
        return f"{written}{among}{self._split}"

    def _sides(self) -> Iterator[Sided]:
        if isinstance(self._heldout, Fraction):
            yield from self._by_share(self._heldout)
            return
        held = {self._draw(item.record) for item in RecordReader([self._heldout]).records(read_question)}
        for place, wrapped in self._job.records(read_question):
            number = self._draw(wrapped)
            yield Sided(place, wrapped["record"], number, number in held)

    def _by_share(self, share: Fraction) -> Iterator[Sided]:
        draws = array("Q")
        with RecordSpool() as spool:
            for place, wrapped in self._job.records(read_question):
                draws.append(self._draw(wrapped))
                spool.add({"place": place, "record": wrapped["record"]})
            held = lowest_share(draws, share)
            self._split = f"; {len(held):,} of {say_count(len(set(draws)), 'prompt')} held out"
            for number, kept in zip(draws, spool.records(), strict=True):
                yield Sided(kept["place"], kept["record"], number, number in held)

    def _draw(self, wrapped: Record) -> int:
        return draw(wrapped["prompt"], self._seed)

    def _nothing(self) -> RealError:
        is_share = isinstance(self._heldout, Fraction)
        shown = f"--heldout {f'{float(self._heldout) * 100:g}%' if is_share else clip(self._heldout)}"
        if self._part is Side.train:
            return RealError(f"{shown}: every prompt is held out, none is left to train on; hold fewer out")
        if is_share:
            return RealError(f"{shown}: all records ask the same; give a file of other prompts")
        return RealError(f"{shown}: none of its prompts is among the records; give a share such as 10%")
