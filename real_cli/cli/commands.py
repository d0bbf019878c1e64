"""Commands imported only when they run: `real pair --help` imports pair alone."""

import shutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, ClassVar, NamedTuple, TypeAlias

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_from_info
from typer.models import CommandInfo

from real_cli.cli.help_page import GROUP_USAGE, command_help, group_help, group_list, usage_pieces
from real_cli.cli.option_sets import Options

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"]}
# Typer has its own copy of Click and does not export the base of its usage errors.
USAGE_PROBLEM: Any = typer.BadParameter.__mro__[1]
# Where a context keeps the words that each of its commands was given, for messages.
WORDS = "real_cli.words"


class Lazy(NamedTuple):
    """A command that is not imported yet.

    Attributes:
        module: The module that holds it.
        function: Its name there.
        summary: The first sentence of its help, which its group lists.
    """

    module: str
    function: str
    summary: str


class Members(NamedTuple):
    """A group within a group: its help, and its commands."""

    summary: str
    rows: Mapping[str, Lazy]


Rows: TypeAlias = Mapping[str, Lazy | Members]


class Parsing:
    """What commands and groups share: help laid out here, and words kept for messages."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse words; a mistake knows whose they were, and what they were."""
        ctx.meta.setdefault(WORDS, {})[ctx.command_path] = list(args)
        args = list(_without_values(args, self.get_params(ctx)))
        try:
            parsed: list[str] = super().parse_args(ctx, args)  # type: ignore[misc]
        except USAGE_PROBLEM as error:
            error.ctx = error.ctx or ctx
            raise
        return parsed

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, with a help in our words."""
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for param in params:
            if param.name == "help":
                param.help = "Show this help and exit."
                param.default = False  # of None, Typer would load pydantic to read it
        return params


def _without_values(words: list[str], params: list[Any]) -> Iterator[str]:
    """Take `=VALUE` from flags that may have a value behind them; who answers them reads it from the words."""
    flags = {name for param in params if getattr(param, "is_flag", False) and param.metavar for name in param.opts}
    for word in words:
        yield word.partition("=")[0] if word.partition("=")[0] in flags else word


class RealCommand(Parsing, TyperCommand):
    """A command whose help lists what is needed first, then its options in groups.

    Attributes:
        kind: The dataclass of its options, which knows the groups.
    """

    kind: type[Options] = Options

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words behind the command's name in its synopsis."""
        return usage_pieces(self, ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help for the width at hand."""
        formatter.write(command_help(self, ctx, _width()))


class RealGroup(Parsing, TyperGroup):
    """A group that knows only names and summaries until a command is used."""

    rows: ClassVar[Rows] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: _member(name, row) for name, row in self.rows.items()}

    def get_command(self, ctx: Any, name: str) -> Any:
        """Import a command."""
        row = self.rows.get(name)
        return _load(name, row) if isinstance(row, Lazy) else self.commands.get(name)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words behind the group's name in its synopsis."""
        return [*GROUP_USAGE]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help for the width at hand; no command is imported."""
        formatter.write(group_help(self, ctx, _width(), self.summaries))

    def list_for(self, ctx: Any) -> str:
        """Write the list of commands for the width at hand, for a line that names none."""
        return group_list(ctx, _width(), self.summaries)

    @property
    def summaries(self) -> dict[str, str]:
        """The first sentence of each command's help, by name."""
        return {name: row.summary for name, row in self.rows.items()}


def lazy_group(rows: Rows) -> type[RealGroup]:
    """Make a group class from rows in the order of its help."""
    return type("LazyGroup", (RealGroup,), {"rows": rows, "__doc__": RealGroup.__doc__})


def _width() -> int:
    return shutil.get_terminal_size().columns


def _member(name: str, row: Lazy | Members) -> Any:
    if isinstance(row, Lazy):
        return TyperCommand(name=name, help=row.summary)
    settings: Any = {"name": name, "help": row.summary, "context_settings": SETTINGS}
    return lazy_group(row.rows)(**settings, no_args_is_help=True, rich_markup_mode=None)


def _load(name: str, row: Lazy) -> Any:
    callback = getattr(import_module(row.module), row.function)
    info = CommandInfo(name, cls=RealCommand, callback=callback)
    command: Any = get_command_from_info(info, pretty_exceptions_short=True, rich_markup_mode=None)
    command.kind = callback.options
    command.context_settings = SETTINGS
    return command
