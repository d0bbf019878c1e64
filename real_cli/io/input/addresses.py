"""Names that are addresses of an object store or of the web: what to do, since files and pipes are read and written."""

import os
import re
import shlex
from collections.abc import Callable
from enum import Enum
from pathlib import PurePosixPath

from real_cli.errors import UsageError

# Of a path the two slashes have become one. One letter is a drive of Windows.
ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+([^/].*)")
UNPIPED = (".parquet",)  # a reader goes to its end first
# How an object goes to standard output, and is copied to a file here, or from one. None is written from a pipe: when
# the pipe breaks, half of the records would be a whole object.
CLIENTS: dict[str, tuple[str, str, str]] = {
    "s3": ("aws s3 cp {} -", "aws s3 cp {} {here}", "aws s3 cp FILE {}"),
    "gs": ("gsutil cat {}", "gsutil cp {} {here}", "gsutil cp FILE {}"),
    "http": ("curl -fsSL {}", "curl -fL -o {here} {}", "curl -fsS -T FILE {}"),
}
CLIENTS["https"] = CLIENTS["http"]
HUB = re.compile(r"(?:hf:/+|https?:/+(?:huggingface\.co|hf\.co)/)(datasets/)?([^/\s]+/[^/\s]+).*")


class Use(Enum):
    """What a name is given for."""

    records = "records to read"
    file = "another file to read"
    written = "another file to write"
    folder = "a folder to write"
    model = "a model"


VERBS = dict.fromkeys((Use.written, Use.folder), "written")


def check_name(name: str, use: Use, option: str = "") -> None:
    """Refuse a name that is an address, unless a file here has it; the message says what to do."""
    match = ADDRESS.fullmatch(name)
    if match is None or os.path.exists(name):
        return
    scheme, rest = match[1].lower(), match[2]
    if scheme == "hf" and not name.startswith("hf://") and (use is Use.records or os.path.exists(name[3:])):
        return  # a data set in a folder
    shown = f"{scheme}:///{rest}" if scheme == "file" else f"{scheme}://{rest}"
    place = f"{option} {shown}" if option else shown
    raise UsageError(f"{place}: is an address, and files are {VERBS.get(use, 'read')}; {_advice(scheme, shown, use)}")


def _advice(scheme: str, address: str, use: Use) -> str:
    """Say what would be right."""
    hub = HUB.fullmatch(address)
    if hub and use is Use.model and not hub[1]:
        return f"a model of the hub is named {hub[2]}"
    if hub and use is Use.records and hub[1]:
        return f"a data set of the hub is named hf:{hub[2]}"
    if scheme == "file":
        return f"give its path: {address.removeprefix('file://')}"
    clients = CLIENTS.get(scheme)
    if clients is None:
        return UNKNOWN[use]
    return WORDS[use](tuple(part.format(shlex.quote(address), here=_here(address)) for part in clients), address)


def _here(address: str) -> str:
    return shlex.quote(PurePosixPath(address.partition("?")[0]).name or "FILE")


def _for_records(clients: tuple[str, ...], address: str) -> str:
    path = address.partition("?")[0].lower()
    if path.endswith(UNPIPED):
        return f"copy it here first: {clients[1]}"
    table = re.search(r"\.(csv|tsv)(\.\w+)?$", path)
    return f"pipe it in: {clients[0]} | real ...{f' --format {table[1]}' if table else ''}"


# The advice where the client is not known.
UNKNOWN = {
    Use.records: "copy it to a file here first",
    Use.file: "copy it to a file here first",
    Use.written: "name a file here, and copy it once it is whole, with its own client",
    Use.folder: "name a folder here, and copy it once it is whole, with its own client",
    Use.model: "copy the model's folder here first, and name that",
}
# By what a name is given for: the advice, of the clients' commands and the address.
WORDS: dict[Use, Callable[[tuple[str, ...], str], str]] = {
    Use.records: _for_records,
    Use.file: lambda clients, _: f"copy it here first: {clients[1]}",
    Use.written: lambda clients, _: f"name a file here, and copy it once it is whole: {clients[2]}",
    Use.folder: lambda *_: "name a folder here, and copy it once it is whole",
    Use.model: lambda *_: "copy the model's folder here first, and name that",
}
