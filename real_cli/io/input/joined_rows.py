"""Adapted rows to records: those of this run's shard, with the rows of one response joined, and numbered if asked."""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from real_cli.errors import RealError, RecordError
from real_cli.io.sources import Item
from real_cli.io.terminal.gauge import InputGauge
from real_cli.records.layouts import Adapted, join_rows, parting_field
from real_cli.records.public.repeated_prompts import take_off_prompt
from real_cli.records.record import Record
from real_cli.records.shards import WHOLE, Shard, in_shard, is_numbered_in, numbered_mark, with_mark
from real_cli.records.unread_labels import label_notes

Converted = TypeVar("Converted")


class Sharding(NamedTuple):
    """The shard of a run, and whether its records are numbered for `real merge`."""

    shard: Shard = WHOLE
    is_numbered: bool = False


class JoinedRows:
    """Make records of adapted rows.

    Every run of a sharded input reads all of it: a record's number is the same in each, and what cannot be read, and
    so has no prompt, belongs to the shard of its number. Rows of a prompt are in one shard, so none is torn.

    Attributes:
        sharding: What is read of the input.
        num_noted: How many records each note is about.
        skip: Called for each row of another shard.
        of_the_whole: Why no record of one shard of several may come, since the shards are not put together yet; "" if
            they may.
    """

    def __init__(self, measured: set[str], gauge: InputGauge) -> None:
        self.num_noted: Tally[str] = Tally()
        self.skip: Callable[[], object] = lambda: None
        self.sharding = Sharding()
        self.of_the_whole = ""
        self._measured = measured
        self._gauge = gauge
        self._number = 0

    @property
    def is_part(self) -> bool:
        """Whether there are other shards."""
        return self.sharding.shard.number > 1

    def adapt(
        self, function: Callable[[Record], Converted], items: Iterable[Item], reject: Callable[[Item, str], object]
    ) -> Iterator[tuple[str, Converted]]:
        """Apply a function to each record that was read; `reject` is given what is unfit and of this shard."""
        for self._number, item in enumerate(items, 1):
            problem = item.problem
            if item.record is not None:
                try:
                    converted = function(item.record)
                except RecordError as error:
                    problem = str(error)
                else:
                    yield item.place, converted
                    continue
            if is_numbered_in(self._number, self.sharding.shard):
                reject(item, problem)

    def checked(self, function: Callable[[Record], Converted]) -> Callable[[Record], Converted]:
        """Let a function refuse records that would lose a field to their mark."""
        if not self.sharding.is_numbered:
            return function

        def converted(record: Record) -> Converted:
            with_mark(record, self.sharding.shard, 1)
            return function(record)

        return converted

    def join(self, adapted: Iterable[tuple[str, Adapted]]) -> Iterator[tuple[str, Record]]:
        """Pass on the records of the shard, each with its place."""
        pending: list[Record] = []
        place, number = "", 0
        for item_place, (record, layout, notes) in adapted:
            if self.of_the_whole:
                self._refuse_part(item_place, record)
            is_ours = in_shard(record, self.sharding.shard)
            if pending and not (is_ours and layout.one_response_a_row and self._goes_on(pending[0], record)):
                yield place, self._joined(pending, number)
                pending = []
            if not is_ours:
                self.skip()
                continue
            if not layout.one_response_a_row:
                notes = (*notes, *label_notes(record))
            if notes:  # an update with nothing takes as long as reading a short record
                self.num_noted.update(notes)
            if layout.one_response_a_row:
                if pending:
                    self._gauge.join_row()
                else:
                    place, number = item_place, self._number
                pending.append(record)
            else:
                yield item_place, self._marked(record, self._number)
        if pending:
            yield place, self._joined(pending, number)

    def _refuse_part(self, place: str, record: Record) -> None:
        mark = numbered_mark(record)
        if mark is not None and mark.of > 1:
            raise RealError(f"{place}: is of shard {mark.part:,}/{mark.of:,}, and {self.of_the_whole}")

    def _goes_on(self, first: Record, row: Record) -> bool:
        """Tell whether a row answers the prompt of those before it, and what keeps it from doing so."""
        if first["prompt"] != row["prompt"]:
            return False
        field = parting_field(first, row, self._measured)
        self.num_noted.update([f"of the prompt before, kept apart by another {field!r}"] if field else [])
        return not field

    def _joined(self, rows: list[Record], number: int) -> Record:
        """Join the rows of one prompt, which all of their responses may repeat."""
        joined, note = take_off_prompt(join_rows(rows))
        self.num_noted.update([*([note] if note else []), *label_notes(joined)])
        return self._marked(joined, number)

    def _marked(self, record: Record, number: int) -> Record:
        return with_mark(record, self.sharding.shard, number) if self.sharding.is_numbered else record
