"""Writing a worked project into a folder."""

import shutil
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from real_cli.errors import RealError

PACKAGE = "real_cli"


def read_bundled(path: str) -> str:
    """Read a text that the package carries.

    Args:
        path: Below the package.

    Returns:
        The text.
    """
    return (files(PACKAGE) / path).read_text(encoding="utf-8")


def write_project(folder: Path, sources: Mapping[str, Sequence[str]]) -> None:
    """Copy files that the package carries into a new folder.

    Args:
        folder: Made if it is not there; must be empty.
        sources: By the name of each file in the folder, the paths below the package of what it is put together of.

    Raises:
        RealError: If the folder holds anything already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RealError(f"{folder}: exists and is not empty; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for name, paths in sources.items():
        with (folder / name).open("wb") as file:
            for path in paths:
                with (files(PACKAGE) / path).open("rb") as source:
                    shutil.copyfileobj(source, file)
