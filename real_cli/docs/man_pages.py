"""Man pages, the README's tables and the light tables: `python -m real_cli.docs` renews them.

With --check nothing is written: differences are shown, and the exit status is 1. No page holds a date of its making, so
the same code makes the same bytes.
"""

import difflib
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import typer

from real_cli import __released__, __version__
from real_cli.app import app
from real_cli.cli.commands import SETTINGS
from real_cli.cli.help_page import row_of, sections, shown_line
from real_cli.cli.option_sets import ARGUMENTS
from real_cli.docs.checks import checks_section
from real_cli.docs.feedback import events_section, left_section, shapes_section
from real_cli.docs.house import house_tree
from real_cli.docs.light_tables import light_tables
from real_cli.docs.losses import objectives_list, presets_list
from real_cli.docs.markdown import man_page
from real_cli.docs.page_sections import closing_sections
from real_cli.docs.recipes import PAGE, recipes_page
from real_cli.docs.roff import PLAIN, escape, filled, joined, literal
from real_cli.docs.strategies import strategies_section
from real_cli.records.layouts import LAYOUTS

ROOT = Path(__file__).resolve().parents[2]
RENEW = "python -m real_cli.docs"
# Sections that follow the options of some pages.
SECTIONS = {
    "real-pair": (strategies_section,),
    "real-eval-pairs": (checks_section,),
    "real-relabel-feedback": (shapes_section, events_section, left_section),
}
# SEE ALSO beside siblings: neighbors in the pipe, and what a command reads.
NEIGHBORS = {
    "real-split": "real-sample(1) real-pair(1) real-train-dpo(1) real-eval-margin(1) real-eval-pairs(1)",
    "real-sample": "real-embed(1) real-pair(1) real-relabel-judge(1) real-relabel-reward(1)",
    "real-embed": "real-sample(1) real-pair(1) real-eval-labels(1)",
    "real-pair": "real-embed(1) real-relabel-human(1) real-relabel-judge(1) real-train-dpo(1) real-eval-pairs(1)",
    "real-relabel": "real-pair(1) real-train-dpo(1)",
    "real-merge": "real-sample(1) real-embed(1) real-pair(1) real-scale(7)",
    "real-train-dpo": "real-pair(1) real-relabel-weight(1) real-soup(1) real-eval-margin(1) real-losses(7)",
    "real-train-reward": "real-pair(1) real-relabel-reward(1) real-relabel-weight(1) real-train-dpo(1)",
    "real-soup": "real-train-dpo(1) real-eval-margin(1)",
    "real-eval": "real-pair(1) real-train-dpo(1) real-judges(7) real-evidence(7)",
    "real-eval-compare": "real-init(1) real-recipes(7)",
    "real-init": "make(1) real-recipes(7)",
    "real-help": "man(1) real-losses(7) real-recipes(7) real-performance(7) real-scale(7)",
}
EVERYWHERE = "real-records(5) real-guide(7) real-methods(7)"


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
    """List the app's commands in the order of the pipe, a group's members in its place."""
    group = typer.main.get_command(app)
    return list(_walk("real", group, typer.Context(group, info_name="real", **SETTINGS)))


def _walk(words: str, command: Any, context: Any) -> Iterator[Command]:
    if not hasattr(command, "list_commands"):
        yield Command(words, command, context)
        return
    for name in command.list_commands(context):
        member = command.get_command(context, name)
        yield from _walk(f"{words} {name}", member, typer.Context(member, info_name=name, parent=context))


