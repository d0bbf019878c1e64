"""Rubric files: built-in ones by name, the user's by path."""

import tomllib
from importlib.resources import files
from pathlib import Path

from real_cli.errors import UsageError, clip, suggest
from real_cli.llm.rubric import BRIDGING, DETECTING, JUDGING, Asks, Rubric, parse_rubric

BUILT_IN = {"pairwise": JUDGING, "ultrafeedback": JUDGING, "magpie": JUDGING, "bridge": BRIDGING, "dsat": DETECTING}


def rubric_text(name: str, understood: tuple[Asks, ...] | None = None) -> str:
    """Return the TOML of a built-in rubric or of a file."""
    if name in BUILT_IN:
        return (files("real_cli") / "rubrics" / f"{name}.toml").read_text(encoding="utf-8")
    path = Path(name)
    if not path.is_file():
        fitting = [known for known, asks in BUILT_IN.items() if understood in (None, asks)]
        right = suggest(name, fitting, "name one of them, or a file")
        raise UsageError(f"--rubric: {clip(name)} is no file, and none of {', '.join(fitting)}; {right}")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: is not UTF-8: {error.reason}") from None


def rubric_path(name: str) -> Path | None:
    """Return the path of a rubric's file; None for a built-in rubric."""
    return None if name in BUILT_IN else Path(name)


def read_rubric(name: str, understood: tuple[Asks, ...] = JUDGING) -> Rubric:
    """Read a rubric by name or path."""
    try:
        table = tomllib.loads(rubric_text(name, understood))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name}: is not TOML: {error}") from None
    except RecursionError:
        raise UsageError(f"{name}: is not a rubric: its values are nested without end") from None
    return parse_rubric(table, name, understood)
