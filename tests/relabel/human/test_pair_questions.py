"""Questions to a person and what their answers make; the session without its terminal."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.errors import RecordError, UsageError
from real_cli.pair.choices import Emit, Orient, Strategy
from real_cli.pair.choose import Settings
from real_cli.records.record import to_candidates
from real_cli.relabel.human.choices import Shown, Verdict
from real_cli.relabel.human.pair import (
    LETTERS,
    OTHER_ORDER,
    PairAnswer,
    answered_record,
    have_equal_texts,
    is_asked_twice,
    journal_line,
    make_question,
    parse_share,
    read_journal_line,
)
from real_cli.relabel.human.session import DISTANCE, WINDOW, Session, progress
from tests.pair.choosing import choose_pairs

PAIR = {
    "id": 7,
    "prompt": "q",
    "responses": [{"text": "x", "score": 1, "rank": 2}, {"text": "y", "score": 9, "rank": 1}],
    "similarity": 0.5,
}
LABELED = {"prompt": "q", "chosen": "x", "rejected": "y", "score_chosen": 9, "score_rejected": 1}


def candidates(number):
    return {"id": number, "prompt": f"q{number}", "responses": [{"text": "x"}, {"text": "y"}]}


def questions(count, seed=0):
    return [make_question(candidates(number), seed, f"in:{number + 1}") for number in range(count)]


def letter_for(shown, verdict):
    return next(letter for (letter, order), meaning in LETTERS.items() if (order, meaning) == (shown, verdict))


# One question


def test_what_is_a_and_b_is_drawn_and_both_orders_are_about_as_frequent():
    """500 draws with p = 1/2: mean 250, standard deviation 11; 4.5 of them are 50."""
    drawn = Counter(make_question(candidates(number), seed=3).shown for number in range(500))
    assert abs(drawn[Shown.swapped] - 250) < 50


def test_the_order_depends_on_seed_and_content_alone():
    orders = [make_question(candidates(0), seed).shown for seed in range(50)]
    assert set(orders) == set(Shown)
    assert make_question(candidates(0) | {"id": 99}, 4).shown is orders[4]


def test_a_and_b_are_the_first_and_the_second_or_swapped():
    question = make_question(PAIR, 0)
    assert question.texts(Shown.as_is) == ("x", "y")
    assert question.texts(Shown.swapped) == ("y", "x")


@pytest.mark.parametrize(("verdict", "chosen"), [(Verdict.first, "x"), (Verdict.second, "y")])
@pytest.mark.parametrize("shown", list(Shown))
def test_a_letter_means_the_response_that_stood_there(verdict, chosen, shown):
    question = make_question(PAIR, 0)
    at = question.texts(shown).index(chosen)
    assert LETTERS["ab"[at], shown] is verdict
    assert answered_record(question, PairAnswer(verdict, shown))["chosen"] == chosen


def test_an_answer_makes_a_pair_that_keeps_every_other_field():
    labeled = answered_record(make_question(PAIR, 0), PairAnswer(Verdict.first, Shown.swapped, 3.2, "hm"))
    assert labeled == {
        "id": 7,
        "prompt": "q",
        "chosen": "x",
        "rejected": "y",
        "score_chosen": 1,
        "score_rejected": 9,
        "similarity": 0.5,
        "annotation": {"verdict": "first", "shown": "swapped", "seconds": 3.2, "note": "hm"},
    }


def test_a_label_that_is_there_is_turned_where_the_person_says_so():
    labeled = answered_record(make_question(LABELED, 0), PairAnswer(Verdict.second))
    assert [labeled[field] for field in ("chosen", "rejected", "score_chosen", "score_rejected")] == ["y", "x", 1, 9]


@pytest.mark.parametrize("record", [PAIR, LABELED])
@pytest.mark.parametrize("verdict", [Verdict.first, Verdict.second])
def test_the_person_s_word_wins_over_scores_when_the_pair_is_chosen_again(record, verdict):
    """`real pair --orient auto` reads ranks before scores; one of the two verdicts goes against the scores."""
    labeled = answered_record(make_question(record, 0), PairAnswer(verdict))
    (again,) = choose_pairs(labeled, Settings(Strategy.random, Orient.auto, Emit.pairs)).records
    assert (again["chosen"], again["rejected"]) == (labeled["chosen"], labeled["rejected"])


@pytest.mark.parametrize("record", [PAIR, LABELED])
def test_a_tie_stays_unlabeled_and_scores_do_not_decide_it_later(record):
    labeled = answered_record(make_question(record, 0), PairAnswer(Verdict.tie))
    assert [response["rank"] for response in labeled["responses"]] == [1, 1]
    assert labeled["annotation"] == {"verdict": "tie"}
    outcome = choose_pairs(labeled, Settings(Strategy.random, Orient.auto, Emit.pairs))
    assert (outcome.records, outcome.dropped) == ([], ["equal scores"])


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_question_has_two_responses(count):
    record = {"prompt": "q", "responses": [{"text": str(number)} for number in range(count)]}
    with pytest.raises(RecordError, match=f"has {count} responses; a question needs two: 'real pair --orient none'"):
        make_question(record, 0)


def test_equal_texts_are_no_question():
    chat = [{"role": "assistant", "content": "x"}]
    same = {"prompt": [{"role": "user", "content": "q"}], "chosen": chat, "rejected": list(chat)}
    assert have_equal_texts(make_question(same, 0))
    assert not have_equal_texts(make_question(PAIR, 0))


@given(
    key=st.text("0123456789abcdef", min_size=1),
    answer=st.builds(
        PairAnswer, st.sampled_from(Verdict), st.sampled_from(Shown), st.none() | st.floats(0, 1e6), st.text(max_size=5)
    ),
    is_repeat=st.booleans(),
)
def test_the_journal_gives_back_what_it_was_given(key, answer, is_repeat):
    line = journal_line(key, answer, seed=3, when="2025-01-01T00:00:00Z", is_repeat=is_repeat)
    assert read_journal_line(line) == (key, answer, is_repeat)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "field 'version' is 2; 1 is needed: name another --journal"),
        ({"version": None}, "field 'version' is None; "),
        ({"version": True}, "field 'version' is True; "),
        ({"key": 7}, "field 'key' is 7; the key of a pair is needed"),
        ({"verdict": "a"}, "field 'verdict' is 'a'; first, second, tie or skip is needed"),
        ({"verdict": ["tie"]}, r"field 'verdict' is \['tie'\]; "),
        ({"shown": "ab"}, "field 'shown' is 'ab'; as-is or swapped is needed"),
        ({"seconds": "3"}, "field 'seconds' is '3'; a number of seconds is needed"),
        ({"note": 3}, "field 'note' is 3; a text is needed"),
    ],
)
def test_what_is_no_line_of_a_journal_is_told(change, message):
    line = {"version": 1, "key": "k", "verdict": "tie", "shown": "as-is"}
    assert read_journal_line(line)[0] == "k"
    with pytest.raises(RecordError, match=message):
        read_journal_line(line | change)


@pytest.mark.parametrize("text", ["", "5", "101%", "-1%", "x%", "5 %", "1e1%", "nan%"])
def test_a_share_is_a_share(text):
    with pytest.raises(UsageError, match="--repeat .*: give a share from 0% to 100%, as 5%"):
        parse_share(text)


def test_a_share_of_the_pairs_is_asked_twice():
    """1000 draws with p = 0.05: mean 50, standard deviation 6.9; 4.5 of them are 31."""
    keys = [f"{number:032x}" for number in range(1000)]
    twice = {key for key in keys if is_asked_twice(key, Fraction(1, 20), 1)}
    assert abs(len(twice) - 50) < 31
    assert twice <= {key for key in keys if is_asked_twice(key, Fraction(1, 2), 1)}
    assert twice != {key for key in keys if is_asked_twice(key, Fraction(1, 20), 2)}


# The session


def run_session(stream, act, *, answers=None, repeats=None, share=0, seed=0, window=True):
    """Answer every question by a function; returns the session, what was asked, and what was written."""
    session = Session(answers or {}, repeats or {}, share=Fraction(share), seed=seed)
    waiting, asked, written = list(stream), [], []
    while True:
        while session.wants_more:
            if waiting:
                session.add(waiting.pop(0))
            else:
                session.finish()
        written += session.released()
        if session.current is None:
            return session, asked, [*written, *session.close()]
        asked.append(session.current)
        act(session)


def always(verdict):
    return lambda session: session.answer(letter_for(session.current.shown, verdict), 1.0)


def test_every_pair_is_asked_once_in_the_order_of_the_stream():
    stream = questions(30)
    _, asked, written = run_session(stream, always(Verdict.first))
    assert [shown.question for shown in asked] == stream
    assert [question for question, _ in written] == stream
    assert all(answer.verdict is Verdict.first for _, answer in written)


def test_a_pair_is_held_back_until_it_can_no_longer_be_gone_back_to():
    """WINDOW = 20 answers can be changed: the 21st releases the first."""
    session = Session({}, {})
    for number, question in enumerate(questions(WINDOW + 2)):
        assert len(list(session.released())) == (number > WINDOW)
        session.add(question)
        session.answer("a", 1.0)
    steps = 0
    while session.back():
        steps += 1
    assert steps == WINDOW


def test_a_pair_that_the_journal_answers_is_not_asked_and_not_held():
    stream = questions(3)
    known = {stream[0].key: PairAnswer(Verdict.tie), stream[2].key: PairAnswer(Verdict.second)}
    session = Session(known, {})
    session.add(stream[0])
    assert session.wants_more
    assert [question for question, _ in session.released()] == [stream[0]]
    _, asked, written = run_session(stream, always(Verdict.first), answers=known)
    assert [shown.question for shown in asked] == [stream[1]]
    assert [answer.verdict for _, answer in written] == [Verdict.tie, Verdict.first, Verdict.second]


def test_the_same_pair_twice_in_the_stream_is_asked_once():
    stream = questions(2)
    _, asked, written = run_session([stream[0], stream[1], stream[0]], always(Verdict.second))
    assert len(asked) == 2
    assert [question.key for question, _ in written] == [stream[0].key, stream[1].key, stream[0].key]


def test_back_and_keep_and_the_answer_that_is_there():
    stream = questions(3)
    session = Session({}, {})
    assert not session.back()
    for question in stream[:2]:
        session.add(question)
        session.answer("a", 1.0, "why")
    session.add(stream[2])
    assert session.earlier is None
    assert not session.keep()
    assert session.back()
    assert session.back()
    assert not session.back()
    assert session.current.question == stream[0]
    assert session.earlier.note == "why"
    session.answer("tie", 1.0)
    assert session.current.question == stream[1]
    assert session.keep()
    assert session.current.question == stream[2]
    assert [answer.verdict for _, answer in session.close() if answer] == [
        Verdict.tie,
        LETTERS["a", stream[1].shown],
    ]


def test_a_note_that_is_changed_later_belongs_to_the_answer_that_is_there():
    """On the screen it stands beside that answer: it must be in the journal, and in the output."""
    stream = questions(2)
    session = Session({}, {})
    session.add(stream[0])
    assert session.change_note("no answer yet") is None
    session.answer("a", 2.0)
    session.add(stream[1])
    assert session.change_note("no answer yet") is None
    session.back()
    assert session.change_note("") is None
    asked, answer = session.change_note("hi")
    assert (asked.question, answer) == (
        stream[0],
        PairAnswer(LETTERS["a", stream[0].shown], stream[0].shown, 2.0, "hi"),
    )
    assert session.earlier == answer
    assert session.change_note("hi") is None
    assert session.keep()
    assert [kept for _, kept in session.close()] == [answer, None]


def test_what_is_not_answered_is_handed_out_without_an_answer():
    stream = questions(2)
    session = Session({}, {})
    session.add(stream[0])
    session.answer("skip", 1.0)
    session.add(stream[1])
    left = [(question, answer and answer.verdict) for question, answer in session.close()]
    assert left == [(stream[0], Verdict.skip), (stream[1], None)]


def test_a_repetition_comes_five_questions_later_swapped_and_never_changes_the_label():
    """DISTANCE = 5: after question 0 come 1 to 5, then 0 again; at the end what is left."""
    stream = questions(8)
    asked_before = set()

    def act(session):
        key = session.current.question.key
        verdict = Verdict.second if key in asked_before else Verdict.first
        asked_before.add(key)
        session.answer(letter_for(session.current.shown, verdict), 1.0)

    session, asked, written = run_session(stream, act, share=1)
    order = [(stream.index(shown.question), shown.is_repeat) for shown in asked]
    assert order[:8] == [(0, False), (1, False), (2, False), (3, False), (4, False), (5, False), (0, True), (6, False)]
    assert sorted(order) == sorted([(n, again) for n in range(8) for again in (False, True)])
    assert DISTANCE == 5
    for shown in asked:
        assert shown.shown is (OTHER_ORDER[shown.question.shown] if shown.is_repeat else shown.question.shown)
    assert all(answer.verdict is Verdict.first for _, answer in written)
    assert session.agreement() == (0, 8)


def test_agreement_counts_pairs_that_were_answered_twice():
    """Equal: p. Different: q. Skipped once: r, s. Not the label of this run's journal: t."""
    answers = {
        key: PairAnswer(Verdict(verdict))
        for key, verdict in zip("pqrs", ["tie", "first", "skip", "first"], strict=True)
    }
    repeats = {
        key: PairAnswer(Verdict(verdict))
        for key, verdict in zip("pqrst", ["tie", "second", "tie", "skip", "tie"], strict=True)
    }
    assert Session(answers, repeats).agreement() == (1, 2)


