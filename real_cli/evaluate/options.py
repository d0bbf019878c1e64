"""Options that evaluations share."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from real_cli.cli.option_sets import Options, StreamOptions
from real_cli.cli.options import ReportFile, Seed

if TYPE_CHECKING:
    from real_cli.io.job import Job


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions(StreamOptions):
    """Where records come from, and where summary and report go."""

    report: ReportFile = None

    def job(
        self,
        *,
        numbers: Collection[str] = (),
        also_writes: Sequence[Path | None] = (),
        also_reads: Sequence[tuple[str, Path | None]] = (),
        what: str = "records",
    ) -> "Job":
        """Set up the run, as `StreamOptions` does; a report that cannot be drawn is refused before the work begins."""
        from real_cli.report.html import check_report

        check_report(self.report)
        writes = [*also_writes, self.report]
        return super().job(numbers=numbers, also_writes=writes, also_reads=also_reads, what=what)


@dataclass(frozen=True, kw_only=True)
class SeedOption(Options):
    """What the draws behind intervals begin with."""

    seed: Seed = 0
