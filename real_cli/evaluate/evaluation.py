"""The protocol of an evaluation, and the driver that runs one: read, add, sum up, report, check limits."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeAlias

from real_cli.errors import RecordError, Status

if TYPE_CHECKING:  # an evaluation of one file is imported by its help, which loads nothing heavy
    from real_cli.evaluate.limits import Gate
    from real_cli.evaluate.provenance import Provenance
    from real_cli.io.job import Job, Located
    from real_cli.records.record import Record
    from real_cli.report.contents import Report
    from real_cli.report.examples import Examples

Summary: TypeAlias = dict[str, Any]


class Fate(Enum):
    """What becomes of a record, or a part of one, that is not counted."""

    dropped = "sound but not wanted: counted by its reason, and told"
    rejected = "unfit: stops the run, or with --on-error skip leaves status 3"
    counted = "counted by the evaluation itself: kept with --rejects alone"


class Exclusion(NamedTuple):
    """A record that an evaluation does not count.

    Attributes:
        place: File and line.
        record: The record.
        reason: Why, as the rejects file and the last line on standard error put it.
        fate: What becomes of it.
    """

    place: str
    record: "Record"
    reason: str
    fate: Fate = Fate.dropped


class Evaluation(Protocol):
    """One measurement of a stream of records: it takes them one by one, and sums up at the end.

    An evaluation inherits from this class, declares `name`, `add`, `summary` and `report`, and overrides of the rest
    what it needs. `run_evaluation` does everything else.

    Attributes:
        name: Of its command, as the foot of a report has it.

    Example:
        >>> class Turns(Evaluation):
        ...     name = "turns"
        ...     num_records = 0
        ...
        ...     def add(self, record, place=""):
        ...         self.num_records += 1
        ...         return ()
        ...
        ...     def summary(self):
        ...         return {"num_records": self.num_records, "notes": []}
        ...
        ...     def report(self, summary, examples):
        ...         from real_cli.report.contents import Report
        ...
        ...         return Report("Turns", f"{summary['num_records']} records.", ())
        >>> turns = Turns()
        >>> turns.add({"prompt": "q", "responses": []}), turns.summary()["num_records"], turns.examples()
        ((), 1, {})
    """

    name: ClassVar[str]

    def add(self, record: "Record", place: str = "") -> Sequence[Exclusion]:
        """Count one record.

        Args:
            record: A checked candidates or preference record.
            place: File and line, for examples.

        Returns:
            What is known by now not to be counted: of this record, or of earlier ones.

        Raises:
            RecordError: If the record is unfit; then nothing of it was counted.
        """
        ...

    def summary(self) -> Summary:
        """Sum up.

        Returns:
            Names and numbers, unrounded, intervals as `Estimate.fields` names them; `notes` last, a sentence each.
        """
        ...

    def report(self, summary: Summary, examples: "Examples") -> "Report":
        """Lay out plots, tables and example rows.

        Args:
            summary: What `summary` gave, rounded.
            examples: What `examples` gave.

        Returns:
            The report.
        """
        ...

    def examples(self) -> "Examples":
        """Hand out a few records to look at, by what they have in common."""
        return {}

    def records(self, job: "Job") -> Iterator["Located"]:
        """Read the input; an evaluation may read layouts its own way, or look ahead."""
        return job.records()

    def files(self) -> AbstractContextManager[object]:
        """Open what is held or written while records are read."""
        return nullcontext()

    def finish(self) -> Iterable[Exclusion]:
        """Measure what `add` still holds back; called once, after the last record."""
        return ()

    def asked_models(self) -> Sequence[tuple[str, str]]:
        """Name the models that were asked, each with what it is; the report's foot says which weights they are."""
        return ()

    def sentence(self, summary: Summary) -> str:
        """Tell on one line of standard error what a reader of the summary must know."""
        return "; ".join(summary["notes"])


def run_evaluation(
    evaluation: Evaluation, job: "Job", report: Path | None = None, gate: "Gate | None" = None
) -> Status:
    """Run an evaluation over a job's input: one summary line, or tables at a terminal; a report; limits.

    Args:
        evaluation: What is measured.
        job: Reads the records and writes the summary; not entered yet.
        report: Where the report goes; None for none. Summary and report appear together or not at all.
        gate: Limits on the summary's numbers; None where there can be none.

    Returns:
        The exit status.
    """
    from real_cli.evaluate.limits import check_limits, tell_limits
    from real_cli.evaluate.provenance import Provenance
    from real_cli.report.html import write_report
    from real_cli.report.terminal import show_report
    from real_cli.stats.numeric import rounded

    is_shown = job.is_at_terminal
    provenance = Provenance(job, evaluation.name) if report else None
    with job:
        with evaluation.files():
            _read(evaluation, job, provenance)
        summary = evaluation.summary()
        notes = summary.pop("notes")
        summary = dict(rounded(summary))
        if gate:
            summary["limits"] = check_limits(summary, gate.limits)
        summary["notes"] = notes
        if not is_shown:
            job.write(summary)
        # At a terminal the notes stand beneath the tables, where they are read.
        job.summary = evaluation.sentence(_without_notes(summary) if is_shown else summary)
        if provenance:
            page = evaluation.report(summary, evaluation.examples())
            write_report(report, replace(page, facts=(*provenance.facts(evaluation.asked_models()), *page.facts)))
        if is_shown:
            job.before_telling = partial(show_report, evaluation.report(summary, {}))
    return tell_limits(summary["limits"], job.status, is_strict=gate.is_strict, quiet=job.quiet) if gate else job.status


def _without_notes(summary: Summary) -> Summary:
    """Take the notes off a summary and off the records in it."""
    return {
        name: [_without_notes(row) if isinstance(row, dict) else row for row in value]
        if isinstance(value, list) and name != "notes"
        else ([] if name == "notes" else value)
        for name, value in summary.items()
    }


def _read(evaluation: Evaluation, job: "Job", provenance: "Provenance | None") -> None:
    from real_cli.io.sources import Item

    located = evaluation.records(job)
    for place, record in provenance.count(located) if provenance else located:
        try:
            excluded = evaluation.add(record, place)
        except RecordError as error:
            job.reject(Item(place, record), str(error))
        else:
            for exclusion in excluded:
                _exclude(exclusion, job)
    for exclusion in evaluation.finish():
        _exclude(exclusion, job)


def _exclude(exclusion: Exclusion, job: "Job") -> None:
    from real_cli.io.sources import Item

    place, record, reason, fate = exclusion
    if fate is Fate.dropped:
        job.drop(place, record, reason)
    elif fate is Fate.rejected:
        job.reject(Item(place, record), reason)
    else:
        job.set_aside(place, reason, record)
