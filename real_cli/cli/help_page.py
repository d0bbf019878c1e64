"""What `--help` shows: what is needed first, then the options in groups; man pages list the same.

Ours because Typer's plain layout cuts no line under 50 columns, breaks words at hyphens, shows types in Python's
notation, and knows no groups.
"""

import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, NamedTuple

from real_cli.cli.option_sets import ARGUMENTS, NEEDED, OTHER, Options, ordered_titles, titles_of

WIDEST = 100
# Below this many columns, a description stands under its option rather than beside it.
NARROW = 60
NAME_COLUMNS = 30
# Above this many options, a list needs groups.
SHORT_LIST = 12
# Choices up to this many characters stand with the option; more stand in its description.
SHORT_CHOICES = 26
# Larger bounds are those of a number format.
LARGEST_SHOWN = 2**31
# Behind a group's name in its synopsis.
GROUP_USAGE = ("COMMAND", "[OPTION]...", "[FILE...]")
# A word of a shell, quotes and what they hold included.
SHELL_WORD = re.compile(r"""(?:'[^']*'|"[^"]*"|[^\s'"])+""")


class Row(NamedTuple):
    """An option or a command as a help lists it."""

    name: str
    text: str


def command_help(command: Any, context: Any, width: int) -> str:
    """Write the help of a command: usage, description, and its options by group."""
    width = min(width, WIDEST)
    lines = [*_head(command, context, width)]
    for title, params in sections(command, context).items():
        lines += ["", f"{title}:", *listed(map(row_of, params), width)]
    return "\n".join(lines)


def group_list(context: Any, width: int, summaries: Mapping[str, str]) -> str:
    """Write what a group shows where no command is named: its commands, on one screen."""
    width = min(width, WIDEST)
    commands = [Row(name, summary) for name, summary in summaries.items()]
    lines = [*wrapped(f"Usage: {context.command_path} {' '.join(GROUP_USAGE)}", width, " " * 7), ""]
    hint = f"{context.command_path} COMMAND --help lists the options of one; real help opens the manual."
    return "\n".join([*lines, *listed(commands, width), "", *wrapped(hint, width)])


def group_help(group: Any, context: Any, width: int, summaries: Mapping[str, str]) -> str:
    """Write the help of a group: usage, description, commands, options."""
    width = min(width, WIDEST)
    rows = [row_of(param) for param in group.get_params(context)]
    commands = [Row(name, summary) for name, summary in summaries.items()]
    lines = [*_head(group, context, width), "", "Commands:", *listed(commands, width)]
    return "\n".join([*lines, "", "Options:", *listed(rows, width)])


def usage_pieces(command: Any, context: Any) -> list[str]:
    """Return the words of a synopsis: what is needed, the options, the arguments."""
    params = command.get_params(context)
    needed = [param for param in params if _is_needed(command, param)]
    options = [row_of(param).name.rpartition(", ")[2] for param in needed if param.param_type_name == "option"]
    arguments = [param for param in params if param.param_type_name == "argument"]
    shown = [name_of(param) if param.required else f"[{name_of(param)}]" for param in arguments]
    return [*options, "[OPTION]...", *shown]


def sections(command: Any, context: Any) -> dict[str, list[Any]]:
    """Sort the parameters of a command by the titles of its help: needed ones, arguments, then groups.

    A list of at most `SHORT_LIST` options is a single group.
    """
    kind: type[Options] = command.kind
    params = {param.name: param for param in command.get_params(context) if not param.hidden}
    needed = [param for param in params.values() if _is_needed(command, param)]
    rest = [param for param in params.values() if param not in needed]
    grouped: dict[str, list[Any]] = {NEEDED: needed, ARGUMENTS: [each for each in rest if _is_argument(each)]}
    options = [param for param in rest if not _is_argument(param)]
    if len(params) <= SHORT_LIST:
        return {title: rows for title, rows in {**grouped, "Options": options}.items() if rows}
    titles = titles_of(kind)
    places = {name: place for place, name in enumerate(name for names in kind.GROUPS.values() for name in names)}
    for title in ordered_titles(kind):
        mine = [param for param in options if titles.get(param.name, OTHER) == title]
        grouped[title] = sorted(mine, key=lambda param: places.get(param.name, len(places)))
    return {title: rows for title, rows in grouped.items() if rows}


def _is_argument(param: Any) -> bool:
    return bool(param.param_type_name == "argument")


def _is_needed(command: Any, param: Any) -> bool:
    return bool(param.required) or param.name in command.kind.NEEDED


def row_of(param: Any) -> Row:
    """Describe a parameter: its names with what they take, and its help with default and range."""
    text, choices = param.help or "", choices_of(param)
    if choices and not param.metavar and _label(choices) is None:
        absent = [choice for choice in choices if not re.search(rf"(?<![\w-]){re.escape(choice)}(?![\w-])", text)]
        text += f" One of {', '.join(choices)}." if absent else ""
    facts = [fact for fact in (_default(param), range_of(param)) if fact]
    return Row(name_of(param), f"{text} [{'; '.join(facts)}]".strip() if facts else text)


