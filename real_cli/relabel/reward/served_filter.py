"""What `real relabel reward --endpoint` does to records: a server scores their responses."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from real_cli.cli.served import BatchAsking
from real_cli.io.job import Job, Located
from real_cli.llm.served.scores import APIS, WireLayout, choose_label, read_labels
from real_cli.records.layouts import Adapted, adapt
from real_cli.records.questions import Inquiry, Question
from real_cli.records.record import Record
from real_cli.records.response_fields import responses_of
from real_cli.relabel.label_check import LabelCheck
from real_cli.relabel.reward.served_texts import ServedTexts, TokenizedTexts
from real_cli.relabel.scored import add_scores, check_field, write_scored
from real_cli.text.phrases import say_count

if TYPE_CHECKING:
    from real_cli.relabel.reward.command import RewardOptions

WINDOW_RESPONSES = 2048


class ScoredTally:
    """Counts responses, and whether any score was not between 0 and 1."""

    def __init__(self) -> None:
        self.num_responses = self.num_outside = 0

    def add(self, scores: list[float]) -> None:
        """Count the scores of one record."""
        self.num_responses += len(scores)
        self.num_outside += sum(not 0 <= score <= 1 for score in scores)

    def sentence(self) -> str:
        """Tell how many were scored, and what hints at a sigmoid that nobody asked for."""
        text = f"{say_count(self.num_responses, 'response')} scored"
        if self.num_responses and not self.num_outside:
            text += ", all between 0 and 1: the server may have applied a sigmoid, though it was asked for raw numbers"
        return text


class ServedRewardFilter:
    """Has a server score responses, and writes their records."""

    limit = WINDOW_RESPONSES

    def __init__(self, options: "RewardOptions") -> None:
        self._field, self._label, self._model = check_field(options.field), options.label, options.model
        self._tokenizer, self._max_length = options.tokenizer, options.max_length
        self._layout = APIS[options.api].layout
        # A conversation is a request: vLLM takes no several.
        is_alone = self._layout is WireLayout.messages and options.tokenizer is None
        self._asking = BatchAsking(
            options, options.model, APIS[options.api].wire, 1 if is_alone else options.per_request
        )
        self._check, self._tally = LabelCheck(), ScoredTally()

    @cached_property
    def _texts(self) -> ServedTexts | TokenizedTexts:
        # At the first record, not before: an empty stream needs no tokenizer.
        if self._tokenizer is None:
            return ServedTexts(self._layout)
        return TokenizedTexts(self._tokenizer, self._max_length)

    def read(self, record: Record) -> Adapted:
        """Read one record of any layout."""
        return adapt(record)

    def size(self, record: Record) -> int:
        """Count the responses of a record."""
        return len(responses_of(record))

    def run(self, job: Job, located: Iterable[Located]) -> None:
        """Have records scored, and write them."""
        scored = ((place, record, scores) for place, record, scores in self._asking(job, self._begin, located))
        write_scored(job, scored, self._mark)

    def _begin(self, record: Record) -> Inquiry[list[float]]:
        """Ask for the score of each response."""
        texts = [response["text"] for response in responses_of(record)]
        questions = [
            Question(asked.messages, read_labels, template=asked.template) for asked in self._texts(record, texts)
        ]

        def inquiry() -> Inquiry[list[float]]:
            answers = yield questions
            return [choose_label(self._model, answer.value, self._label) for answer in answers]

        return inquiry()

    def _mark(self, record: Record, scores: list[float]) -> Record:
        scored = add_scores(record, scores, self._field)
        self._tally.add(scores)
        self._check.add(record, scores, self._field)
        return scored

    def load(self) -> None:
        """Load nothing: the server is asked as records come."""

    @property
    def counted(self) -> Mapping[str, object]:
        """What counts."""
        return {"tally": self._tally, "check": self._check, "asked": self._asking.counts}

    def sentence(self) -> str:
        """Tell in one line what was scored, and what it cost."""
        changed = self._texts.sentence() if "_texts" in self.__dict__ else ""
        text = self._tally.sentence() + self._asking.sentence()
        return "; ".join(filter(None, (text, changed, self._check.sentence())))