def test_a_skipped_pair_is_not_asked_again_and_a_repeated_one_not_a_third_time():
    stream = questions(2)
    _, asked, _ = run_session(stream, always(Verdict.skip), share=1)
    assert len(asked) == 2
    known = {question.key: PairAnswer(Verdict.first, question.shown) for question in stream}
    _, asked, _ = run_session(
        stream, always(Verdict.first), answers=known, repeats={stream[0].key: known[stream[0].key]}, share=1
    )
    assert [(shown.question, shown.is_repeat) for shown in asked] == [(stream[1], True)]


def test_progress():
    session = Session({}, {})
    for number, question in enumerate(questions(3)):
        session.add(question)
        assert session.num_done == number
        session.answer("a", float(10**number))
    assert session.num_done == 3
    assert session.seconds_a_pair == (1 + 10 + 40) / 3  # the last one was a break


def test_progress_tells_pace_and_time_left_where_the_whole_is_known():
    assert progress(0, 60, None, is_all=True) == ["0 of 60"]
    assert progress(12, 48, 15, is_all=True) == ["12 of 60", "4 a minute", "12 min left"]
    assert progress(12, 48, 15, is_all=False) == ["12 done", "4 a minute"]
    assert progress(1200, 0, 0.0, is_all=True) == ["1,200 of 1,200", "600 a minute"]
    assert progress(1, 59, 3599, is_all=True) == ["1 of 60", "1 an hour", "58 h 59 min left"]


