"""Writing a worked project into a folder."""

import shutil
from collections.abc import Iterable
from importlib.resources import as_file, files
from pathlib import Path

from real_cli.errors import RealError


def write_project(folder: Path, package: str, names: Iterable[str]) -> None:
    """Copy files that the package carries into a new folder.

    Args:
        folder: Made if it is not there; must be empty.
        package: Where the files are.
        names: Their paths in the package; each lands under its last part.

    Raises:
        RealError: If the folder holds anything already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RealError(f"{folder}: exists and is not empty; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        with as_file(files(package) / name) as source:
            shutil.copyfile(source, folder / Path(name).name)
