"""Batch files: questions out as OpenAI-batch JSONL for a cheap tier, answers back in when they are there."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO

import orjson

from real_cli.errors import RealError, RecordError, clip
from real_cli.io.jsonl import Line, dump_record, parse_record, read_lines
from real_cli.llm.chat import CHAT_ROUTE, THINKERS_REFUSE, read_completion, request_body
from real_cli.llm.cost import Ledger
from real_cli.records.questions import Completion, Question


class Waiting(RecordError):
    """A record whose questions were written to a batch file; it is complete when their answers are there."""


class BatchWriter:
    """Answer no question, but write it down, each once."""

    def __init__(self, ledger: Ledger, file: IO[bytes], *, thinks: bool = False) -> None:
        self._ledger = ledger
        self._file = file
        self._without = THINKERS_REFUSE if thinks else frozenset()
        self._written: set[str] = set()

    @property
    def num_written(self) -> int:
        """How many questions there are in the file."""
        return len(self._written)

    def __call__(self, questions: list[Question]) -> list[Completion | RecordError]:
        """Write questions as lines of an OpenAI batch.

        Args:
            questions: The questions.

        Returns:
            For each, that its record has to wait.
        """
        for question in questions:
            name = self._ledger.name(question)
            if name not in self._written:
                self._written.add(name)
                body = request_body(self._ledger.model, question, without=self._without)
                line = {"custom_id": name, "method": "POST", "url": CHAT_ROUTE, "body": body}
                self._file.write(dump_record(line))
        return [Waiting("waiting for answers") for _ in questions]


class ResultsAlone:
    """Answer no question: there are the results of a batch, and nobody else to ask."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __call__(self, questions: list[Question]) -> list[Completion | RecordError]:
        """Say why there is no answer.

        Args:
            questions: What the results do not answer.

        Returns:
            A reason for each.
        """
        missing = RecordError("the results hold no answer to it; --emit-requests writes what is missing")
        return [self._ledger.problems.get(self._ledger.name(question), missing) for question in questions]


def read_results(path: Path) -> dict[str, Completion | RecordError]:
    """Read the answers of a batch.

    Args:
        path: The results as OpenAI, or `vllm run-batch`, writes them.

    Returns:
        By custom_id the answer, or the reason why there is none. Of two lines with one custom_id a good one wins.

    Raises:
        RealError: If the file cannot be read, or a line is no result; the message names it.
    """
    results: dict[str, Completion | RecordError] = {}
    with path.open("rb") as file:
        for number, data in _lines(path, file):
            try:
                name, result = _result(parse_record(data))
            except RecordError as error:
                raise RealError(f"{path}:{number}: {error}") from None
            if isinstance(results.get(name), Completion) and isinstance(result, RecordError):
                continue
            results[name] = result
    return results


def _lines(path: Path, file: IO[bytes]) -> Iterator[Line]:
    try:
        yield from read_lines(file)
    except RecordError as error:
        raise RealError(f"{path}:{error}") from None


def _result(line: dict[str, object]) -> tuple[str, Completion | RecordError]:
    name, response = line.get("custom_id"), line.get("response")
    if not isinstance(name, str) or not ("response" in line or "error" in line):
        raise RecordError(f"is no result of a batch: {clip(line)}; 'custom_id' and 'response' are needed")
    if line.get("error") or not isinstance(response, dict):
        return name, RecordError(f"the batch has no answer: {_shown(line.get('error'))}")
    if response.get("status_code", 200) != 200:
        return name, RecordError(f"the batch was answered {response['status_code']}: {_shown(response.get('body'))}")
    try:
        return name, read_completion(response.get("body"))
    except RecordError as error:
        return name, error


def _shown(value: object) -> str:
    return clip(orjson.dumps(value).decode(), 120)
