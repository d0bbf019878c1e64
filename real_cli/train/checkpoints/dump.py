"""What `--dump` writes: a line for each example of each step, from the first step of a run to its last."""

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Self

from real_cli.errors import RealError, UsageError
from real_cli.io.jsonl import dump_record
from real_cli.io.output import is_device, open_output
from real_cli.records.record import Record

LINE = re.compile(rb'\{\s*"step":\s*(\d+),\s*"place":\s*"')


class Dump:
    """A file that is written as the run goes; a resumed run cuts it to its checkpoint and goes on there."""

    def __init__(self, path: Path, *, resume: bool, tell: Callable[[str], None]) -> None:
        self._path = path.resolve() if path.is_symlink() else path
        self._name = path
        self._tell = tell
        self._goes_on = resume and not is_device(path) and path.is_file()
        self._stream: IO[bytes] | None = None
        self._stack = ExitStack()
        self._stage: Record = {}
        self._steps_before = 0
        if self._goes_on:
            self._check()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is None:
            with self._named():
                self._stack.close()
        else:
            with contextlib.suppress(OSError):  # a disk that is full is told of already
                self._stack.close()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            raise RealError(f"--dump {self._name}: cannot be written: {error.strerror or error}") from None

    def name_places(self, place_of: Callable[[int], str]) -> None:
        """Learn where rows come from: the place of each row by its number."""
        self._place_of = place_of

    def begin(self, stage: float | None, steps_before: int, step: int) -> None:
        """Begin a stage at some step of it, after those of the stages before."""
        self._stage = {} if stage is None else {"stage": stage}
        self._steps_before = steps_before
        if self._stream is None:
            with self._named():
                self._stream = self._stack.enter_context(self._open(steps_before + step))

    def write(self, line: Record) -> None:
        """Write a line; `step` is counted within the stage, `row` becomes the place it came from."""
        assert self._stream is not None
        step, place = self._steps_before + line.pop("step"), self._place_of(line.pop("row"))
        with self._named():
            self._stream.write(dump_record({"step": step, "place": place, **self._stage, **line}))

    def sync(self) -> None:
        """Put on the disk what was written: a checkpoint is about to count on it."""
        if self._stream is not None:
            with self._named():
                self._stream.flush()
                if not is_device(self._path):
                    os.fsync(self._stream.fileno())

    def _open(self, step: int) -> IO[bytes]:
        if is_device(self._path):
            return self._stack.enter_context(open_output(self._name))
        if self._goes_on:
            with self._path.open("rb+") as file:
                end, last = self._kept(file, step)
                file.truncate(end)
        else:
            last = 0
        if last < step:
            self._tell(f"--dump {self._name}: lacks steps {last + 1} to {step}, which an earlier run did not write")
        return self._path.open("ab" if self._goes_on else "wb")

    def _kept(self, file: IO[bytes], step: int) -> tuple[int, int]:
        """Find where the lines of later steps begin, and the last step before that."""
        end = last = 0
        for line in file:
            match = LINE.match(line)
            if match is None or not line.endswith(b"\n") or int(match[1]) > step:
                break
            end, last = end + len(line), int(match[1])
        return end, last

    def _check(self) -> None:
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                cut = not line.endswith(b"\n") and line.startswith((b'{"step":'[: len(line)], b'{"step":'))
                if not LINE.match(line) and not cut:
                    raise UsageError(
                        f"--dump {self._name}: line {number} is not of a dump; name the file of the run, or a new one"
                    )
