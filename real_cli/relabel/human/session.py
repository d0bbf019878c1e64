"""The order of questions and answers in a session, apart from the terminal: next, back, asked again, done."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from statistics import fmean, median
from typing import NamedTuple

from real_cli.relabel.human.choices import Shown, Verdict
from real_cli.relabel.human.pair import LETTERS, OTHER_ORDER, PairAnswer, PairQuestion, is_asked_twice

# How many questions a person can go back; as many answers are held back.
WINDOW = 20
# An answer that takes so many times the median is a break, and does not slow the pace.
LONG_ANSWER = 4
# The quickest answer that a pace is told of.
LEAST_SECONDS = 0.1
# Questions between a question and its repetition.
DISTANCE = 5


class ShownQuestion(NamedTuple):
    """A question as shown: the order of its responses, and whether it is a repetition."""

    question: PairQuestion
    shown: Shown
    is_repeat: bool = False


class Session:
    """Questions in the order of the stream, the last answers open to change.

    The caller adds questions while `wants_more`, shows and answers `current`, and writes what `released` yields.
    """

    def __init__(
        self,
        answers: Mapping[str, PairAnswer],
        repeats: Mapping[str, PairAnswer],
        *,
        share: Fraction = Fraction(0),
        seed: int = 0,
    ) -> None:
        self.answers = dict(answers)
        self.repeats = dict(repeats)
        self.unused = set(answers)
        self._num_added = self._num_repeated = self._num_passed_over = 0
        self._share = share
        self._seed = seed
        self._entries: deque[PairQuestion] = deque()
        self._asked: list[ShownQuestion] = []
        self._position = 0
        self._new: ShownQuestion | None = None
        self._due: deque[tuple[int, PairQuestion]] = deque()
        self._num_new = 0
        self._finished = False
        self._seconds: list[float] = []

    @property
    def current(self) -> ShownQuestion | None:
        """The question to show; None if more must be added, or all is done."""
        return self._asked[self._position] if self._position < len(self._asked) else self._new

    @property
    def wants_more(self) -> bool:
        """Whether the next question must come from the stream."""
        return self.current is None and not self._finished

    @property
    def earlier(self) -> PairAnswer | None:
        """The answer to the current question, if the person has gone back to it."""
        if self._position == len(self._asked):
            return None
        asked = self._asked[self._position]
        return (self.repeats if asked.is_repeat else self.answers).get(asked.question.key)

    @property
    def num_done(self) -> int:
        """The number of answers to the pairs added or passed over, repetitions included."""
        return self._num_added - (self._new is not None and not self._new.is_repeat) + self._num_repeated

    @property
    def num_left(self) -> int:
        """The number of answers still missing for the pairs added or passed over."""
        due = sum(self.answers[question.key].verdict is not Verdict.skip for _, question in self._due)
        due += self._num_passed_over
        if self._new is None:
            return due
        return due + (1 if self._new.is_repeat else self.num_to_ask(self._new.question))

    def num_to_ask(self, question: PairQuestion) -> int:
        """Count how often a pair of the stream will be asked, 0 to 2 times."""
        earlier = self.answers.get(question.key)
        is_skipped = earlier is not None and earlier.verdict is Verdict.skip
        is_again = not is_skipped and question.key not in self.repeats and self._is_asked_twice(question)
        return (earlier is None) + is_again

    def num_given(self, question: PairQuestion) -> int:
        """Count the answers that a pair of the stream has, 0 to 2."""
        return (question.key in self.answers) + self._is_repeated(question)

    @property
    def seconds_a_pair(self) -> float | None:
        """The mean time an answer took in this session; a break counts no more than LONG_ANSWER medians."""
        if not self._seconds:
            return None
        longest = LONG_ANSWER * median(self._seconds)
        return fmean(min(seconds, longest) for seconds in self._seconds)

    def add(self, question: PairQuestion) -> None:
        """Take the next pair of the stream; one that has an answer is not asked again."""
        self._num_added += 1
        self.unused.discard(question.key)
        self._num_repeated += self._is_repeated(question)
        self._entries.append(question)
        if question.key in self.answers:
            self._plan_repeat(question)
        else:
            self._new = ShownQuestion(question, question.shown)

    def pass_over(self, question: PairQuestion) -> None:
        """Count the next pair of the stream, which nobody will be asked about any more."""
        self.unused.discard(question.key)
        self._num_passed_over += self.num_to_ask(question)
        self._num_added += question.key in self.answers
        self._num_repeated += self._is_repeated(question)

    def finish(self) -> None:
        """End the stream; the remaining repetitions come now."""
        self._finished = True
        self._choose()

    def answer(self, letter: str, seconds: float, note: str = "") -> tuple[ShownQuestion, PairAnswer]:
        """Answer the current question by its letter and move on; return what the journal keeps."""
        asked = self.current
        assert asked is not None, "there is a question to answer"
        answer = PairAnswer(LETTERS[letter, asked.shown], asked.shown, round(seconds, 1), note)
        (self.repeats if asked.is_repeat else self.answers)[asked.question.key] = answer
        if self._position == len(self._asked):
            self._asked.append(asked)
            self._new = None
            self._seconds.append(seconds)
            if not asked.is_repeat:
                self._num_new += 1
                self._plan_repeat(asked.question)
            else:
                self._num_repeated += 1
        self._position += 1
        if len(self._asked) > WINDOW:
            del self._asked[0]
            self._position -= 1
        self._choose()
        return asked, answer

    def back(self) -> bool:
        """Go back a question; False if there is none within the window."""
        if self._position == 0:
            return False
        self._position -= 1
        return True

    def keep(self) -> bool:
        """Keep the earlier answer of the current question and move on; False if it has none."""
        if self._position == len(self._asked):
            return False
        self._position += 1
        self._choose()
        return True

    def change_note(self, note: str) -> tuple[ShownQuestion, PairAnswer] | None:
        """Change the note of the current question's earlier answer; None if it has none, or the same note."""
        earlier = self.earlier
        if earlier is None or earlier.note == note:
            return None
        asked, answer = self._asked[self._position], replace(earlier, note=note)
        (self.repeats if asked.is_repeat else self.answers)[asked.question.key] = answer
        return asked, answer

    def released(self) -> Iterator[tuple[PairQuestion, PairAnswer]]:
        """Yield the pairs, in the order of the stream, whose answers can no longer change."""
        held = {asked.question.key for asked in self._asked}
        while self._entries and self._entries[0].key in self.answers and self._entries[0].key not in held:
            question = self._entries.popleft()
            yield question, self.answers[question.key]

    def close(self) -> Iterator[tuple[PairQuestion, PairAnswer | None]]:
        """Yield the remaining pairs, answered or not."""
        while self._entries:
            question = self._entries.popleft()
            yield question, self.answers.get(question.key)

    def agreement(self) -> tuple[int, int]:
        """Count equal answers to pairs answered twice, and those pairs; skips are no answers."""
        twice = [
            (self.answers[key].verdict, again.verdict) for key, again in self.repeats.items() if key in self.answers
        ]
        twice = [verdicts for verdicts in twice if Verdict.skip not in verdicts]
        return sum(first is again for first, again in twice), len(twice)

    def _plan_repeat(self, question: PairQuestion) -> None:
        planned = {due.key for _, due in self._due}
        if question.key not in self.repeats.keys() | planned and self._is_asked_twice(question):
            self._due.append((self._num_new, question))

    def _is_repeated(self, question: PairQuestion) -> bool:
        return question.key in self.repeats and self._is_asked_twice(question)

    def _is_asked_twice(self, question: PairQuestion) -> bool:
        return is_asked_twice(question.key, self._share, self._seed)

    def _choose(self) -> None:
        """Choose a question to repeat, if one is due and none is current."""
        while self.current is None and self._due:
            asked_at, question = self._due[0]
            if self._num_new - asked_at < DISTANCE and not self._finished:
                return
            self._due.popleft()
            earlier = self.answers[question.key]
            if earlier.verdict is not Verdict.skip:
                shown = earlier.shown or question.shown
                self._new = ShownQuestion(question, OTHER_ORDER[shown], is_repeat=True)


