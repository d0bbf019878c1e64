"""The options of a server, and of commands whose model may be on a server that embeds or scores."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from real_cli.cli.option_sets import SERVER, Options, flag_of
from real_cli.errors import UsageError

KeyVariable = Annotated[
    str, typer.Option("--key-variable", metavar="NAME", help="The environment variable that holds the server's key.")
]
Retries = Annotated[
    int,
    typer.Option(
        "--retries",
        metavar="N",
        min=0,
        help="How often to ask again after 408, 409, 429, 5xx, a cut connection or a timeout; waits grow, and a "
        "Retry-After of up to 60 seconds is kept; longer ones end the question.",
    ),
]
Timeout = Annotated[
    float,
    typer.Option("--timeout", metavar="SECONDS", min=0.001, help="How long one answer may take, to its last byte."),
]
CacheFolder = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="DIR",
        show_default="$REAL_CACHE/answers",
        help="Where answers are stored: no question is asked twice, in this run or the next.",
    ),
]
NoCacheFlag = Annotated[bool, typer.Option("--no-cache", help="Neither store answers nor use stored ones.")]
MaxCost = Annotated[
    float | None,
    typer.Option(
        "--max-cost",
        metavar="DOLLARS",
        show_default=False,
        help="Stop before this run costs more at the server, by --price: a call in flight counts at its worst. "
        "Answers are kept: run the same command again to go on.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class ServerOptions(Options):
    """A server that embeds or scores in place of a model on this machine.

    Attributes:
        LOCAL: Fields of the command that a model on this machine alone reads.
        OF_SERVER: Fields of the command, besides those here, that a server alone reads.
    """

    TITLE = SERVER
    LOCAL: ClassVar[tuple[str, ...]] = ()
    OF_SERVER: ClassVar[tuple[str, ...]] = ()

    endpoint: Annotated[
        str | None,
        typer.Option(
            "--endpoint",
            metavar="URL",
            show_default=False,
            help="Ask a server, and load no model: its address, up to and including /v1 if it has one.",
        ),
    ] = None
    key_variable: KeyVariable = "REAL_API_KEY"
    per_request: Annotated[
        int,
        typer.Option(
            "--per-request",
            metavar="N",
            min=1,
            max=2048,
            help="Most texts in one request to the server. One that is refused is sent again in halves.",
        ),
    ] = 32
    concurrency: Annotated[
        int, typer.Option("--concurrency", metavar="N", min=1, help="Most requests in flight at the server.")
    ] = 8
    retries: Retries = 4
    timeout: Timeout = 120.0
    cache: CacheFolder = None
    no_cache: NoCacheFlag = False
    price: Annotated[
        float | None,
        typer.Option(
            "--price",
            metavar="IN",
            show_default=False,
            help="Dollars for a million tokens read, to report what the run cost.",
        ),
    ] = None
    max_cost: MaxCost = None

    def check_server(self, model: str) -> None:
        """Refuse options that nobody would read, and a server without its model's name."""
        if self.endpoint is None:
            given = self._changed((*(field.name for field in fields(ServerOptions)), *self.OF_SERVER))
            answers = "a model on this machine answers"
        else:
            given, answers = self._changed(self.LOCAL), "a server answers"
        if given:
            raise UsageError(f"{', '.join(map(flag_of, given))}: not read where {answers}; leave it out")
        if self.endpoint is not None and (not model or not self._changed(("model",))):
            raise UsageError("--endpoint: the model's name on the server is needed; give it with --model")

    def _changed(self, names: tuple[str, ...]) -> list[str]:
        """Return those of these fields that the user gave, or that a caller set."""
        defaults = {field.name: field.default for field in fields(self)}
        shared = {field.name for field in fields(Options)}
        return [
            name
            for name in names
            if name not in shared and (name in self.given or getattr(self, name) != defaults[name])
        ]
