"""Many inquiries at once: order, bounds, equal questions, and what one that fails costs."""

import asyncio
import threading
import time

import pytest

from real_cli.errors import RealError, RecordError
from real_cli.io.read_ahead import ReadAhead
from real_cli.llm.ask import ConcurrentInquirer, Opened, WindowInquirer
from real_cli.llm.cost import Ledger
from real_cli.records.questions import Completion, Question


class Kept(dict):
    put = dict.__setitem__


def read_known(text):
    if text.startswith("?"):
        raise RecordError(f"unreadable: {text}")
    return text


def question(words):
    return Question([{"role": "user", "content": words}], read_known)


def words_of(question):
    return question.messages[0]["content"]


class Answerer:
    """Answers a question by a function of its words, after as long as the function says."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []
        self.num_at_once = self.most_at_once = 0

    async def open(self):
        pass

    async def close(self):
        pass

    async def ask(self, question):
        words = words_of(question)
        self.asked.append(words)
        self.num_at_once += 1
        self.most_at_once = max(self.most_at_once, self.num_at_once)
        try:
            reply = self.answer(words)
            seconds, reply = reply if isinstance(reply, tuple) else (0, reply)
            await asyncio.sleep(seconds)
        finally:
            self.num_at_once -= 1
        if isinstance(reply, Exception):
            raise reply
        return Completion(reply)


def one_by_one(answerer):
    """The same answerer for a window."""

    def answer(questions):
        completions = []
        for asked in questions:
            try:
                completions.append(asyncio.run(answerer.ask(asked)))
            except RecordError as problem:
                completions.append(problem)
        return completions

    return answer


def inquiry(*rounds):
    """Asks in rounds; makes the answers' texts."""
    texts = []
    for words in rounds:
        answers = yield [question(word) for word in words]
        texts += [answer.value for answer in answers]
    return texts


def opened(*all_rounds):
    return [Opened(f"p{n}", {"n": n}, inquiry(*rounds)) for n, rounds in enumerate(all_rounds)]


def run(kind, answerer, records, cache=None, at_once=4):
    ledger = Ledger("m", Kept() if cache is None else cache)
    if kind == "concurrent":
        inquirer = ConcurrentInquirer(answerer, ledger, at_once)
    else:
        inquirer = WindowInquirer(one_by_one(answerer), ledger, window_records=3)
    with inquirer:
        return list(inquirer(iter(records))), ledger


both = pytest.mark.parametrize("kind", ["concurrent", "window"])


@both
def test_every_record_ends_in_its_order_with_what_was_made(kind):
    later = iter([0.03, 0.0, 0.02, 0.01] * 4)
    ended, ledger = run(
        kind, Answerer(lambda words: (next(later), words.upper())), opened(*[[[f"q{n}"]] for n in range(10)])
    )
    assert [(closed.place, closed.record, closed.outcome) for closed in ended] == [
        (f"p{n}", {"n": n}, [f"Q{n}"]) for n in range(10)
    ]
    assert ledger.num_calls == 10


@both
def test_rounds_follow_each_other_and_an_inquiry_without_questions_ends(kind):
    ended, _ = run(kind, Answerer(str.upper), opened([["a", "b"], ["c"]], [], [[]], [["d"]]))
    assert [closed.outcome for closed in ended] == [["A", "B", "C"], [], [], ["D"]]


@both
def test_one_that_fails_costs_its_own_record_and_the_other_answers_are_kept(kind):
    cache = Kept()
    answerer = Answerer(lambda words: RecordError("500") if words == "bad" else words.upper())
    ended, _ = run(kind, answerer, opened([["a"]], [["b", "bad", "c"]], [["d"]]), cache)
    assert [closed.outcome for closed in ended] == [["A"], None, ["D"]]
    assert [str(closed.problem) for closed in ended] == ["None", "500", "None"]
    assert {completion.text for completion in cache.values()} == {"A", "B", "C", "D"}


@both
def test_what_is_known_is_not_asked(kind):
    cache, answerer = Kept(), Answerer(str.upper)
    run(kind, answerer, opened([["a", "b"]]), cache)
    ended, ledger = run(kind, answerer, opened([["a", "c"]]), cache)
    assert sorted(answerer.asked) == ["a", "b", "c"]
    assert ended[0].outcome == ["A", "C"]
    assert (ledger.num_calls, ledger.num_known) == (1, 1)


@both
def test_equal_questions_in_flight_are_asked_once(kind):
    answerer = Answerer(lambda words: (0.05, words.upper()))
    ended, _ = run(kind, answerer, opened([["a", "a"]], [["a"]]))
    assert answerer.asked == ["a"]
    assert [closed.outcome for closed in ended] == [["A", "A"], ["A"]]


@both
def test_an_inquiry_that_refuses_an_answer_costs_its_record(kind):
    def picky():
        yield [question("a")]
        raise RecordError("all N/A")

    ended, _ = run(kind, Answerer(str.upper), [Opened("p", {}, picky()), *opened([["b"]])])
    assert [str(closed.problem) for closed in ended] == ["all N/A", "None"]


