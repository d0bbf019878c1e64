"""The options of a filter that may work on one shard of its input."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.option_sets import STREAM, StreamOptions
from real_cli.errors import UsageError

if TYPE_CHECKING:
    from real_cli.io.job import Job
    from real_cli.records.shards import Shard


@dataclass(frozen=True, kw_only=True)
class ShardOptions(StreamOptions):
    """Stream options of a filter of record by record, which may filter shards of its input apart."""

    TITLE = STREAM

    shard: Annotated[
        str | None,
        typer.Option(
            "--shard",
            metavar="I/N",
            show_default=False,
            help="Work on the I-th of N shards, from 1, split by prompt, as a job of an array does. Each reads the "
            "whole input.",
        ),
    ] = None
    numbered: Annotated[
        bool,
        typer.Option(
            "--numbered",
            help="With --shard: add 'shard', the record's number in the whole input, by which 'real merge' puts the "
            "shards' outputs into the input's order. Give it to the first command of a pipe alone; the others keep the "
            "field.",
        ),
    ] = False

    @property
    def part(self) -> "Shard":
        """The shard that --shard names; the whole without it."""
        from real_cli.records.shards import parse_shard

        return parse_shard(self.shard)

    def job(
        self,
        *,
        numbers: Collection[str] = (),
        also_writes: Sequence[Path | None] = (),
        also_reads: Sequence[tuple[str, Path | None]] = (),
        what: str = "records",
    ) -> "Job":
        """Set up the run, as `StreamOptions` does, on the shard that is asked for."""
        from real_cli.io.input.joined_rows import Sharding

        if self.numbered and self.shard is None:
            raise UsageError("--numbered: numbers the records of a shard; give --shard I/N too")
        sharding = Sharding(self.part, self.numbered)
        job = super().job(numbers=numbers, also_writes=also_writes, also_reads=also_reads, what=what)
        job.take_shard(sharding)
        return job

    def refuse_shard(self, reasons: Mapping[str, bool]) -> str:
        """Refuse --shard where what is asked for is of the whole input: each reason, and whether it holds.

        Returns the first that holds, for `Job.refuse_parts`; empty if none does.
        """
        reason = next((reason for reason, holds in reasons.items() if holds), "")
        if self.shard is not None and reason:
            raise UsageError(f"--shard: {reason}")
        return reason
