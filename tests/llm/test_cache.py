"""The cache of answers, and the ledger in front of it."""

import sqlite3
import subprocess
import sys

import pytest

from real_cli.errors import RealError, RecordError
from real_cli.llm.cache import FILE, AnswerCache, NoCache
from real_cli.llm.cost import Ledger, Price
from real_cli.records.questions import Completion, Question

ANSWER = Completion("A ü \n", True, 7, 3)


def read_letter(text):
    if text not in ("A", "B"):
        raise RecordError(f"no letter: {text}")
    return text


HELLO = Question([{"role": "user", "content": "Hi"}], read_letter)


def test_an_answer_is_there_for_the_next_run(tmp_path):
    with AnswerCache(tmp_path / "new" / "folder") as cache:
        assert cache.get("k") is None
        cache.put("k", ANSWER)
        assert cache.get("k") == ANSWER
    with AnswerCache(tmp_path / "new" / "folder") as cache:
        assert cache.get("k") == ANSWER
        assert cache.get("other") is None


def test_a_later_answer_replaces_an_earlier_one(tmp_path):
    with AnswerCache(tmp_path) as cache:
        cache.put("k", ANSWER)
        cache.put("k", Completion("B"))
        assert cache.get("k") == Completion("B")


def test_what_is_put_is_there_though_the_process_is_killed(tmp_path):
    program = (
        "import os, pathlib, sys\nfrom real_cli.llm.cache import *\n"
        "AnswerCache(pathlib.Path(sys.argv[1])).put('k', Completion('A')); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", program, tmp_path], check=False).returncode == -9
    with AnswerCache(tmp_path) as cache:
        assert cache.get("k") == Completion("A")


def test_processes_may_share_a_cache(tmp_path):
    program = (
        "import pathlib, sys; from real_cli.llm.cache import AnswerCache; from real_cli.records.questions import *\n"
        "with AnswerCache(pathlib.Path(sys.argv[1])) as cache:\n"
        "    for n in range(100): cache.put(sys.argv[2] + str(n), Completion('A'))"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", program, tmp_path, name], stderr=subprocess.PIPE) for name in "abcd"
    ]
    assert [process.communicate()[1] for process in started] == [b""] * 4
    with sqlite3.connect(tmp_path / FILE) as database:
        assert database.execute("SELECT count(*) FROM answers").fetchone() == (400,)
    database.close()


def test_a_place_that_can_hold_no_cache_is_told_with_what_to_do(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / FILE).write_bytes(b"no database " * 100)
    for folder in (tmp_path / "file", tmp_path):
        with pytest.raises(RealError, match="cannot be used as a cache: .*; name another --cache"):
            AnswerCache(folder)


def test_a_cache_that_breaks_meanwhile_is_told(tmp_path):
    with AnswerCache(tmp_path) as cache:
        cache._database.execute("DROP TABLE answers")
        for use in (lambda: cache.get("k"), lambda: cache.put("k", ANSWER)):
            with pytest.raises(RealError, match=f"{FILE}: no such table"):
                use()


def test_no_cache_keeps_nothing():
    with NoCache() as cache:
        cache.put("k", ANSWER)
        assert cache.get("k") is None


# The ledger


class Kept(dict):
    put = dict.__setitem__


def ledger(cache=None, results=None):
    return Ledger("m", Kept() if cache is None else cache, results)


def name(question=HELLO):
    return ledger().name(question)


def test_an_answer_is_kept_and_known_then():
    book = ledger()
    assert book.known(HELLO) is None
    assert book.keep(HELLO, Completion("A", False, 7, 3)).value == "A"
    assert book.known(HELLO).value == "A"
    assert book.sentence() == "1 call (1 answer known), 7 + 3 tokens"


def test_what_a_model_on_this_machine_did_is_told_without_calls():
    book = ledger()
    book.keep(HELLO, Completion("A", False, 7, 3))
    assert book.sentence(is_local=True) == "1 answer generated, 7 + 3 tokens"
    book.known(HELLO)
    assert book.sentence(is_local=True) == "1 answer generated (1 taken from the cache), 7 + 3 tokens"


def test_an_unreadable_answer_is_paid_for_counted_and_never_kept():
    cache = Kept()
    book = ledger(cache)
    with pytest.raises(RecordError, match="no letter: x"):
        book.keep(HELLO, Completion("x", False, 7, 3))
    assert cache == {}
    assert book.sentence() == "1 call (0 answers known), 7 + 3 tokens; 1 answer could not be read"


def test_what_it_cost_is_told_by_the_million():
    """7 at $1,000,000 a million and 3 at $500,000 a million: 7 + 1.5 dollars."""
    book = ledger()
    book.keep(HELLO, Completion("A", False, 7, 3))
    assert book.sentence(Price(1e6, 5e5)).endswith(", 7 + 3 tokens, $8.5000")


def test_results_answer_and_are_kept_for_other_days():
    cache = Kept()
    assert ledger(cache, {name(): Completion("B")}).known(HELLO).value == "B"
    assert cache == {name(): Completion("B")}


@pytest.mark.parametrize("bad", [RecordError("rate limit"), Completion("x")])
def test_a_result_that_failed_is_no_answer_but_one_of_another_day_is(bad):
    assert ledger({}, {name(): bad}).known(HELLO) is None
    assert ledger(Kept({name(): Completion("A")}), {name(): bad}).known(HELLO).value == "A"


@pytest.mark.parametrize(
    ("bad", "reason", "num_unreadable"),
    [(RecordError("rate limit"), "rate limit", 0), (Completion("x"), "no letter: x", 1)],
)
def test_why_a_result_is_no_answer_stays_to_be_told(bad, reason, num_unreadable):
    book = ledger(Kept(), {name(): bad})
    assert book.known(HELLO) is book.known(HELLO) is None
    assert str(book.problems[name()]) == reason
    assert book.num_unreadable == num_unreadable


def test_a_kept_answer_that_can_no_longer_be_read_is_asked_for_again():
    assert ledger(Kept({name(): Completion("x")})).known(HELLO) is None
