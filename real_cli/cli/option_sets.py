"""Options that go together, as frozen dataclasses; a command's own dataclass is made of some of these."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from real_cli.cli.options import (
    AttentionOption,
    Base,
    BatchTokens,
    Device,
    Dtype,
    Files,
    InputFormatOption,
    Layout,
    MaxLength,
    MaxLineBytes,
    OnErrorOption,
    Output,
    Quiet,
    Rejects,
    ScoreName,
)
from real_cli.records.choices import MAX_LENGTH, MAX_LINE_BYTES, Attention, OnError, Precision, TokenLayout

if TYPE_CHECKING:
    from real_cli.io.job import Job


def flag_of(name: str) -> str:
    """Return the flag of a field, as the command line has it."""
    return f"--{name.replace('_', '-')}"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What every command is told.

    Attributes:
        LAST: Fields that help lists after all others, in this order.
        given: The fields that the user gave, whatever they are by default.
    """

    LAST: ClassVar[tuple[str, ...]] = ()

    quiet: Quiet = False
    given: frozenset[str] = frozenset()

    def flags_given(self, *names: str) -> list[str]:
        """Pick those of these fields that the user gave, as the flags that were typed."""
        return [flag_of(name) for name in names if name in self.given]


@dataclass(frozen=True, kw_only=True)
class StreamOptions(Options):
    """Where a filter reads and writes, and what a bad record does; they open its job."""

    LAST = ("output", "on_error", "rejects", "input_format", "score", "max_line_bytes", "quiet")

    files: Files = None
    output: Output = None
    on_error: OnErrorOption = OnError.fail
    rejects: Rejects = None
    input_format: InputFormatOption = None
    max_line_bytes: MaxLineBytes = MAX_LINE_BYTES

    def job(
        self,
        *,
        numbers: Collection[str] = (),
        also_writes: Sequence[Path | None] = (),
        also_reads: Sequence[tuple[str, Path | None]] = (),
        what: str = "records",
    ) -> "Job":
        """Set up the run that these options ask for.

        Args:
            numbers: Fields that options read as numbers.
            also_writes: Further files that the command writes; None for one that is not asked for.
            also_reads: Files that it reads beside the records, each with its option.
            what: What its progress counts.

        Returns:
            The job, not opened yet.
        """
        from real_cli.io.job import Job
        from real_cli.io.sources import SourceOptions

        return Job(
            self.sources,
            output=self.appends_to or self.output,
            append=self.appends_to is not None,
            also_writes=[path for path in also_writes if path],
            also_reads=also_reads,
            on_error=self.on_error,
            rejects=self.rejects,
            quiet=self.quiet,
            max_line_bytes=self.max_line_bytes,
            reading=SourceOptions(self.input_format, numbers=numbers, score=self.score_field),
            what=what,
        )

    @property
    def sources(self) -> list[str]:
        """The files to read; none for standard input."""
        return self.files or []

    @property
    def appends_to(self) -> Path | None:
        """The file of an earlier run that this one goes on with."""
        return None

    @property
    def score_field(self) -> str | None:
        """The field of a response that is its score; None for what the layout says."""
        return None


@dataclass(frozen=True, kw_only=True)
class ScoredStreamOptions(StreamOptions):
    """Those of a filter that reads scores."""

    score: ScoreName = None

    @property
    def score_field(self) -> str | None:
        """What --score names."""
        return self.score


@dataclass(frozen=True, kw_only=True)
class DeviceOptions(Options):
    """Where a model runs, and how."""

    batch_tokens: BatchTokens = None
    device: Device = "auto"
    dtype: Dtype = Precision.auto


@dataclass(frozen=True, kw_only=True)
class BaseOption(Options):
    """The model below an adapter; the guard tells it to whatever loads one."""

    base: Base = None


@dataclass(frozen=True, kw_only=True)
class ScoringOptions(DeviceOptions, BaseOption):
    """How log-probabilities are computed."""

    max_length: MaxLength = MAX_LENGTH
    attention: AttentionOption = Attention.auto
    layout: Layout = TokenLayout.auto
