"""A person at the terminal labels the pairs of a stream."""

import time
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum

from real_cli.errors import Status, Terminated
from real_cli.io.job import Job
from real_cli.io.read_ahead import ReadAhead
from real_cli.relabel.human.journal import Journal
from real_cli.relabel.human.outcome import SessionOutcome, say_unused
from real_cli.relabel.human.pair import (
    LETTERS,
    PairAnswer,
    PairQuestion,
    have_equal_texts,
    make_question,
)
from real_cli.relabel.human.questionnaire import ACTIONS, Questionnaire, framed
from real_cli.relabel.human.screen import PASTED, Hangup, Terminal
from real_cli.relabel.human.session import WINDOW, Session, ShownQuestion, progress_line
from real_cli.text.phrases import EQUAL_TEXTS, say_count

CHOICES = {letter for letter, _ in LETTERS}
WAITING = "waiting for the next pair from the pipe"


class Ending(Enum):
    """How a session ended."""

    done = "done"
    finished = "finished"
    paused = "paused"
    interrupted = "interrupted"
    closed = "the terminal was closed"
    terminated = "terminated"


# Exit statuses of sessions that stopped early; elsewhere the records decide.
STATUSES = {
    Ending.paused: Status.interrupted,
    Ending.interrupted: Status.interrupted,
    Ending.closed: Status.terminated,
    Ending.terminated: Status.terminated,
}


def questions(job: Job, seed: int) -> Iterator[PairQuestion]:
    """Read the pairs of a job as questions; drop and count those with equal responses."""
    for place, question in job.apply(lambda record: make_question(record, seed), job.records()):
        if have_equal_texts(question):
            job.drop(place, question.record, EQUAL_TEXTS)
        else:
            yield replace(question, place=place)


