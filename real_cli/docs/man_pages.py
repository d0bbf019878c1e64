"""Man pages, the README's tables and the light tables: `python -m real_cli.docs` renews them.

With --check nothing is written: what differs is shown, and the exit status is 1. There is no clock in a page, so the
same code makes the same bytes.
"""

import difflib
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import typer

from real_cli import __released__, __version__
from real_cli.app import app
from real_cli.docs.house import house_tree
from real_cli.docs.light_tables import light_tables
from real_cli.docs.losses import objectives_section, objectives_table, presets_section
from real_cli.docs.markdown import man_page
from real_cli.docs.recipes import PAGE, recipes_page, recipes_table
from real_cli.docs.roff import escape, filled, joined
from real_cli.docs.strategies import strategies_section
from real_cli.records.layouts import LAYOUTS

ROOT = Path(__file__).resolve().parents[2]
RENEW = "python -m real_cli.docs"
FRAME = "man/real.1.in"
# What some pages have behind their options.
SECTIONS = {"real-pair": (strategies_section,), "real-train-dpo": (objectives_section, presets_section)}


class Command(NamedTuple):
    """One command of the app: its words, and what Typer knows of it."""

    words: str
    command: Any
    context: Any

    @property
    def page(self) -> str:
        """The name of its man page."""
        return self.words.replace(" ", "-")

    @property
    def paragraphs(self) -> list[str]:
        """The help text; paragraphs that begin with a backspace are kept as they are laid out."""
        return re.split(r"\n\s*\n", self.command.help.strip())


def commands() -> list[Command]:
    """List every command of the app, in the order of the pipe.

    Returns:
        Commands that do something; a group stands for its members.
    """
    group = typer.main.get_command(app)
    return list(_walk("real", group, typer.Context(group, info_name="real")))


def _walk(words: str, command: Any, context: Any) -> Iterator[Command]:
    if not hasattr(command, "list_commands"):
        yield Command(words, command, context)
        return
    for name in command.list_commands(context):
        member = command.get_command(context, name)
        yield from _walk(f"{words} {name}", member, typer.Context(member, info_name=name, parent=context))


def command_page(command: Command) -> str:
    """Make the man page of one command.

    Args:
        command: The command.

    Returns:
        Roff.
    """
    first, *rest = command.paragraphs
    usage = " ".join(command.command.collect_usage_pieces(command.context))
    lines = [
        f'.TH {command.page.upper()} 1 {__released__} "real {__version__}" "User Commands"',
        ".SH NAME",
        f"{escape(command.page)} \\- {escape(_summary(first))}",
        ".SH SYNOPSIS",
        f".B {escape(command.words)}",
        escape(usage),
        ".SH DESCRIPTION",
        filled(first),
    ]
    for paragraph in rest:
        lines += _paragraph(paragraph)
    lines += _options(command)
    for section in SECTIONS.get(command.page, ()):
        lines += section()
    lines += [".SH EXIT STATUS", "As", ".BR real (1)", "says.", ".SH SEE ALSO", _see_also(command.page)]
    return "\n".join(lines) + "\n"


def _summary(paragraph: str) -> str:
    text = re.split("[,:]", joined(paragraph).rstrip("."))[0]  # one short line, as apropos shows it
    return text[0].lower() + text[1:]


def _options(command: Command) -> list[str]:
    """List the options as help does: in groups where the command has some, then the rest."""
    parameters = {item.name: item for item in command.command.get_params(command.context)}
    lines = [".SH OPTIONS"]
    groups = getattr(command.command, "option_groups", {})
    grouped = {name for names in groups.values() for name in names}
    rest = [name for name in parameters if name not in grouped]
    arguments = [name for name in rest if parameters[name].param_type_name == "argument"]
    titled = (
        {"": arguments, **groups, "Other": [name for name in rest if name not in arguments]} if groups else {"": rest}
    )
    for title, names in titled.items():
        described = [line for name in names for line in _option(parameters[name], command.context)]
        lines += [f".SS {escape(title)}"] * bool(title and described) + described
    return lines


def _option(parameter: Any, context: Any) -> list[str]:
    record = parameter.get_help_record(context)
    if not record or "--help" in record[0]:
        return []
    # An argument's type says nothing that its name and help do not.
    name = record[0].partition(" <")[0] if parameter.param_type_name == "argument" else record[0]
    return [".TP", f".B {escape(name)}", filled(record[1])]


# A command writes to another one; the other's status hides its own, unless the shell is told.
PIPE = re.compile(r"\breal .*\|(?: real |$)")
PIPEFAIL = "set -o pipefail"


