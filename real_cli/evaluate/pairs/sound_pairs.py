"""The pairs that are left when those that checks found are taken out: `real eval pairs --sound`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from real_cli.evaluate.evaluation import Exclusion, Fate
from real_cli.evaluate.pairs.verdicts import Inspection
from real_cli.io.jsonl import dump_record
from real_cli.io.output import open_output
from real_cli.io.two_pass import RecordSpool
from real_cli.records.record import Record
from real_cli.text.phrases import say_count


class SoundPairs:
    """Holds records on disk until checks have judged them, then writes those that stay, in order.

    Args:
        path: Where they go; the file appears whole or not at all.
        names: The checks that leave a pair out; empty for all that say broken.
    """

    def __init__(self, path: Path, names: Sequence[str] = ()) -> None:
        self._path = path
        self._names = names
        self._stack = ExitStack()
        self.note = ""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._stream = stack.enter_context(open_output(self._path, outlives_pipe=True))
            self._spool = stack.enter_context(RecordSpool())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)  # type: ignore[arg-type]

    def add(self, record: Record) -> None:
        """Put a record aside."""
        self._spool.add(record)

    def finish(self, inspection: Inspection) -> Iterator[Exclusion]:
        """Write what stays; hand out the rest, each with the checks that found it."""
        counts: Counter[str] = Counter()
        num_left = num_pairs = 0
        for record, place, reasons in zip(
            self._spool.records(), inspection.places(), inspection.reasons(self._names), strict=True
        ):
            num_pairs += 1
            if reasons:
                num_left += 1
                counts.update(reasons)
                yield Exclusion(place, record, ", ".join(reasons), Fate.counted)
            else:
                self._stream.write(dump_record(record))
        by_check = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
        self.note = f"{self._path}: {num_pairs - num_left:,} of {say_count(num_pairs, 'pair')}"
        self.note += f"; left out {num_left:,} ({by_check})" if num_left else "; none left out"