class Annotator:
    """Ask about the pairs of a stream; each answer is kept at once, and handed on when it can no longer change."""

    def __init__(self, job: Job, session: Session, journal: Journal, outcome: SessionOutcome, seed: int) -> None:
        self._session = session
        self._journal = journal
        self._outcome = outcome
        self._ahead = ReadAhead(questions(job, seed))
        self._sheet: Questionnaire | None = None
        self._shown: ShownQuestion | None = None
        self._shown_at = 0.0
        self._status = ""
        self._note = ""
        self._shows_help = False

    def run(self) -> Ending:
        """Ask until everything is answered or the person stops; the terminal is restored."""
        while self._fetch():  # until there is something to ask, no terminal is needed and no screen shown
            self._ahead.wait()
        if self._session.current is None:
            return Ending.done
        try:
            with Terminal() as terminal:
                return self._ask(terminal)
        except Hangup:
            return Ending.closed
        except Terminated:
            return Ending.terminated
        except KeyboardInterrupt:
            return Ending.interrupted

    @property
    def progress(self) -> str:
        """The number of answers, and of those that the pairs read so far need."""
        least = "" if self._ahead.ended else "at least "
        return f"{self._session.num_done:,} of {least}{self._session.num_done + self._num_left():,}"

    def leave(self, *, to_the_end: bool) -> None:
        """Hand on answered pairs and drop the others; `to_the_end` also reads the rest of an input at hand."""
        self._outcome.release()
        for question, answer in self._session.close():
            self._outcome.add(question, answer)
        while True:
            question_left = self._ahead.take()
            if question_left is not None:
                self._session.unused.discard(question_left.key)
                self._outcome.add(question_left, self._session.answers.get(question_left.key))
            elif self._ahead.is_done or not to_the_end:
                return
            else:
                self._ahead.wait()

    def _fetch(self) -> bool:
        """Take pairs until there is one to ask; tell whether the next is still to come."""
        session = self._session
        while session.wants_more:
            question = self._ahead.take()
            if question is not None:
                session.add(question)
            elif self._ahead.is_done:
                session.finish()
            else:
                break
        for done, answer in session.released():
            self._outcome.add(done, answer)
        self._outcome.flush()
        return session.wants_more

    @property
    def unused(self) -> str:
        """Report answers about no pair of the stream; empty while it goes on."""
        return say_unused(len(self._session.unused)) if self._ahead.is_done else ""

    def _ask(self, terminal: Terminal) -> Ending:
        if self._session.unused and len(self._session.unused) == len(self._journal.answers):
            kept = say_count(len(self._session.unused), "answer")
            self._status = f"{kept} in the journal, none about these pairs; were they read differently?"
        while True:
            is_waiting = self._fetch()
            if self._session.current is None and not is_waiting:
                return Ending.done
            self._show(terminal)
            key = terminal.next_key([self._ahead.descriptor])
            if not key:
                self._ahead.acknowledge()
                continue
            ending = self._obey(ACTIONS.get(key, ""), terminal)
            if ending:
                return ending

    def _show(self, terminal: Terminal) -> None:
        current = self._session.current
        if current is not self._shown:
            self._shown, self._shown_at, self._shows_help = current, time.monotonic(), False
            self._sheet = Questionnaire(current) if current else None
            earlier = self._session.earlier
            self._note = earlier.note if earlier else ""
            terminal.forget_keys()
        header = progress_line(
            self._session.num_done,
            self._num_left(),
            self._session.seconds_a_pair,
            is_all=self._ahead.ended,
        )
        if self._sheet is None:
            terminal.write(framed(terminal.size, header, [], WAITING))
        else:
            status = self._status or self._standing()
            terminal.write(self._sheet.page(terminal.size, header, status, shows_help=self._shows_help))

    def _num_left(self) -> int:
        waiting = list(self._ahead.waiting)
        return self._session.num_left + sum(map(self._session.num_to_ask, waiting))

    def _standing(self) -> str:
        """The earlier answer and the note of the question on the screen."""
        earlier, shown = self._session.earlier, self._shown
        parts = []
        if earlier and shown:
            parts.append(f"your answer: {letter_of(earlier, shown)} (Enter keeps it)")
        if self._note:
            parts.append(f"note: {self._note}")
        return "; ".join(parts)

    def _obey(self, action: str, terminal: Terminal) -> Ending | None:
        session, was_help = self._session, self._shows_help
        self._status, self._shows_help = "", False
        if action == "interrupt":
            return Ending.interrupted
        if was_help or action == "resize":
            return None
        if action in ("pause", "finish"):
            return Ending.paused if action == "pause" else Ending.finished
        if action == "back":
            self._status = "" if session.back() else f"nothing to go back to: the last {WINDOW} answers can be changed"
        elif self._sheet is None:
            return None
        elif action in CHOICES:
            asked, answer = session.answer(action, time.monotonic() - self._shown_at, self._note)
            self._journal.add(asked.question.key, answer, is_repeat=asked.is_repeat)
        elif action == "keep":
            session.keep()
        elif action == "note":
            self._take_note(terminal)
        elif action == "help":
            self._shows_help = True
        else:
            self._sheet.scroll(action)
        return None

    def _take_note(self, terminal: Terminal) -> None:
        self._note = self._edited_note(terminal)
        if changed := self._session.change_note(self._note):  # the journal holds the answer without it
            asked, answer = changed
            self._journal.add(asked.question.key, answer, is_repeat=asked.is_repeat)

    def _edited_note(self, terminal: Terminal) -> str:
        note = self._note
        while True:
            self._status = f"note: {note}_"
            self._show(terminal)
            key = terminal.next_key()
            self._status = ""
            if key in ("enter", "escape"):
                terminal.forget_keys()  # an unmarked paste continues after its first line
                return note if key == "enter" else self._note
            if key == "interrupt":
                raise KeyboardInterrupt
            if key == "backspace":
                note = note[:-1]
            elif len(key) == 1:
                note += key
            elif key.startswith(PASTED):
                note += " ".join(key.removeprefix(PASTED).split())


def letter_of(answer: PairAnswer, asked: ShownQuestion) -> str:
    """Name an answer by what the screen shows: A, B, tie or skip."""
    return next(
        letter.upper() if len(letter) == 1 else letter
        for (letter, shown), verdict in LETTERS.items()
        if (shown, verdict) == (asked.shown, answer.verdict)
    )
