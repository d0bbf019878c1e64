"""Refuse outputs that would run into each other, or into an input, before anything is opened."""

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from real_cli.errors import UsageError
from real_cli.io.output import STANDARD_OUTPUT, is_device, real_path


def check_outputs(sources: Sequence[str], outputs: Sequence[Path], *, not_sources: Sequence[Path]) -> None:
    """Refuse two outputs in one file, and an output of `not_sources` over an input."""
    places = _places(outputs)
    for path in places:
        if places.count(path) > 1:
            raise UsageError(f"{path}: is named for two outputs; name another file")
    inputs = {real_path(name) for name in sources if name != str(STANDARD_OUTPUT)}
    if str(STANDARD_OUTPUT) in sources:
        inputs |= {real_path(path) for path in not_sources if _is_descriptor(path, 0)}
    for path in not_sources:
        if path == STANDARD_OUTPUT:
            raise UsageError(f"{path}: records go there; name a file")
        if real_path(path) in inputs:
            raise UsageError(f"{path}: is the input; name another file")


def _is_descriptor(path: Path, number: int) -> bool:
    """Tell whether a path names the file that a descriptor has open."""
    try:
        status = os.fstat(number)
        return stat.S_ISREG(status.st_mode) and os.path.samestat(status, os.stat(path))
    except OSError:
        return False


def check_side_inputs(outputs: Sequence[Path], also_reads: Iterable[tuple[str, Path | None]]) -> None:
    """Refuse an output over a file that an option reads; `also_reads` pairs options with files."""
    places = _places(outputs)
    for option, path in also_reads:
        if path is not None and real_path(path) in places:
            raise UsageError(f"{path}: is what {option} reads; name another file")


def _places(outputs: Sequence[Path]) -> list[Path]:
    return [real_path(path) for path in outputs if path != STANDARD_OUTPUT and not is_device(path)]
