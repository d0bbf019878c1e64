"""Help in groups, for a command of many options."""

from collections.abc import Mapping, Sequence
from typing import Any

from typer.core import TyperCommand


def grouped(groups: Mapping[str, Sequence[str]]) -> type[TyperCommand]:
    """Make a command class whose help lists options in groups.

    Args:
        groups: Titles, and the names of their parameters in order; the rest stays under "Options".

    Returns:
        What `Typer.command` takes as `cls`.
    """

    class Grouped(TyperCommand):
        """A command whose help has groups."""

        option_groups = groups

        def format_options(self, ctx: Any, formatter: Any) -> None:
            """Write the groups, then what is in none of them."""
            records = {item.name: item.get_help_record(ctx) for item in self.get_params(ctx)}
            arguments = [item.name for item in self.get_params(ctx) if item.param_type_name == "argument"]
            titled = {"Arguments": arguments, **self.option_groups}
            listed = {name for names in titled.values() for name in names}
            titled |= {"Options": [name for name in records if name not in listed]}
            for title, names in titled.items():
                rows = [record for name in names if (record := records[name])]
                if rows:
                    with formatter.section(title):
                        formatter.write_dl(rows)

    return Grouped