@both
def test_a_bad_record_of_the_source_ends_the_run_after_those_before_it(kind):
    def source():
        yield from opened([["a"]], [["b"]])
        raise RecordError("in.jsonl:3: not JSON")

    cache, ended = Kept(), []
    ledger = Ledger("m", cache)
    answerer = Answerer(str.upper)
    inquirer = (
        ConcurrentInquirer(answerer, ledger, 2)
        if kind == "concurrent"
        else WindowInquirer(one_by_one(answerer), ledger)
    )
    with inquirer, pytest.raises(RecordError, match="in.jsonl:3"):
        ended.extend(closed.outcome for closed in inquirer(source()))
    assert len(cache) == 2


def test_an_unreadable_answer_is_asked_for_once_more_and_never_kept():
    cache = Kept()
    replies = iter(["?", "fine"])
    answerer = Answerer(lambda words: next(replies) if words == "a" else "?!")
    ended, ledger = run("concurrent", answerer, opened([["a"]], [["b"]]), cache)
    assert ended[0].outcome == ["fine"]
    assert str(ended[1].problem) == "unreadable: ?!"
    assert sorted(answerer.asked) == ["a", "a", "b", "b"]
    assert [completion.text for completion in cache.values()] == ["fine"]
    assert (ledger.num_calls, ledger.num_unreadable) == (4, 3)


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_questions_are_in_flight_than_allowed_and_as_many_as_allowed(at_once):
    answerer = Answerer(lambda words: (0.01, words))
    run("concurrent", answerer, opened(*[[[f"a{n}", f"b{n}"]] for n in range(6)]), at_once=at_once)
    assert answerer.most_at_once == at_once
    assert len(answerer.asked) == 12


def test_records_are_not_read_far_ahead():
    """What is in memory does not grow with the input."""
    num_read = 0
    gate = threading.Event()

    def source():
        nonlocal num_read
        for begun in opened(*[[[f"q{n}"]] for n in range(100)]):
            num_read += 1
            yield begun

    class Waits(Answerer):
        async def ask(self, question):
            while not gate.is_set():
                await asyncio.sleep(0.005)
            return Completion("A")

    ledger = Ledger("m", Kept())
    with ConcurrentInquirer(Waits(None), ledger, 2) as inquirer:
        threading.Timer(0.1, lambda: (seen.append(num_read), gate.set())).start()
        seen = []
        assert len(list(inquirer(source()))) == 100
    assert seen[0] <= 2 * 2 + 2 + 1  # in work, waiting, in hand


def test_a_record_that_is_slow_to_come_holds_back_no_answer():
    """The second record comes only when the first one's answer was handed on."""
    handed_on = threading.Event()

    def source():
        first, second = opened([["q1"]], [["q2"]])
        yield first
        assert handed_on.wait(10)
        yield second

    with ConcurrentInquirer(Answerer(str.upper), Ledger("m", Kept()), 2) as inquirer:
        ended = inquirer(source())
        assert next(ended).problem is None
        handed_on.set()
        assert len(list(ended)) == 1


@pytest.mark.parametrize("error", [RecordError("bad line"), OSError("gone")])
def test_what_was_read_before_the_input_failed_is_done_first(error):
    def source():
        yield from opened([["q1"]], [["q2"]])
        raise error

    ended = []
    inquirer = ConcurrentInquirer(Answerer(lambda words: (0.05, "A")), Ledger("m", Kept()), 2)
    with inquirer, pytest.raises(type(error), match=str(error)):
        ended.extend(closed for closed in inquirer(source()))
    assert len(ended) == 2


def test_a_fault_of_the_whole_run_ends_it_at_once_and_what_was_answered_is_kept():
    cache = Kept()

    def answer(words):
        if words == "fatal":
            return 0.02, RealError("401")
        return (30 if words == "slow" else 0), words

    answerer = Answerer(answer)
    started = time.monotonic()
    with pytest.raises(RealError, match="401"):
        run("concurrent", answerer, opened([["a"]], [["b"]], [["fatal"]], [["slow"]]), cache)
    assert time.monotonic() - started < 5
    assert {completion.text for completion in cache.values()} == {"a", "b"}


def test_a_fault_of_the_run_comes_before_one_of_the_record():
    answerer = Answerer(lambda words: RealError("401") if words == "b" else RecordError("500"))
    with pytest.raises(RealError, match="401"):
        run("concurrent", answerer, opened([["a", "b"]]))


def test_an_end_that_comes_while_signals_are_read_is_not_waited_for(monkeypatch):
    """The thread that reads may end between the look at whether it has and the reading of its signal."""
    asked = threading.Event()
    acknowledge = ReadAhead.acknowledge

    def late(ahead):
        if not asked.is_set():
            asked.set()
            while not ahead.ended:
                time.sleep(0.001)
        acknowledge(ahead)

    def source():
        assert asked.wait(10)
        yield from ()

    monkeypatch.setattr(ReadAhead, "acknowledge", late)
    ended = []
    with ConcurrentInquirer(Answerer(str.upper), Ledger("m", Kept()), 2) as inquirer:
        reader = threading.Thread(target=lambda: ended.append(list(inquirer(source()))), daemon=True)
        reader.start()
        reader.join(10)
    assert ended == [[]]


def test_leaving_early_leaves_no_thread_behind():
    before = threading.active_count()
    inquirer = ConcurrentInquirer(Answerer(lambda words: (30, words)), Ledger("m", Kept()), 4)
    with pytest.raises(KeyboardInterrupt), inquirer:
        iter(inquirer(iter(opened([["a"]]))))
        raise KeyboardInterrupt
    assert threading.active_count() == before