def _paragraph(paragraph: str) -> list[str]:
    if not paragraph.lstrip().startswith("\b"):
        return [".PP", filled(paragraph)]
    title, _, examples = paragraph.replace("\b", "").strip("\n").partition("\n")
    lines = textwrap.dedent(examples).splitlines()
    if any(PIPE.search(line) for line in lines):
        lines.insert(0, PIPEFAIL)
    return [f".SH {escape(title.strip().rstrip(':').upper())}", ".nf", *map(escape, lines), ".fi"]


def _see_also(page: str) -> str:
    others = _references(["real", *(command.page for command in commands() if command.page != page)])
    return f"{others},\n.BR {escape(PAGE)} (7)" if page == "real-init" else others


def _references(pages: list[str]) -> str:
    """Refer to man pages; the comma stands behind the section, inside the request."""
    return "\n".join(f".BR {escape(page)} (1){',' if page != pages[-1] else ''}" for page in pages)


def main_page(frame: str) -> str:
    """Fill the hand-written frame of real(1).

    Args:
        frame: Roff with @holes@.

    Returns:
        The page.
    """
    listed = [f".TP\n.BR {escape(command.page)} (1)\n{filled(command.paragraphs[0])}" for command in commands()]
    layouts = [
        f".TP\n.B {escape(row.name)}\n{filled(row.fields.replace('`', '') + f'. Becomes: {row.becomes}.')}"
        for row in LAYOUTS
    ]
    holes = {
        "version": __version__,
        "released": __released__,
        "commands": "\n".join(listed),
        "layouts": "Layouts are told by the fields of each record:\n" + "\n".join(layouts),
        "pages": _references([command.page for command in commands()]) + f",\n.BR {escape(PAGE)} (7)",
    }
    return re.sub("@([a-z]+)@", lambda hole: holes[hole[1]], frame)


def commands_table() -> str:
    """Make the README's table of commands.

    Returns:
        Markdown.
    """
    rows = ["| command | what it does | streams or buffers |", "| --- | --- | --- |"]
    for command in commands():
        flow = [joined(text) for text in command.paragraphs if re.match(r"(Streams|Buffers)\b", text)]
        rows.append(f"| `{command.words}` | {joined(command.paragraphs[0])} | {flow[0] if flow else 'writes files'} |")
    return "\n".join(rows)


def layouts_table() -> str:
    """Make the README's table of layouts.

    Returns:
        Markdown.
    """
    rows = ["| layout | known by | becomes |", "| --- | --- | --- |"]
    return "\n".join(rows + [f"| {row.name} | {row.fields} | {row.becomes} |" for row in LAYOUTS])


def filled_readme(readme: str) -> str:
    """Renew the generated parts of the README, between their marks.

    Args:
        readme: The README.

    Returns:
        The README with fresh tables.
    """
    for name, table in (
        ("commands", commands_table()),
        ("layouts", layouts_table()),
        ("objectives", objectives_table()),
        ("recipes", recipes_table()),
        ("house", house_tree()),
    ):
        begin, end = f"<!-- {name}: made by {RENEW} -->", f"<!-- end of {name} -->"
        pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        readme = pattern.sub(lambda _, text=f"{begin}\n{table}\n{end}": text, readme)  # type: ignore[misc]
    return readme


def documents() -> dict[str, str]:
    """Make every generated document.

    Returns:
        Paths below the repository's root, and contents.
    """
    made = light_tables() | {f"man/{command.page}.1": command_page(command) for command in commands()}
    made[f"man/{PAGE}.7"] = recipes_page()
    made["man/real.1"] = main_page((ROOT / FRAME).read_text(encoding="utf-8"))
    for source in sorted((ROOT / "man").glob("*.md")):
        made[f"man/{source.stem}"] = man_page(source.read_text(encoding="utf-8"))
    made["README.md"] = filled_readme((ROOT / "README.md").read_text(encoding="utf-8"))
    return made


def differences() -> str:
    """Compare the documents with the files.

    Returns:
        A unified diff; empty if all are up to date.
    """
    diff: list[str] = []
    for name, content in documents().items():
        path = ROOT / name
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        diff += difflib.unified_diff(before.splitlines(True), content.splitlines(True), name, f"{name}, fresh")
    return "".join(diff)


def main(arguments: list[str]) -> int:
    """Write the documents, or with --check compare them.

    Args:
        arguments: The command line.

    Returns:
        The exit status.
    """
    if arguments == ["--check"]:
        diff = differences()
        if diff:
            sys.stdout.write(f"{diff}\nnot up to date; renew with: {RENEW}\n")
        return int(bool(diff))
    for name, content in documents().items():
        (ROOT / name).write_text(content, encoding="utf-8")
    return 0
