"""Commands take one frozen dataclass, whose fields become Typer's parameters, so that no option is declared twice."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_origin

import typer
from typer.models import ArgumentInfo

from real_cli.cli.check_names import check_names
from real_cli.cli.guard import run_guarded
from real_cli.cli.option_sets import BaseOption, DeviceOptions, Options, flag_of
from real_cli.errors import Status
from real_cli.io.progress import Counter

if TYPE_CHECKING:
    from real_cli.io.job import Invocation

Chosen = TypeVar("Chosen", bound=Options)


def typed_command(function: Callable[[Chosen], Status]) -> Callable[..., None]:
    """Turn a function of an `Options` dataclass into a Typer command, guarded; its docstring is the command's help."""
    (parameter,) = inspect.signature(function).parameters.values()
    kind: type[Chosen] = parameter.annotation

    def run(context: typer.Context, **values: Any) -> None:
        given = {name for name in values if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"}
        options = kind(**values, given=frozenset(given))
        Counter.command = context.command_path.removeprefix("real ")
        run_guarded(partial(_call, function, options), quiet=options.quiet)

    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(run, name, getattr(function, name))
    parameters = [_parameter("context", typer.Context)]
    parameters += [_parameter(field.name, field.type, field.default) for field in shown_fields(kind)]
    run.__dict__.update(__signature__=inspect.Signature(parameters), options=kind)
    return run


def _call(function: Callable[[Chosen], Status], options: Chosen) -> Status:
    check_names(options)
    if isinstance(options, DeviceOptions) and options.device != "auto":
        from real_cli.models.load.device import check_device

        check_device(options.device)
    if not isinstance(options, BaseOption) or options.base is None:
        return function(options)
    from real_cli.models.load.resolve import adapters_on

    with adapters_on(options.base):
        return function(options)


def _parameter(name: str, annotation: Any, default: Any = MISSING) -> inspect.Parameter:
    empty = inspect.Parameter.empty
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, annotation=annotation, default=empty if default is MISSING else default)


def shown_fields(kind: type[Options]) -> list[Field[Any]]:
    """List the fields that are parameters, in the order of the help.

    Arguments come first, then options: of the class itself, of its bases from left to right and up, last `kind.LAST`.
    """
    known = {field.name: field for field in fields(kind) if get_origin(field.type) is Annotated}
    names = [name for name in dict.fromkeys(_declared(kind)) if name in known]
    arguments = {name for name in names if isinstance(get_args(known[name].type)[1], ArgumentInfo)}

    def rank(name: str) -> int:
        if name in arguments:
            return -1
        return kind.LAST.index(name) + 1 if name in kind.LAST else 0

    return [known[name] for name in sorted(names, key=rank)]


def _declared(kind: type[Options]) -> Iterator[str]:
    for parent in kind.__mro__:
        yield from inspect.get_annotations(parent)


def invocation_of(options: Options) -> "Invocation":
    """Write down how a command was called: what the user gave, and what is in force."""
    from real_cli.io.job import Invocation

    words: list[str] = []
    arguments: list[str] = []
    settings: list[str] = []
    for field in shown_fields(type(options)):
        value = getattr(options, field.name)
        if value is None or value is False:
            continue
        information = get_args(field.type)[1]
        values = [str(part) for part in (value if isinstance(value, list | tuple) else [value])]
        if isinstance(information, ArgumentInfo):
            arguments += values
            continue
        # Within Annotated, Typer takes the first name for the default.
        names = [name for name in (information.default, *(information.param_decls or ())) if isinstance(name, str)]
        flag = next((name for name in names if name.startswith("--")), flag_of(field.name))
        given = [flag] if value is True else [part for each in values for part in (flag, each)]
        words += given if field.name in options.given else []
        settings.append(" ".join(given))
    return Invocation((*words, *arguments), tuple(settings))
