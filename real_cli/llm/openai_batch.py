"""OpenAI batch files: questions out as JSONL, answers back in when the batch is done."""

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
    """A record whose questions wait in a batch file for their answers."""


class BatchWriter:
    """Write each question to a batch file once, and answer none."""

    def __init__(self, ledger: Ledger, file: IO[bytes], *, thinks: bool = False) -> None:
        self._ledger = ledger
        self._file = file
        self._without = THINKERS_REFUSE if thinks else frozenset()
        self._written: set[str] = set()

    @property
    def num_written(self) -> int:
        """The number of questions in the file."""
        return len(self._written)

    def __call__(self, questions: list[Question]) -> list[Completion | RecordError]:
        """Write questions as lines of an OpenAI batch."""
        for question in questions:
            name = self._ledger.name(question)
            if name not in self._written:
                self._written.add(name)
                body = request_body(self._ledger.model, question, without=self._without)
                line = {"custom_id": name, "method": "POST", "url": CHAT_ROUTE, "body": body}
                self._file.write(dump_record(line))
        return [Waiting("waiting for answers") for _ in questions]


class ResultsAlone:
    """Answer no question: a batch's results are all there is."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __call__(self, questions: list[Question]) -> list[Completion | RecordError]:
        """Return the reason why each question has no answer."""
        missing = RecordError("the results hold no answer to it; --emit-requests writes what is missing")
        return [self._ledger.problems.get(self._ledger.name(question), missing) for question in questions]


def read_results(path: Path) -> dict[str, Completion | RecordError]:
    """Read results, as OpenAI or `vllm run-batch` writes them, by custom_id; of two lines an answer wins."""
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
        raise RecordError(f"is not a result of a batch: {clip(line)}; 'custom_id' and 'response' are needed")
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
