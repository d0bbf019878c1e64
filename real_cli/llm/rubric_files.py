"""Rubrics as files: those that come with the program, by name, and the user's own."""

import tomllib
from importlib.resources import files
from pathlib import Path

from real_cli.errors import UsageError, clip
from real_cli.llm.rubric import BRIDGING, DETECTING, JUDGING, Asks, Rubric, parse_rubric

BUILT_IN = {"pairwise": JUDGING, "ultrafeedback": JUDGING, "magpie": JUDGING, "bridge": BRIDGING, "dsat": DETECTING}


def rubric_text(name: str, understood: tuple[Asks, ...] | None = None) -> str:
    """Read a rubric's file.

    Args:
        name: The name of one that comes with the program, or a path.
        understood: What its questions may ask; None for anything.

    Returns:
        TOML.

    Raises:
        UsageError: If there is none of that name.
    """
    if name in BUILT_IN:
        return (files("real_cli") / "rubrics" / f"{name}.toml").read_text(encoding="utf-8")
    path = Path(name)
    if not path.is_file():
        fitting = [known for known, asks in BUILT_IN.items() if understood in (None, asks)]
        raise UsageError(f"--rubric {clip(name)}: no such file; built in: {', '.join(fitting)}")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: is not UTF-8: {error.reason}") from None


def rubric_path(name: str) -> Path | None:
    """Name the file that a rubric is read from.

    Args:
        name: The name of one that comes with the program, or a path.

    Returns:
        The path; None for one that comes with the program.
    """
    return None if name in BUILT_IN else Path(name)


def read_rubric(name: str, understood: tuple[Asks, ...] = JUDGING) -> Rubric:
    """Read a rubric.

    Args:
        name: The name of one that comes with the program, or a path.
        understood: What its questions may ask.

    Returns:
        The rubric.

    Raises:
        UsageError: If it is no TOML, or no rubric.
    """
    try:
        table = tomllib.loads(rubric_text(name, understood))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name}: is no TOML: {error}") from None
    except RecursionError:
        raise UsageError(f"{name}: is no rubric: its values are nested without end") from None
    return parse_rubric(table, name, understood)
