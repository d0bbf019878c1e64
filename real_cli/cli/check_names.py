"""Names of files among the values of options: addresses of object stores are refused before anything is opened."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from typer.models import ArgumentInfo

from real_cli.cli.option_sets import DeviceOptions, Options, flag_of
from real_cli.io.input.addresses import Use, check_name

# What a name in these fields is; a path in any other is a file to read, and a text is none.
USES: dict[str, Use] = (
    dict.fromkeys(("files", "parts"), Use.records)
    | dict.fromkeys(("against", "heldout", "pool", "rubric"), Use.file)
    | dict.fromkeys(("report", "rejects", "export_logps", "emit_requests", "keys_to", "journal"), Use.written)
    | dict.fromkeys(("rows", "sound", "dump", "resume"), Use.written)
    | {"output": Use.written, "models": Use.model}
)
MODELS = frozenset({"policy", "model", "escalate_to", "reference", "base"})
FOLDERS = ("DIR", "FOLDER")
WRITTEN_FOLDERS = frozenset({"output", "resume", "cache", "folder"})


def check_names(options: Options) -> None:
    """Refuse an address where a file, or a model, is named."""
    for field in fields(options):
        if get_origin(field.type) is Annotated:
            information: Any = get_args(field.type)[1]
            for text, is_file in _texts(getattr(options, field.name)):
                use = _use_of(field.name, options, is_file=is_file, is_folder=information.metavar in FOLDERS)
                if use is not None:
                    check_name(text, use, _shown(field.name, information))


def _use_of(name: str, options: Options, *, is_file: bool, is_folder: bool) -> Use | None:
    if name in MODELS:  # those of a server have any names, and so have those that data name
        return Use.model if isinstance(options, DeviceOptions) and getattr(options, "is_local", True) else None
    if is_folder and name in WRITTEN_FOLDERS:
        return Use.folder
    return USES.get(name, Use.file if is_file else None)


def _shown(name: str, information: Any) -> str:
    """Return the option as it is typed; an argument stands without one."""
    if isinstance(information, ArgumentInfo):
        return ""
    # Within Annotated, Typer takes the first name for the default.
    names = [each for each in (information.default, *(information.param_decls or ())) if isinstance(each, str)]
    return next((each for each in names if each.startswith("--")), flag_of(name))


def _texts(value: object) -> Iterator[tuple[str, bool]]:
    """List the texts of a value, each with whether it names a file: as a path, or behind @."""
    if isinstance(value, Path):
        yield str(value), True
    elif isinstance(value, str):
        yield value.removeprefix("@"), value.startswith("@")
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
