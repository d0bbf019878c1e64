"""What of an earlier run a new one in the same folder ends, in words."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from real_cli.train.folder import Workspace


def say_lost(workspace: "Workspace") -> Iterator[str]:
    """Name the steps of an unfinished run that are given up, and the finished model that is replaced."""
    if lost := workspace.given_up:
        why = workspace.why_anew
        why = f": {why}" if why else "; --resume would have gone on from it"
        yield f"{lost}, of a run that was not finished, is given up{why}"
    if workspace.replaces:
        yield f"{workspace.folder}: the finished model in it is removed, and this run's takes its place"