def progress_of(stream, share, letter="a", *, answers=(), repeats=()):
    """Done and left before each answer and at the end."""
    session, seen = Session(dict(answers), dict(repeats), share=Fraction(share)), []
    waiting = list(stream)
    while True:
        while session.wants_more:
            session.add(waiting.pop(0)) if waiting else session.finish()
        left = session.num_left + sum(map(session.num_to_ask, waiting))
        seen.append((session.num_done, left))
        if session.current is None:
            return seen
        session.answer(letter, 1.0)


def test_planned_repetitions_are_left_until_they_are_answered():
    """Two pairs, each asked twice: four answers. A skip plans none: two answers, known one by one."""
    assert progress_of(questions(2), 1) == [(0, 4), (1, 3), (2, 2), (3, 1), (4, 0)]
    assert progress_of(questions(2), 0) == [(0, 2), (1, 1), (2, 0)]
    assert progress_of(questions(2), 1, "skip") == [(0, 4), (1, 2), (2, 0)]


def test_what_the_journal_answered_is_done_and_what_it_did_not_repeat_is_left():
    stream = questions(3)
    known = {question.key: PairAnswer(Verdict.first, question.shown) for question in stream[:2]}
    again = {stream[0].key: PairAnswer(Verdict.first)}
    assert progress_of(stream, 1, answers=known, repeats=again)[0] == (3, 3)


