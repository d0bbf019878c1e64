"""The options of methods that ask a language model."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from real_cli.cli.completion_values import language_model_names, rubric_names
from real_cli.cli.option_sets import SERVER, BaseOption, DeviceOptions
from real_cli.cli.server_options import CacheFolder, KeyVariable, MaxCost, NoCacheFlag, Retries, Timeout
from real_cli.cli.shard_options import ShardOptions

if TYPE_CHECKING:
    from real_cli.io.job import Job


def show_rubric(name: str | None) -> None:
    """Print a rubric's file and exit."""
    from real_cli.llm.rubric_files import rubric_text

    if name is not None:
        typer.echo(rubric_text(name), nl=False)
        raise typer.Exit


MODEL = typer.Option(
    "--model",
    "-m",
    metavar="NAME",
    show_default=False,
    autocompletion=language_model_names,
    help="Who answers: a model's name on the server, or, without --endpoint, a model on this machine: a folder, a "
    ".gguf file, a hub name, smollm2.",
)
Model = Annotated[str, MODEL]
OptionalModel = Annotated[str | None, MODEL]
ShowRubric = Annotated[
    str | None,
    typer.Option(
        "--show-rubric",
        metavar="NAME",
        callback=show_rubric,
        is_eager=True,
        show_default=False,
        autocompletion=rubric_names(),
        help="Print a rubric, as a model for your own, and exit.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class LlmOptions(DeviceOptions, BaseOption, ShardOptions):
    """Who answers, a server, a local model or an earlier batch, and where answers are kept."""

    TITLE = SERVER

    endpoint: Annotated[
        str | None,
        typer.Option(
            "--endpoint",
            metavar="URL",
            show_default=False,
            help="An OpenAI-compatible server, up to and including /v1.",
        ),
    ] = None
    key_variable: KeyVariable = "REAL_API_KEY"
    concurrency: Annotated[
        int, typer.Option("--concurrency", metavar="N", min=1, help="Most questions in flight at the server.")
    ] = 8
    retries: Retries = 4
    timeout: Timeout = 120.0
    thinks: Annotated[
        bool,
        typer.Option(
            "--thinks",
            help="The model thinks before it answers: send 'max_completion_tokens' in place of 'max_tokens', and "
            "neither 'temperature' nor 'top_p'. A server that refuses them is asked again without, so --emit-requests "
            "alone needs it.",
        ),
    ] = False
    cache: CacheFolder = None
    no_cache: NoCacheFlag = False
    emit_requests: Annotated[
        Path | None,
        typer.Option(
            "--emit-requests",
            metavar="FILE",
            show_default=False,
            help="Ask no model: write the unanswered questions to FILE as a batch (OpenAI's format).",
        ),
    ] = None
    apply_results: Annotated[
        Path | None,
        typer.Option(
            "--apply-results", metavar="FILE", show_default=False, help="Take answers from the results of such a batch."
        ),
    ] = None
    price: Annotated[
        str | None,
        typer.Option(
            "--price",
            metavar="IN,OUT",
            show_default=False,
            help="Dollars for a million tokens read and written, to report what the run cost.",
        ),
    ] = None
    max_cost: MaxCost = None
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Send nothing and write no records: tell how many calls, tokens and, with --price, dollars a run "
            "would take, and what the cache answers already.",
        ),
    ] = False

    @property
    def writes_beside(self) -> list[Path | None]:
        """The batch of requests."""
        return [] if self.dry_run else [self.emit_requests]

    @property
    def reads_beside(self) -> list[tuple[str, Path | None]]:
        """The results of a batch."""
        return [("--apply-results", self.apply_results)]

    def job(self, **described: Any) -> "Job":
        """Set up the run; a dry one writes its estimate to standard output, and no other file."""
        written = replace(self, output=None, rejects=None) if self.dry_run else self
        return super(LlmOptions, written).job(**described)

    @property
    def is_local(self) -> bool:
        """Whether a model on this machine answers: neither a server, nor a batch, nor its results."""
        return self.endpoint is None and self.emit_requests is None and self.apply_results is None
