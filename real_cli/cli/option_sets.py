"""Options that go together, as frozen dataclasses, from which each command's own derives."""

import inspect
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from real_cli.cli.completion_values import language_model_names, names_of
from real_cli.cli.options import AttentionName, MaxLineBytes, OutputFile
from real_cli.records.choices import (
    BATCH_TOKENS,
    MAX_LENGTH,
    MAX_LINE_BYTES,
    Attention,
    InputFormat,
    OnError,
    Precision,
    TokenLayout,
)

if TYPE_CHECKING:
    from real_cli.io.job import Job

# Titles of groups that the help of several commands has, and the place of each in it.
NEEDED, ARGUMENTS, MAIN = "Required", "Arguments", "Main options"
MODEL, SERVER, STREAM, OTHER = "Model", "Server", "Input and output", "Other"
SHARED_TITLES = (MODEL, SERVER, STREAM, OTHER)


def flag_of(name: str) -> str:
    """Return the command-line flag of a field."""
    return f"--{name.replace('_', '-')}"


def split_names(groups: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Split each group's fields, which are the words of a text."""
    return {title: tuple(names.split()) for title, names in groups.items()}


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of every command.

    Attributes:
        LAST: Fields that the help lists after all others, in this order.
        GROUPS: Titles of groups in the help, each with its fields in order; a field in none has its class's TITLE.
        TITLE: The group of the fields that a class declares; a command's own are its main options.
        NEEDED: Fields that the command cannot do without, though one way to run it can.
        given: The fields that the user gave, even with the default's value.
    """

    LAST: ClassVar[tuple[str, ...]] = ()
    GROUPS: ClassVar[Mapping[str, Sequence[str]]] = {}
    TITLE: ClassVar[str] = OTHER
    NEEDED: ClassVar[tuple[str, ...]] = ()

    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Say nothing on standard error unless something fails.")
    ] = False
    given: frozenset[str] = frozenset()

    def flags_given(self, *names: str) -> list[str]:
        """Return the flags of those of these fields that the user gave."""
        return [flag_of(name) for name in names if name in self.given]


def titles_of(kind: type[Options]) -> dict[str, str]:
    """Find the group of each field: where GROUPS names it, else by the class that declares it."""
    titles: dict[str, str] = {}
    for parent in kind.__mro__:
        title = parent.__dict__.get("TITLE", MAIN)
        titles = {name: title for name in inspect.get_annotations(parent)} | titles
    return titles | {name: title for title, names in kind.GROUPS.items() for name in names}


def ordered_titles(kind: type[Options]) -> list[str]:
    """Order the groups of a command: its own first, then those that it shares with others."""
    titles = dict.fromkeys([*kind.GROUPS, MAIN, *titles_of(kind).values()])
    return [*(title for title in titles if title not in SHARED_TITLES), *SHARED_TITLES]


@dataclass(frozen=True, kw_only=True)
class StreamOptions(Options):
    """Where a filter reads and writes, and what a bad record does; opens the filter's job."""

    TITLE = STREAM
    LAST = ("shard", "numbered", "output", "on_error", "rejects", "input_format", "score", "max_line_bytes", "quiet")

    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE",
            show_default=False,
            help="Records: JSONL or .csv (gzip and zstd too), .parquet, or hf:NAME[:SPLIT]; '-', the default, is "
            "standard input.",
        ),
    ] = None
    output: OutputFile = None
    on_error: Annotated[
        OnError,
        typer.Option(
            "--on-error", help="What a bad record does: 'fail' stops the run, 'skip' continues it and exits 3."
        ),
    ] = OnError.fail
    rejects: Annotated[
        Path | None,
        typer.Option(
            "--rejects",
            metavar="FILE",
            show_default=False,
            help="Write the records that are left out to this file, each with its place and the reason.",
        ),
    ] = None
    input_format: Annotated[
        InputFormat | None,
        typer.Option(
            "--format",
            show_default="by the file's name",
            help="The input's format: 'jsonl', 'csv' (the first line names the columns) or 'tsv'.",
        ),
    ] = None
    max_line_bytes: MaxLineBytes = MAX_LINE_BYTES

    def job(
        self,
        *,
        numbers: Collection[str] = (),
        also_writes: Sequence[Path | None] = (),
        also_reads: Sequence[tuple[str, Path | None]] = (),
        what: str = "records",
    ) -> "Job":
        """Set up the run that these options ask for, not opened yet.

        `numbers` are fields that options read as numbers; `also_writes` and `also_reads` are files of the command's
        own, and `what` is what its progress counts.
        """
        from real_cli.io.job import Job
        from real_cli.io.sources import SourceOptions

        return Job(
            self.sources,
            output=self.appends_to or self.output,
            append=self.appends_to is not None,
            also_writes=[path for path in (*also_writes, *self.writes_beside) if path],
            also_reads=[*self.reads_beside, *also_reads],
            on_error=self.on_error,
            rejects=self.rejects,
            quiet=self.quiet,
            max_line_bytes=self.max_line_bytes,
            reading=SourceOptions(self.input_format, numbers=numbers, score=self.score_field),
            what=what,
        )

    @property
    def writes_beside(self) -> list[Path | None]:
        """Files that these options write beside the records; None for one not asked for."""
        return []

    @property
    def reads_beside(self) -> list[tuple[str, Path | None]]:
        """Files that these options read beside the records, each with its option."""
        return []

    @property
    def sources(self) -> list[str]:
        """The files to read; none for standard input."""
        return self.files or []

    @property
    def appends_to(self) -> Path | None:
        """The file of an earlier run that this one continues."""
        return None

    @property
    def score_field(self) -> str | None:
        """The field of a response that is its score; None where the layout decides."""
        return None


