"""Options that evaluations share."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from real_cli.cli.option_sets import Options, StreamOptions
from real_cli.cli.options import ReportFile, Seed
from real_cli.cli.typed_command import invocation_of
from real_cli.io.output import STANDARD_OUTPUT

if TYPE_CHECKING:
    from real_cli.io.job import Job

ModelField = Annotated[
    str,
    typer.Option(
        "--model-field",
        metavar="NAME",
        help="The field of a response that names its model; on a labeled pair NAME_chosen and NAME_rejected.",
    ),
]
CategoryField = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="FIELD",
        show_default=False,
        help="A field of the record that names its category, such as RewardBench's subset; results are given for each, "
        "also for none (null).",
    ),
]


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions(StreamOptions):
    """Where records come from, and where summary and report go."""

    report: ReportFile = None
    json: Annotated[
        bool, typer.Option("--json", help="Write the JSON summary also where standard output is a terminal.")
    ] = False

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

        if self.json and self.output is None:
            named = replace(self, output=STANDARD_OUTPUT)
            return named.job(numbers=numbers, also_writes=also_writes, also_reads=also_reads, what=what)
        check_report(self.report)
        writes = [*also_writes, self.report]
        job = super().job(numbers=numbers, also_writes=writes, also_reads=also_reads, what=what)
        job.invocation = invocation_of(self)
        return job


@dataclass(frozen=True, kw_only=True)
class SeedOption(Options):
    """What the draws behind intervals begin with."""

    seed: Seed = 0


def limit_option(names: Callable[[], Sequence[str]], examples: str) -> Any:
    """Declare --limit of a command whose summary has numbers of these names."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names() if name.startswith(incomplete)]

    return typer.Option(
        "--limit",
        metavar="LIMIT",
        autocompletion=complete,
        show_default=False,
        help=f"NAME<=X or NAME>=X, NAME a number of the summary ({examples}); what passes it is told. Repeatable.",
    )


def strict_option(when: str) -> Any:
    """Declare --strict of a command that has --limit."""
    return typer.Option("--strict", help=f"Exit 3 if {when}.")
