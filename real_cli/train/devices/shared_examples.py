"""Examples that the lead has tokenized, as every process reads them."""

import socket
from collections.abc import Callable
from pathlib import Path

from real_cli.errors import RealError
from real_cli.train.tokenized import ExampleSet
from real_cli.train.world import World


def share_examples(world: World, prepare: Callable[[], ExampleSet], arrow: Path) -> ExampleSet:
    """Have the lead tokenize into an Arrow file; the others map that file, and get all else that is known of it."""
    if world.size == 1:
        return prepare()
    prepared: list[ExampleSet] = []

    def describe() -> tuple[ExampleSet, int]:
        prepared.append(prepare())
        return prepared[0]._replace(rows=None), arrow.stat().st_size

    bare, size = world.share(describe)
    blind = [host for host in world.gather("" if _is_there(arrow, size) else socket.gethostname()) if host]
    if blind:
        raise RealError(
            f"--output: {blind[0]} does not see {arrow}, which the first process wrote; name a folder that all "
            "machines share"
        )
    if prepared:
        return prepared[0]
    from datasets import Dataset

    return bare._replace(rows=Dataset.from_file(str(arrow)))


def _is_there(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