@dataclass(frozen=True, kw_only=True)
class ScoredStreamOptions(StreamOptions):
    """Stream options of a filter that reads scores."""

    TITLE = STREAM

    score: Annotated[
        str | None,
        typer.Option(
            "--score",
            metavar="FIELD",
            show_default=False,
            help="Which field of a response is its score, where there are several ratings: FIELD_chosen and "
            "FIELD_rejected of a pair. A score that was there stays as 'score_field'.",
        ),
    ] = None

    @property
    def score_field(self) -> str | None:
        """What --score names."""
        return self.score


@dataclass(frozen=True, kw_only=True)
class DeviceOptions(Options):
    """Where and how a model runs."""

    TITLE = MODEL

    batch_tokens: Annotated[
        int | None,
        typer.Option(
            "--batch-tokens",
            metavar="N",
            min=1,
            show_default=str(BATCH_TOKENS),
            help="Most tokens, padding counted, in one forward pass.",
        ),
    ] = None
    device: Annotated[
        str,
        typer.Option(
            "--device",
            metavar="NAME",
            autocompletion=names_of(("auto", "cpu", "cuda", "mps", "xpu")),
            help="Where models run: 'auto' takes the freest accelerator, else the CPU; or cpu, cuda:1, mps, ...",
        ),
    ] = "auto"
    dtype: Annotated[
        Precision,
        typer.Option(
            "--dtype",
            help="Number format of the model; 'auto' is bfloat16 where the hardware does it well, else float32.",
        ),
    ] = Precision.auto


@dataclass(frozen=True, kw_only=True)
class BaseOption(Options):
    """The model below an adapter; `typed_command` passes it to whatever loads one."""

    TITLE = MODEL

    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            metavar="NAME",
            show_default=False,
            autocompletion=language_model_names,
            help="The model below a LoRA adapter, in place of the one that its folder names. Needed where that one "
            "would have to be downloaded.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class ScoringOptions(DeviceOptions, BaseOption):
    """How log-probabilities are computed."""

    TITLE = MODEL

    max_length: Annotated[
        int,
        typer.Option(
            "--max-length",
            metavar="N",
            min=2,
            help="Most tokens of prompt and response; longer responses are cut and counted.",
        ),
    ] = MAX_LENGTH
    attention: AttentionName = Attention.auto
    layout: Annotated[
        TokenLayout,
        typer.Option(
            "--layout",
            help="How a prompt and its responses are run: 'shared' runs the prompt once for all of them, 'plain' once "
            "for each; 'auto' shares it where a test on load gives the same numbers. 'packed' shares it too, and lays "
            "prompts one after another in one row, without padding.",
        ),
    ] = TokenLayout.auto
