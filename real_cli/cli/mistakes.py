"""What is wrong with a command line, in our words: Typer's name its own notions and its libraries'."""

import re
from collections.abc import Callable
from typing import Any

from real_cli.cli.commands import WORDS, RealGroup
from real_cli.cli.help_page import choices_of, name_of, range_of
from real_cli.cli.synonyms import ABSENT, OTHERS_VALUES, others_option
from real_cli.errors import NO_OTHERS, clip, nearest, none_of


def explain(error: Any) -> str:
    """Say in one line what is wrong and what would be right."""
    describe = MISTAKES.get(type(error).__name__, _describe_other)
    return describe(error)


def _describe_option(error: Any) -> str:
    """Describe an option that the command does not have."""
    name = _typed_option(error)
    return f"{_place(error.ctx)}{_shown(name)} is no option; {_meant_option(name.lstrip('-'), error.ctx)}"


def _typed_option(error: Any) -> str:
    """Return the option as it was typed: of -lr, the parser names the letter that it does not know."""
    name: str = error.option_name
    if name.startswith("--"):
        return name
    clusters = (word for word in _words(error.ctx) if re.fullmatch(r"-[A-Za-z][\w-]+", word) and name[1] in word)
    return next(clusters, name)


def _meant_option(name: str, context: Any) -> str:
    """Say which option was meant: what other tools call so, else the nearest."""
    params = {param.name: param for param in context.command.get_params(context) if not param.hidden}
    if name in ABSENT and "on_error" in params:  # a command that reads records
        return ABSENT[name]
    meant = next((params[field] for field in others_option(name) if field in params), None)
    if meant is not None and meant.param_type_name == "argument":
        return f"give {name_of(meant)} without an option"
    known = [each for param in params.values() for each in (*param.opts, *param.secondary_opts)]
    options = [each.removeprefix("--") for each in known if each.startswith("--")]
    near = nearest(name, options) if meant is None else max(meant.opts, key=len).removeprefix("--")
    return f"did you mean --{near}?" if near else _see(context)


def _describe_use(error: Any) -> str:
    """Describe an option with a value too many, or too few."""
    name = error.option_name
    param = next(each for each in error.ctx.command.get_params(error.ctx) if name in (*each.opts, *each.secondary_opts))
    if getattr(param, "is_flag", False):
        return f"{name}: takes no value; write {name} alone"
    number = "no value" if param.nargs == 1 else f"fewer than {param.nargs} values"
    return f"{name}: has {number}; write {name} {_taken(param)}"


def _describe_absent(error: Any) -> str:
    """Describe a needed option or argument that is not there."""
    param = error.param
    if param.param_type_name == "argument":
        return f"{_place(error.ctx)}{name_of(param)} is missing; {_see(error.ctx)}"
    name = max(param.opts, key=len)
    return f"{_place(error.ctx)}{name} is missing; give {name} {_taken(param)}"


def _describe_value(error: Any) -> str:
    """Describe a value that an option cannot take."""
    param = error.param
    if param is None:
        return _describe_other(error)
    name = max(param.opts, key=len) if param.param_type_name == "option" else name_of(param)
    choices = choices_of(param)
    kind = param.type_descriptor.annotation
    for value in _values(error, param):
        if choices:
            if value not in choices:
                return f"{name}: {none_of(value, choices, OTHERS_VALUES.get(name, NO_OTHERS))}"
        elif problem := _number_problem(value, param, whole=kind is int):
            return f"{name}: {problem}"
    return f"{name}: cannot be read; give {_taken(param)}"


def _number_problem(value: str, param: Any, *, whole: bool) -> str:
    """Say why a text is not the number that an option takes; empty if it is."""
    number: float | None
    try:
        number = int(value) if whole else float(value)
    except ValueError:
        number = None
    noun = "whole number" if whole else "number"
    asked = range_of(param) + "".join(f", or {word}" for word in _words_beside(param))
    if number is None:
        return f"{_shown(value)} is no {noun}; give {f'one, {asked}' if asked else f'a {noun}'}"
    if param.min is not None and number < param.min:
        return f"{_shown(value, quote=False)} is too small; give {asked}"
    if param.max is not None and number > param.max:
        return f"{_shown(value, quote=False)} is too large; give at most {param.max}"
    return ""


def _words_beside(param: Any) -> list[str]:
    """List the words that an option takes beside a number, as its metavar has them: N|auto."""
    return [word for word in (param.metavar or "").split("|") if word.islower()]


def _describe_other(error: Any) -> str:
    """Describe words that are no command, or that a command has no place for."""
    context = error.ctx
    if context is None:
        return f"the command line cannot be read; {_see(None)}"
    words = _words(context)
    if isinstance(context.command, RealGroup):
        name = next((word for word in words if not word.startswith("-")), None)
        if name is None:
            return f"{_place(context)}no command is named; {_see(context)}"
        return f"{_place(context)}{_shown(name)} is no command; {_near_command(name, context)}"
    _, extra, _ = context.command.make_parser(context).parse_args(list(words))
    word = _shown(extra[0]) if extra else "a word"
    return f"{_place(context)}{word} is a word too many; {_see(context)}"


def _near_command(name: str, context: Any) -> str:
    """Name the command that was meant: of this group, else of a group in it."""
    rows = context.command.rows
    members = {f"{group} {member}": member for group, row in rows.items() for member in getattr(row, "rows", ()) or ()}
    near = nearest(name, rows)
    if near is None:
        member = nearest(name, members.values())
        near = next((words for words, each in members.items() if each == member), None)
    return _see(context) if near is None else f"did you mean {near}?"


def _values(error: Any, param: Any) -> list[str]:
    """Read what was typed for a parameter from the words, since the error does not hold it."""
    options, _, _ = error.ctx.command.make_parser(error.ctx).parse_args(list(_words(error.ctx)))
    value = options.get(param.name)
    return [str(each) for each in (value if isinstance(value, list | tuple) else [value]) if each is not None]


def _words(context: Any) -> list[str]:
    words: list[str] = context.meta.get(WORDS, {}).get(context.command_path, [])
    return words


def _taken(param: Any) -> str:
    choices = choices_of(param)
    return "|".join(choices) if choices else param.metavar or "VALUE"


def _shown(text: str, *, quote: bool = True) -> str:
    return clip(text) if quote and not re.fullmatch(r"--?[\w-]+", text) else clip(text).strip("'\"")


def _place(context: Any) -> str:
    words = context.command_path.partition(" ")[2]
    return f"{words}: " if words else ""


def _see(context: Any) -> str:
    return f"see {context.command_path if context else 'real'} --help"


MISTAKES: dict[str, Callable[[Any], str]] = {
    "NoSuchOption": _describe_option,
    "BadOptionUsage": _describe_use,
    "MissingParameter": _describe_absent,
    "BadParameter": _describe_value,
}