def test_going_back_changes_neither_done_nor_left():
    session = Session({}, {}, share=Fraction(1))
    for question in questions(DISTANCE + 1):
        session.add(question)
        before = session.num_done, session.num_left
        session.back()
        assert (session.num_done, session.num_left) == before
        session.keep()
        session.answer("a", 1.0)
    assert session.current.is_repeat
    assert (session.num_done, session.num_left) == (DISTANCE + 1, DISTANCE + 1)


actions = st.lists(st.sampled_from(["a", "b", "tie", "skip", "back", "keep"]), max_size=80)


@given(actions=actions, share=st.sampled_from([0, "1/2", 1]), num_known=st.integers(0, 3))
@settings(max_examples=200)
def test_whatever_is_typed_each_pair_comes_out_once_in_order_with_its_last_answer(actions, share, num_known):
    """Against a dictionary that remembers the last answer to each pair."""
    stream = questions(30)
    last = {question.key: PairAnswer(Verdict.tie) for question in stream[1 : 1 + num_known]}
    session = Session(last, {}, share=Fraction(share))
    waiting, written = list(stream), []
    for action in actions:
        while session.wants_more and waiting:
            session.add(waiting.pop(0))
        written += session.released()
        if session.current is None:
            break
        if action == "back":
            session.back()
        elif action == "keep":
            session.keep()
        else:
            asked, answer = session.answer(action, 1.0)
            assert answer.verdict is LETTERS[action, asked.shown]
            if not asked.is_repeat:
                assert asked.question.key not in {question.key for question, _ in written}
                last[asked.question.key] = answer
    written += session.close()
    assert [question for question, _ in written] == stream[: len(written)]
    assert len(written) + len(waiting) == len(stream)
    assert [answer for _, answer in written] == [last.get(question.key) for question, _ in written]


@given(seed=st.integers(0, 2**63 - 1), better=st.lists(st.booleans(), min_size=1, max_size=6))
@settings(max_examples=50)
def test_labels_do_not_depend_on_the_order_that_is_shown(seed, better):
    """A person who always wants the same text gets the same labels under every seed."""
    wanted = {f"q{number}": "x" if first else "y" for number, first in enumerate(better)}

    def act(session):
        asked = session.current
        at = asked.question.texts(asked.shown).index(wanted[asked.question.prompt])
        session.answer("ab"[at], 1.0)

    _, _, written = run_session(questions(len(better), seed), act, seed=seed, share="1/2")
    labeled = [answered_record(question, answer) for question, answer in written]
    assert {row["prompt"]: row["chosen"] for row in labeled} == wanted
    assert all(row["rejected"] != row["chosen"] for row in labeled)
    assert [to_candidates(row)["responses"][0]["text"] for row in labeled] == list(wanted.values())


def test_a_pair_whose_tools_nobody_would_see_is_refused():
    with pytest.raises(RecordError, match="field 'tools' is"):
        make_question({"prompt": "q", "chosen": "a", "rejected": "b", "tools": [{"name": "add"}]}, seed=1)