def command_page(command: Command) -> str:
    """Make the man page of one command."""
    first, *rest = command.paragraphs
    usage = " ".join(command.command.collect_usage_pieces(command.context))
    lines = [
        f'.TH {command.page.upper()} 1 {__released__} "real {__version__}" "User Commands"',
        *PLAIN,
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
    lines += closing_sections([param.name for param in command.command.get_params(command.context)])
    lines += [".SH SEE ALSO", _see_also(command)]
    return "\n".join(lines) + "\n"


def _summary(paragraph: str) -> str:
    text = re.split("[,:]", joined(paragraph).rstrip("."))[0]  # a short line, for apropos
    return text[0].lower() + text[1:]


def _options(command: Command) -> list[str]:
    """List the options as help does: what is needed, then groups."""
    lines = [".SH OPTIONS"]
    for title, params in sections(command.command, command.context).items():
        rows = [row_of(param) for param in params]
        described = [line for row in rows for line in (".TP", f".B {_breakable(row.name)}", filled(row.text))]
        # Before the first title none is missing; behind it, what has none would stand under another's.
        has_title = title not in ("Options", ARGUMENTS) or any(map(_is_title, lines))
        lines += [f".SS {escape(title)}"] * bool(has_title and described) + described
    return lines


def _is_title(line: str) -> bool:
    return line.startswith(".SS ")


def _breakable(name: str) -> str:
    r"""Write a name that may be broken behind a bar alone."""
    return escape(name).replace("|", "|\\:")


# In a pipe the last command's status hides the others', unless pipefail is set.
PIPE = re.compile(r"\breal .*\|(?: real |$)")
PIPEFAIL = "set -o pipefail"
# What a terminal of 60 columns leaves: no page breaks these lines.
EXAMPLE_COLUMNS = 52


def _paragraph(paragraph: str) -> list[str]:
    if not paragraph.lstrip().startswith("\b"):
        return [".PP", filled(paragraph)]
    title, _, examples = paragraph.replace("\b", "").strip("\n").partition("\n")
    lines = textwrap.dedent(examples).splitlines()
    if any(PIPE.search(line) for line in lines):
        lines.insert(0, PIPEFAIL)
    lines = [part for line in lines for part in shown_line(line, EXAMPLE_COLUMNS, "")]
    return [f".SH {escape(title.strip().rstrip(':').upper())}", ".nf", *map(literal, lines), ".fi"]


def _see_also(command: Command) -> str:
    group = command.page.rpartition("-")[0] if command.words.count(" ") > 1 else command.page
    siblings = [f"{other.page}(1)" for other in commands() if other.page.startswith(f"{group}-")]
    pages = dict.fromkeys(["real(1)", *NEIGHBORS.get(group, "").split(), *siblings, *EVERYWHERE.split()])
    others = [page for page in pages if page != f"{command.page}(1)"]
    return ",\n".join(re.sub(r"(.*)\((.)\)", r".BR \1 (\2)", escape(page)) for page in others)


def commands_table() -> str:
    """Make the README's table of commands, a line each; a star is for those that buffer their input."""
    rows = ["| command | what it does |", "| --- | --- |"]
    for command in commands():
        star = " *" if _flow(command).startswith("Buffers") else ""
        rows.append(f"| `{command.words}` | {joined(command.paragraphs[0])}{star} |")
    return "\n".join(rows)


def pages_list() -> str:
    """List the commands' pages, each with what it does and whether it streams."""
    return "\n".join(
        f"- **{command.page}(1)**: {joined(command.paragraphs[0])} {_flow(command)}".rstrip() for command in commands()
    )


def _flow(command: Command) -> str:
    """Return what the help says of streaming; empty for a command that reads no records."""
    return next((joined(text) for text in command.paragraphs if re.match(r"(Streams|Buffers)\b", text)), "")


def layouts_table() -> str:
    """Make the table of layouts."""
    rows = ["| layout | known by | becomes |", "| --- | --- | --- |"]
    return "\n".join(rows + [f"| {row.name} | {row.fields} | {row.becomes} |" for row in LAYOUTS])


# The generated parts of the README and the manual's sources, by their marks.
GENERATED: dict[str, Callable[[], str]] = {
    "commands": commands_table,
    "pages": pages_list,
    "layouts": layouts_table,
    "objectives": objectives_list,
    "presets": presets_list,
    "house": house_tree,
}


def filled_in(text: str) -> str:
    """Renew the generated parts of a Markdown document, between their marks."""
    marks = re.compile(rf"(<!-- ([a-z]+): made by {re.escape(RENEW)} -->\n).*?(<!-- end of \2 -->)", re.DOTALL)
    return marks.sub(lambda match: f"{match[1]}{GENERATED[match[2]]()}\n{match[3]}", text)


def documents() -> dict[str, str]:
    """Make every generated document: paths below the repository's root, and contents."""
    contents = light_tables() | {f"man/{command.page}.1": command_page(command) for command in commands()}
    contents[f"man/{PAGE}.7"] = recipes_page()
    for path in (ROOT / "README.md", *sorted((ROOT / "man").glob("*.md"))):
        contents[str(path.relative_to(ROOT))] = filled_in(path.read_text(encoding="utf-8"))
    sources = {name: text for name, text in contents.items() if re.match(r"man/.*\.md$", name)}
    return contents | {name.removesuffix(".md"): man_page(text) for name, text in sources.items()}


def differences() -> str:
    """Diff the documents against their files; empty if all are up to date."""
    diff: list[str] = []
    for name, content in documents().items():
        path = ROOT / name
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        diff += difflib.unified_diff(before.splitlines(True), content.splitlines(True), name, f"{name}, fresh")
    return "".join(diff)


def main(arguments: list[str]) -> int:
    """Write the documents, or with --check compare them; return the exit status."""
    if arguments == ["--check"]:
        diff = differences()
        if diff:
            sys.stdout.write(f"{diff}\nnot up to date; renew with: {RENEW}\n")
        return int(bool(diff))
    for name, content in documents().items():
        (ROOT / name).write_text(content, encoding="utf-8")
    return 0
