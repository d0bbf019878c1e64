"""What a shell offers on Tab: commands, options, and the values of options. No command runs, and none loads torch.

Typer's own completion converts the words before the cursor, for which it loads pydantic, and imports every command of a
group to list them. The variables in which shells hand over the line are Typer's, so its scripts work as well.
"""

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import typer

from real_cli.cli.commands import RealGroup
from real_cli.cli.completion_scripts import INSTALL, SCRIPTS, SHOW, VARIABLE

# An argument whose values are of several words.
SEVERAL_WORDS = "TOPIC"


class Offer(NamedTuple):
    """A word that may stand at the cursor, and what it is."""

    word: str
    about: str = ""


def answer_shell(root: Any) -> int:
    """Answer the shell that asks through the environment; return the exit status."""
    words = set(os.environ[VARIABLE].split("_"))
    shell = next((name for name in SCRIPTS if name in words), None)
    if shell is None:
        return 1
    if "source" in words:
        text = SCRIPTS[shell]
    else:
        line, current = LINES[shell]()
        offers = _offers(root, line, current)
        if os.environ.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
            return int(not offers)
        text = FORMS[shell](offers, current)
    sys.stdout.write(f"{text}\n" if text else "")
    return 0


def _offers(root: Any, line: list[str], current: str) -> list[Offer]:
    """Find the offers; a line that nobody can read has none, since an error would be written into it."""
    try:
        return list(find_offers(root, line, current))
    except Exception:
        if os.environ.get("REAL_DEBUG"):
            raise
        return []


def find_offers(root: Any, words: Sequence[str], current: str) -> Iterator[Offer]:
    """Offer what may stand behind the words, beginning with what is typed of it.

    Args:
        root: The group of all commands.
        words: The words between `real` and the cursor.
        current: What is typed of the word at the cursor.
    """
    context, rest = _descend(root, list(words))
    command = context.command
    if current.startswith("--") and "=" in current:
        name, _, value = current.partition("=")
        yield from (
            Offer(f"{name}={offer.word}", offer.about)
            for offer in find_offers(root, [*words, name], value)
            if not offer.word.startswith("-")
        )
        return
    if words and words[-1].rstrip("=") in (INSTALL, SHOW) and isinstance(command, RealGroup):
        # Flags to Typer; the shell's name behind one is read by hand.
        yield from (Offer(shell) for shell in SCRIPTS if shell.startswith(current))
        return
    params = command.get_params(context)
    awaiting = _awaiting(params, rest)
    if awaiting is not None:
        yield from _values(awaiting, context, "" if current == "=" else current)
    elif current.startswith("-") and "--" not in rest:
        yield from _options(params, rest, current)
    elif isinstance(command, RealGroup):
        yield from (Offer(name, about) for name, about in command.summaries.items() if name.startswith(current))
    else:
        for param in params:
            if param.param_type_name == "argument":
                yield from _argument_values(param, context, rest, current)


def _descend(group: Any, words: list[str]) -> tuple[Any, list[str]]:
    """Find the command that words name; return its context, and the words behind its name."""
    context = typer.Context(group, info_name="real", resilient_parsing=True)
    while words and isinstance(context.command, RealGroup):
        word = words.pop(0)
        command = None if word.startswith("-") else context.command.get_command(context, word)
        if command is not None:
            context = typer.Context(command, info_name=word, parent=context, resilient_parsing=True)
    return context, words


def _awaiting(params: Sequence[Any], words: Sequence[str]) -> Any:
    """Find the option whose value stands at the cursor; None where it is a word of its own.

    bash takes an equals sign for a word.
    """
    by_name = {name: param for param in params for name in (*param.opts, *param.secondary_opts)}
    awaiting, missing = None, 0
    for place, word in enumerate(words):
        if word == "--" and not missing:
            return None
        if word == "=" and awaiting is not None and words[place - 1].startswith("--"):
            continue
        if missing:
            missing -= 1
            continue
        awaiting = by_name.get(word)
        takes_value = awaiting is not None and awaiting.param_type_name == "option" and not awaiting.is_flag
        missing = awaiting.nargs if awaiting is not None and takes_value else 0
    return awaiting if missing else None


