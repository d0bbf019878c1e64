"""A person at the terminal labels the pairs of a stream."""

import time
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum

from real_cli.errors import Status, Terminated
from real_cli.io.job import Job
from real_cli.io.parts import signals_wait
from real_cli.io.read_ahead import ReadAhead
from real_cli.relabel.human.journal import Journal
from real_cli.relabel.human.keys import PASTED
from real_cli.relabel.human.outcome import SessionOutcome, say_unused
from real_cli.relabel.human.pair import (
    LETTERS,
    PairAnswer,
    PairQuestion,
    have_equal_texts,
    make_question,
)
from real_cli.relabel.human.questionnaire import ACTIONS, Questionnaire
from real_cli.relabel.human.rows import clusters
from real_cli.relabel.human.screen import Hangup, Terminal
from real_cli.relabel.human.session import WINDOW, Session, ShownQuestion, progress
from real_cli.relabel.human.window import WAITING_KEYS, KeyMode, framed
from real_cli.text.phrases import EQUAL_TEXTS, say_count

CHOICES = {letter for letter, _ in LETTERS}
WAITING = "waiting for the next pair from the pipe"
NOTHING_BACK = f"nothing to go back to: of this run, the last {WINDOW} answers can be changed"
# A wait that takes longer leaves the terminal to the rest of the pipe, which may have progress to show.
PATIENCE_SECONDS = 0.3


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
        self._mode = KeyMode.question
        self._told_waiting = False

    def run(self) -> Ending:
        """Ask until everything is answered or the person stops; the terminal is restored."""
        try:
            while self._fetch():  # until there is something to ask, no terminal is needed and no screen shown
                self._ahead.wait()
            if self._session.current is None:
                return Ending.done
            with Terminal() as terminal:
                return self._ask(terminal)
        except Hangup:
            return Ending.closed
        except Terminated:
            return Ending.terminated
        except KeyboardInterrupt:
            return Ending.interrupted

    def standing(self, ending: Ending) -> str:
        """Say how the session ended, and how many of the answers are given that the pairs read so far need."""
        num_done, num_left = self._num_done(), self._num_left()
        least = "" if self._ahead.ended else "at least "
        given = f"{num_done:,} of {least}{num_done + num_left:,} answered" if num_done + num_left else "nothing asked"
        return given if ending is Ending.done else f"{ending.value}, {given}"

    def count_answers(self) -> None:
        """Count what is answered and not handed on."""
        for question, answer in self._session.close():
            self._outcome.count(question, answer)

    def leave(self, *, to_the_end: bool) -> None:
        """Hand on answered pairs and drop the others; `to_the_end` also reads the rest of an input at hand."""
        self._outcome.release()
        for question, answer in self._session.close():
            self._outcome.add(question, answer)
        while True:
            question_left = self._ahead.take()
            if question_left is not None:
                self._session.pass_over(question_left)
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
            self._status = f"{kept} in the journal, none of these so far; were they read differently?"
        while True:
            is_waiting = self._fetch()
            if self._session.current is None and not is_waiting:
                return Ending.done
            self._show(terminal)
            key = terminal.next_key([self._ahead.descriptor], None if self._sheet else PATIENCE_SECONDS)
            if not key:
                self._ahead.acknowledge()
                continue
            ending = self._obey(ACTIONS.get(key, ""), terminal)
            if ending:
                return ending

    def _show(self, terminal: Terminal) -> None:
        current = self._session.current
        if current is not self._shown:
            self._shown, self._shown_at, self._mode = current, time.monotonic(), KeyMode.question
            self._sheet = Questionnaire(current) if current else None
            earlier = self._session.earlier
            self._note = earlier.note if earlier else ""
            terminal.forget_keys()
        session = self._session
        header = progress(self._num_done(), self._num_left(), session.seconds_a_pair, is_all=self._ahead.ended)
        if self._sheet:
            status = self._status or self._standing()
            terminal.draw(self._sheet.page(terminal.size, header, status, mode=self._mode))
        elif time.monotonic() < self._shown_at + PATIENCE_SECONDS:
            terminal.draw(framed(terminal.size, header, [], [WAITING], WAITING_KEYS))
        else:
            terminal.yield_screen("" if self._told_waiting else f"real: {WAITING}: {', '.join(WAITING_KEYS)}")
            self._told_waiting = True

    def _num_done(self) -> int:
        return self._session.num_done + sum(map(self._session.num_given, list(self._ahead.waiting)))

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
        self._status = ""
        if action == "interrupt":
            return Ending.interrupted
        if action == "resize":
            return None
        if self._mode is KeyMode.help:
            if self._sheet and not self._sheet.scroll(action, self._mode):
                self._mode = KeyMode.question
            return None
        if action in ("pause", "finish"):
            return Ending.paused if action == "pause" else Ending.finished
        self._act(action, terminal)
        return None

    def _act(self, action: str, terminal: Terminal) -> None:
        """Do what a key asks of the question."""
        session = self._session
        if action == "back":
            self._status = "" if session.back() else NOTHING_BACK
        elif self._sheet is None:
            return
        elif action in CHOICES:
            with signals_wait():  # an answer that is counted is on disk
                asked, answer = session.answer(action, time.monotonic() - self._shown_at, self._note)
                self._journal.add(asked.question.key, answer, is_repeat=asked.is_repeat)
        elif action == "keep":
            session.keep()
        elif action == "note":
            self._take_note(terminal)
        elif action == "help":
            self._mode = KeyMode.help
        else:
            self._sheet.scroll(action, self._mode)

    def _take_note(self, terminal: Terminal) -> None:
        self._note = self._edited_note(terminal)
        if changed := self._session.change_note(self._note):  # the journal holds the answer without it
            asked, answer = changed
            self._journal.add(asked.question.key, answer, is_repeat=asked.is_repeat)

    def _edited_note(self, terminal: Terminal) -> str:
        note, self._mode = self._note, KeyMode.note
        try:
            while True:
                self._status = f"note: {note}_"
                self._show(terminal)
                key = terminal.next_key(is_note=True)
                self._status = ""
                if key == "escape":
                    return self._note
                if key == "enter":
                    terminal.forget_keys()  # an unmarked paste continues after its first line
                    return note
                if key == "interrupt":
                    raise KeyboardInterrupt
                note = edited(note, key)
        finally:
            self._mode = KeyMode.question


def edited(note: str, key: str) -> str:
    """Apply a key to the end of a note.

    >>> edited("so", "!"), edited("cafe\u0301", "backspace"), edited("so so", "erase-word"), edited("a", "up")
    ('so!', 'caf', 'so ', 'a')
    """
    if key == "backspace":
        return "".join(cluster.text for cluster in clusters(note)[:-1])
    if key == "erase-word":
        return note.rstrip()[: len(note.rstrip()) - len(note.split()[-1])] if note.strip() else ""
    if key == "erase-all":
        return ""
    if key.startswith(PASTED):
        return note + " ".join(key.removeprefix(PASTED).split())
    return note + key if len(key) == 1 else note


def letter_of(answer: PairAnswer, asked: ShownQuestion) -> str:
    """Name an answer by what the screen shows: A, B, tie or skip."""
    return next(
        letter.upper() if len(letter) == 1 else letter
        for (letter, shown), verdict in LETTERS.items()
        if (shown, verdict) == (asked.shown, answer.verdict)
    )