def progress(num_done: int, num_left: int, seconds_a_pair: float | None, *, is_all: bool) -> list[str]:
    """Describe the progress of a session, the most important first; until `is_all`, more pairs may come.

    >>> progress(12, 48, 15, is_all=True)
    ['12 of 60', '4 a minute', '12 min left']
    >>> progress(12, 48, 15, is_all=False)
    ['12 done', '4 a minute']
    """
    parts = [f"{num_done:,} of {num_done + num_left:,}" if is_all else f"{num_done:,} done"]
    if seconds_a_pair is not None:
        parts.append(say_pace(seconds_a_pair))
        if is_all and num_left:
            parts.append(f"{say_duration(num_left * seconds_a_pair)} left")
    return parts


def say_pace(seconds_a_pair: float) -> str:
    """Say how many answers a person gives.

    >>> say_pace(2.5), say_pace(40), say_pace(180)
    ('24 a minute', '1.5 a minute', '20 an hour')
    """
    a_minute = 60 / max(seconds_a_pair, LEAST_SECONDS)
    if a_minute < 1:
        return f"{60 * a_minute:.0f} an hour"
    return f"{a_minute:.0f} a minute" if a_minute >= 3 else f"{a_minute:.1f} a minute".replace(".0 ", " ")


def say_duration(seconds: float) -> str:
    """Say how long something takes, in minutes or hours.

    >>> say_duration(20), say_duration(720), say_duration(4850)
    ('under 1 min', '12 min', '1 h 21 min')
    """
    minutes = round(seconds / 60)
    if seconds < 60:
        return "under 1 min"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