def _options(params: Sequence[Any], words: Sequence[str], current: str) -> Iterator[Offer]:
    """Offer options by their long names, those that are given already left out."""
    for param in params:
        names = [*param.opts, *param.secondary_opts]
        is_spent = not getattr(param, "multiple", False) and any(name in words for name in names)
        if param.param_type_name != "option" or is_spent:
            continue
        about = re.split(r"[.;:] ", f"{param.help or ''} ")[0].strip()
        yield from (Offer(name, about) for name in names if name.startswith("--") and name.startswith(current))
        if current in names and not current.startswith("--"):
            yield Offer(current, about)


def _values(param: Any, context: Any, current: str) -> Iterator[Offer]:
    yield from (Offer(str(item.value), str(item.help or "")) for item in param.shell_complete(context, current))


def _argument_values(param: Any, context: Any, words: Sequence[str], current: str) -> Iterator[Offer]:
    """Offer an argument's values; a topic of several words goes on from the words before."""
    if param.metavar != SEVERAL_WORDS:
        yield from _values(param, context, current)
        return
    before = "".join(f"{word} " for word in words if not word.startswith("-"))
    offers = [offer.word.removeprefix(before) for offer in _values(param, context, before + current)]
    yield from map(Offer, dict.fromkeys(word.partition(" ")[0] for word in offers))


def _bash_line() -> tuple[list[str], str]:
    words = _split(os.environ.get("COMP_WORDS", ""))
    place = int(os.environ.get("COMP_CWORD") or len(words))
    return words[1:place], words[place] if place < len(words) else ""


def _typed_line() -> tuple[list[str], str]:
    """Read the line as zsh and fish give it: up to the cursor."""
    line = os.environ.get("_TYPER_COMPLETE_ARGS", "")
    words = _split(line)[1:]
    return (words, "") if not words or line[-1:].isspace() else (words[:-1], words[-1])


def _split(line: str) -> list[str]:
    """Split a line into words as a shell does; a quotation may still be open."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        words += iter(lexer)
    except ValueError:
        words.append(lexer.token)
    return words


def _bash_form(offers: Sequence[Offer], current: str) -> str:
    """Write words a line each, as a shell reads them."""
    return "\n".join(re.sub(r"([^\w@%+=:,./~-])", r"\\\1", offer.word) for offer in offers)


def _fish_form(offers: Sequence[Offer], current: str) -> str:
    return "\n".join(f"{offer.word}\t{offer.about}" if offer.about else offer.word for offer in offers)


def _zsh_form(offers: Sequence[Offer], current: str) -> str:
    """Write commands for zsh: words that are whole, and folders that go on; files where there is neither."""
    whole = [offer for offer in offers if not offer.word.endswith("/")]
    folders = [shlex.quote(offer.word) for offer in offers if offer.word.endswith("/")]
    lines = ["local -a real_words"] * bool(whole)
    if whole:
        lines += [f"real_words=({' '.join(map(_zsh_item, whole))})", f"_describe {_zsh_kind(whole)}value real_words"]
    if folders:
        lines.append(f"compadd -S '' -- {' '.join(folders)}")
    return "; ".join(lines) or "_files"


def _zsh_kind(offers: Sequence[Offer]) -> str:
    """Tell zsh that words are options, without which it shows none that begin with a hyphen."""
    return "-o " if offers[0].word.startswith("-") else ""


def _zsh_item(offer: Offer) -> str:
    word = offer.word.replace("\\", "\\\\").replace(":", "\\:")
    return shlex.quote(f"{word}:{offer.about}" if offer.about else word)


LINES: dict[str, Callable[[], tuple[list[str], str]]] = {"bash": _bash_line, "zsh": _typed_line, "fish": _typed_line}
FORMS: dict[str, Callable[[Sequence[Offer], str], str]] = {"bash": _bash_form, "zsh": _zsh_form, "fish": _fish_form}
