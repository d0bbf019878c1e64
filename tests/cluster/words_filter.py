"""A filter that needs no model: counts words, and does what a record asks of it."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from real_cli.errors import RecordError
from real_cli.io.progress import say
from real_cli.records.choices import OnError
from real_cli.records.layouts import adapt_prompt


class Words:
    """Counts the words of prompts, three records a window."""

    limit = 3

    def __init__(self):
        self.num_words = 0
        self.loaded = 0

    def read(self, record):
        return adapt_prompt(record)

    def size(self, record):
        return 1

    def load(self):
        self.loaded = 1

    @property
    def counted(self):
        return {"words": self}

    def run(self, job, located):
        for _, record in job.apply(self._count, located):
            job.counter.add()
            job.write(record)

    def _count(self, record):
        prompt = record["prompt"]
        if prompt == "say":
            say("heard a word")
        if prompt.startswith("die ") and not Path(prompt.split()[1]).exists():
            Path(prompt.split()[1]).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if prompt == "die always":
            os.kill(os.getpid(), signal.SIGKILL)
        if prompt == "refuse":
            raise RecordError("was refused")
        if prompt == "break":
            raise ZeroDivisionError("broke")
        self.num_words += len(prompt.split())
        return record | {"num_words": len(prompt.split())}

    def sentence(self):
        return f"{self.num_words} words"


@dataclass(frozen=True, kw_only=True)
class WordsOptions:
    """What a LineFilter asks of options."""

    quiet: bool = False
    on_error: OnError = OnError.fail
    rejects: Path | None = None
    device: str = "cpu"
    devices: str = "2"
    on: str | None = None

    def record_filter(self):
        return Words()