def name_of(param: Any) -> str:
    """Write a parameter as it is typed: `-k, --keep SHARE%`, `FILE...`."""
    if _is_argument(param):
        return f"{param.metavar or param.name.upper()}{'...' if param.nargs != 1 else ''}"
    names = ", ".join(sorted(param.opts, key=lambda name: name.startswith("--")))
    if param.secondary_opts:
        names += f" / {', '.join(param.secondary_opts)}"
    return f"{names} {taken_by(param)}".rstrip()


def taken_by(param: Any) -> str:
    """Write what an option takes: its metavar, its choices where they are few, nothing for a flag."""
    if param.metavar or getattr(param, "is_flag", False):
        return param.metavar or ""
    return _label(choices_of(param)) or "NAME"


def choices_of(param: Any) -> list[str]:
    """List the values of a parameter that takes no others; empty for any other parameter."""
    choices = getattr(param.type_descriptor, "choices", None) or ()
    return [str(choice.value if isinstance(choice, Enum) else choice) for choice in choices]


def _label(choices: list[str]) -> str | None:
    label = "|".join(choices)
    return label if choices and len(label) <= SHORT_CHOICES else None


def range_of(param: Any) -> str:
    """Say the range of a number in words; bounds that only a number format sets are left out."""
    low, high = param.min, param.max
    if high is not None and high < LARGEST_SHOWN:
        return f"{low:g} to {high:g}" if low is not None else f"at most {high:g}"
    return f"{low:g} or more" if low is not None else ""


def _default(param: Any) -> str:
    if _is_argument(param) or not param.show_default:
        return ""
    value = param.show_default if isinstance(param.show_default, str) else param.default
    if value is None or isinstance(value, bool):
        has_names = value is not None and param.secondary_opts
        return f"default: {(param.opts if value else param.secondary_opts)[0]}" if has_names else ""
    if isinstance(value, float) and value == int(value):
        value = int(value)
    return f"default: {value.value if isinstance(value, Enum) else value}"


def _head(command: Any, context: Any, width: int) -> Iterator[str]:
    usage = f"Usage: {context.command_path} "
    pieces = " ".join(command.collect_usage_pieces(context))
    indent = " " * (len(usage) if len(usage) < width // 2 else 7)
    yield from wrapped(usage + pieces, width, indent)
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(command.help or "")):
        yield ""
        if not paragraph.startswith("\b"):
            yield from wrapped(f"  {' '.join(paragraph.split())}", width, "  ")
            continue
        for line in paragraph.removeprefix("\b").strip("\n").splitlines():
            yield from shown_line(line, width) if line.startswith(" ") else wrapped(f"  {line}", width, "  ")


def listed(rows: Iterator[Row] | list[Row], width: int) -> Iterator[str]:
    """Lay out rows in two columns, or in one where the width is small."""
    rows = list(rows)
    indent = 6 if width < NARROW else min(max(len(row.name) for row in rows), NAME_COLUMNS, width // 3) + 4
    for name, text in rows:
        lines = wrapped(text, width - indent) if text else []
        names = _wrapped_name(f"  {name}", width)
        if len(names[-1]) + 2 <= indent and lines:
            names[-1] = names[-1].ljust(indent) + lines.pop(0)
        yield from names
        yield from (f"{'':{indent}}{line}" for line in lines)


def _wrapped_name(name: str, width: int) -> list[str]:
    if len(name) <= width:
        return [name]
    return [line.replace("| ", "|") for line in wrapped(name.replace("|", "| "), width, " " * 6)]


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Break a text between words alone: names with hyphens stay whole."""
    return textwrap.wrap(text, max(width, 1), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def shown_line(line: str, width: int, indent: str = "    ") -> list[str]:
    """Show a line of an example: a command may be broken, a line of a file stands as it is."""
    text = line.strip()
    return wrapped_command(text, width, indent) if text.startswith("real ") else [indent + line.removeprefix("  ")]


def wrapped_command(line: str, width: int, indent: str = "") -> list[str]:
    r"""Break a shell's command where a shell lets it go on: behind a pipe, or with a backslash.

    >>> wrapped_command("real embed a.jsonl | real pair --keep 35%", 24)
    ['real embed a.jsonl |', '  real pair --keep 35%']
    """
    if len(indent) + len(line) <= width:
        return [indent + line]
    lines, current = [], indent
    units = _shell_units(line, width - len(indent) - 4)
    for number, unit in enumerate(units):
        is_last = number == len(units) - 1
        joint = " " if current.strip() else ""
        ends = 0 if is_last or unit in JOINTS else 2
        if joint and unit not in JOINTS and len(current) + 1 + len(unit) + ends > width:
            lines.append(f"{current} \\")
            current, joint = f"{indent}  ", ""
        current += joint + unit
        if unit in JOINTS:
            lines.append(current)
            current = f"{indent}  "
    return [*lines, current] if current.strip() else lines


# A shell reads on behind these.
JOINTS = ("|", "&&")


def _shell_units(line: str, room: int) -> list[str]:
    """Split a command into words; an option and its value, a redirection and its file stay together if they fit."""
    units: list[str] = []
    for word in SHELL_WORD.findall(line):
        before = units[-1] if units else ""
        is_value = before.startswith(("-", ">", "<")) and " " not in before and not word.startswith(("-", ">", "<"))
        if is_value and word not in JOINTS and len(before) + 1 + len(word) <= room:
            units[-1] += f" {word}"
        else:
            units.append(word)
    return units
