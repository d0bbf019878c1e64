"""Commands imported only when they run (`real pair --help` imports pair alone), and help with option groups."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple, TypeAlias

from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_from_info
from typer.models import CommandInfo

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


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


def lazy_group(rows: Rows) -> type[TyperGroup]:
    """Make a group class from rows in the order of its help."""

    class LazyGroup(TyperGroup):
        """A group that knows only names and summaries until a command is used."""

        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            self.commands = {name: _member(name, row) for name, row in rows.items()}

        def get_command(self, ctx: Any, name: str) -> Any:
            """Import a command."""
            row = rows.get(name)
            return _load(name, row) if isinstance(row, Lazy) else self.commands.get(name)

        def format_commands(self, ctx: Any, formatter: Any) -> None:
            """List the commands without importing any."""
            limit = formatter.width - 6 - max(map(len, rows))
            with formatter.section("Commands"):
                formatter.write_dl([(name, item.get_short_help_str(limit)) for name, item in self.commands.items()])

        def get_params(self, ctx: Any) -> list[Any]:
            """Return the parameters; a flag not given is false, since Typer would load pydantic to read None."""
            params = super().get_params(ctx)
            for param in params:
                if getattr(param, "is_flag", False) and param.default is None:
                    param.default = False
            return params

    return LazyGroup


def _member(name: str, row: Lazy | Members) -> Any:
    if isinstance(row, Lazy):
        return TyperCommand(name=name, help=row.summary)
    settings: Any = {"name": name, "help": row.summary, "context_settings": SETTINGS}
    return lazy_group(row.rows)(**settings, no_args_is_help=True, rich_markup_mode=None)


def _load(name: str, row: Lazy) -> Any:
    callback = getattr(import_module(row.module), row.function)
    groups = callback.options.GROUPS
    info = CommandInfo(name, cls=grouped(groups) if groups else None, callback=callback)
    return get_command_from_info(info, pretty_exceptions_short=True, rich_markup_mode=None)


def grouped(groups: Mapping[str, Sequence[str]]) -> type[TyperCommand]:
    """Make a command class whose help lists options in titled groups, the rest under Options."""

    class Grouped(TyperCommand):
        """A command whose help has groups."""

        option_groups = groups

        def format_options(self, ctx: Any, formatter: Any) -> None:
            """Write the groups, then the options in none of them."""
            records = {param.name: param.get_help_record(ctx) for param in self.get_params(ctx)}
            arguments = [param.name for param in self.get_params(ctx) if param.param_type_name == "argument"]
            titled = {"Arguments": arguments, **self.option_groups}
            listed = {name for names in titled.values() for name in names}
            titled |= {"Options": [name for name in records if name not in listed]}
            for title, names in titled.items():
                rows = [record for name in names if (record := records[name])]
                if rows:
                    with formatter.section(title):
                        formatter.write_dl(rows)

    return Grouped
