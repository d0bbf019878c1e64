"""`real relabel human` as a person sees it: driven through a pseudo-terminal."""

import json
import signal
import subprocess
import sys
import termios

import pytest

from real_cli.relabel.human.choices import Shown
from real_cli.relabel.human.pair import make_question
from real_cli.relabel.human.questionnaire import HELP
from tests.relabel.human.terminals import Session


def pair(number, **more):
    return {
        "id": number,
        "prompt": f"prompt {number}",
        "responses": [{"text": f"first {number}"}, {"text": f"second {number}"}],
        **more,
    }


def lines(*records):
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def key_of(record, verdict, seed=0):
    """The key to type for a verdict in the record's own order."""
    swapped = make_question(record, seed).shown is Shown.swapped
    return {"first": "ab"[swapped], "second": "ba"[swapped], "tie": "t", "skip": "s"}[verdict]


@pytest.fixture
def start(tmp_path):
    sessions = []

    def of(*words, **settings):
        sessions.append(Session(*words, cwd=tmp_path, **settings))
        return sessions[-1]

    yield of
    for session in sessions:
        session.close()


@pytest.fixture
def journal(tmp_path):
    return lambda: [json.loads(line) for line in (tmp_path / "j").read_bytes().splitlines()]


WORDS = ("--journal", "j")
GOES_ON = "has every answer; run the same command again to go on"
DOUBT = "unless the next command was stopped too"


def test_labels_tie_skip_and_note_arrive_in_the_record_s_own_order(start, journal, tmp_path):
    records = [pair(number) for number in range(5)]
    session = start(*WORDS, "--rejects", "r", data=lines(*records))
    session.wait_for("prompt 0", "first 0", "second 0")
    session.type(key_of(records[0], "first"), "prompt 1", "1 of 5 · ", "left")
    session.type(key_of(records[1], "second"), "prompt 2")
    session.type("t", "prompt 3")
    session.type("s", "prompt 4")
    session.type("nso so\x7f\x7füß", "note: so üß_")
    session.type("\r", "note: so üß", without=["üß_"])
    session.type(key_of(records[4], "second"))
    labeled, errors, status = session.end()
    assert status == 0
    assert [(row["id"], row["chosen"], row["rejected"]) for row in labeled] == [
        (0, "first 0", "second 0"),
        (1, "second 1", "first 1"),
        (4, "second 4", "first 4"),
    ]
    assert [row["annotation"]["verdict"] for row in labeled] == ["first", "second", "second"]
    assert labeled[2]["annotation"]["note"] == "so üß"
    assert labeled[0]["annotation"]["seconds"] >= 0
    assert errors == "real: 5 of 5 answered: 3 pairs; j has every answer; left out: 1 skipped, 1 tie\n"
    kept = [json.loads(line) for line in (tmp_path / "r").read_bytes().splitlines()]
    assert [(row["place"], row["reason"]) for row in kept] == [("<stdin>:3", "tie"), ("<stdin>:4", "skipped")]
    assert [line["verdict"] for line in journal()] == ["first", "second", "tie", "skip", "second"]
    assert {line["seed"] for line in journal()} == {0}


def test_both_orders_occur_and_arrows_and_digits_answer_too(start):
    records = [pair(number) for number in range(6)]
    assert {make_question(record, 0).shown for record in records} == set(Shown)
    session = start(*WORDS, data=lines(*records))
    for number, key in enumerate(["1", "2", "\x1b[D", "\x1b[C", "\x1bOD", "b"]):
        session.wait_for(f"prompt {number}")
        session.type(key)
    labeled, _, _ = session.end()
    picked = "ABABAB"
    for record, row, letter in zip(records, labeled, picked, strict=True):
        left_is_first = make_question(record, 0).shown is Shown.as_is
        wanted = "first" if left_is_first == (letter == "A") else "second"
        assert row["chosen"].split()[0] == row["annotation"]["verdict"] == wanted


def test_back_changes_an_answer_and_enter_keeps_one(start, journal):
    records = [pair(number) for number in range(3)]
    session = start(*WORDS, data=lines(*records))
    session.wait_for("prompt 0")
    session.type("u", "nothing to go back to")
    session.type(key_of(records[0], "first"), "prompt 1")
    session.type(key_of(records[1], "first"), "prompt 2")
    session.type("u", "prompt 1", f"your answer: {key_of(records[1], 'first').upper()}")
    session.type("\x7f", "prompt 0", "your answer")
    session.type(key_of(records[0], "second"), "prompt 1", "your answer")
    session.type("\r", "prompt 2", without=["your answer"])
    session.type(key_of(records[2], "first"))
    labeled, _, _ = session.end()
    assert [row["annotation"]["verdict"] for row in labeled] == ["second", "first", "first"]
    assert [line["verdict"] for line in journal()] == ["first", "first", "second", "first"]


def test_what_is_pasted_into_a_note_answers_nothing(start, journal):
    session = start(*WORDS, data=lines(pair(0)))
    session.wait_for("prompt 0")
    session.type("n\x1b[200~see line one\nbad answer\x1b[201~", "note: see line one bad answer_")
    session.type("\r", "note: see line one bad answer", without=["answer_"])
    session.type(key_of(pair(0), "first"))
    (labeled,), _, status = session.end()
    assert (status, labeled["chosen"], labeled["annotation"]["note"]) == (0, "first 0", "see line one bad answer")
    assert len(journal()) == 1


def test_a_paste_without_marks_ends_with_the_note(start, journal):
    session = start(*WORDS, data=lines(pair(0)))
    session.wait_for("prompt 0")
    session.type("nsee line one\nb", "note: see line one", without=["one_"])
    assert journal() == []
    session.type("q")
    assert session.end()[2] == 130


def test_what_is_pasted_where_an_answer_is_expected_is_none(start, journal):
    session = start(*WORDS, data=lines(pair(0)))
    session.wait_for("prompt 0")
    session.type("\x1b[200~a\nb\x1b[201~n", "note: _")
    assert journal() == []
    session.type("\x1b", without=["note:"])
    session.type("q")
    assert session.end()[2] == 130


def test_a_note_added_to_an_earlier_answer_is_kept_with_it(start, journal):
    """The screen shows answer and note together; Enter keeps both."""
    records = [pair(number) for number in range(2)]
    session = start(*WORDS, data=lines(*records))
    session.wait_for("prompt 0")
    session.type(key_of(records[0], "first"), "prompt 1")
    session.type("u", "prompt 0", "your answer")
    session.type("nhi", "note: hi_")
    session.type("\r", "your answer", "note: hi", without=["hi_"])
    session.type("\r", "prompt 1", without=["your answer"])
    session.type(key_of(records[1], "first"))
    labeled, _, _ = session.end()
    assert [row["annotation"].get("note") for row in labeled] == ["hi", None]
    assert [(line["verdict"], line.get("note")) for line in journal()] == [
        ("first", None),
        ("first", "hi"),
        ("first", None),
    ]


def test_a_pause_keeps_what_is_answered_and_the_same_command_asks_only_the_rest(start, tmp_path):
    records = [pair(number) for number in range(4)]
    (tmp_path / "in.jsonl").write_bytes(lines(*records))
    words = ["-o", "out.jsonl", "in.jsonl"]
    session = start(*words)
    session.wait_for("prompt 0")
    session.type(key_of(records[0], "second"), "prompt 1", "1 of 4 · ")
    session.type("s", "prompt 2")
    session.type("q")
    _, errors, status = session.end()
    assert (status, errors) == (
        130,
        "real: paused, 2 of 4 answered: 1 pair, 1 skipped; "
        "out.jsonl.journal has every answer; run the same command again to go on\n",
    )
    assert not (tmp_path / "out.jsonl").exists()
    assert termios.tcgetattr(session.slave) == session.settings
    assert session.raw.endswith(b"\x1b[?1049l")

    session = start(*words)
    session.wait_for("prompt 2", "2 of 4")
    session.type(key_of(records[2], "first"), "prompt 3")
    session.type(key_of(records[3], "second"))
    _, errors, status = session.end()
    assert status == 0
    assert errors == (
        "real: 4 of 4 answered: 3 pairs; out.jsonl.journal has every answer; "
        "next: real train-dpo --policy MODEL -o FOLDER out.jsonl; left out: 1 skipped\n"
    )
    labeled = [json.loads(line) for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    assert [(row["id"], row["annotation"]["verdict"]) for row in labeled] == [
        (0, "second"),
        (2, "first"),
        (3, "second"),
    ]


def test_a_pair_that_the_journal_answers_needs_no_terminal(start, tmp_path):
    record = pair(1)
    session = start(*WORDS, data=lines(record))
    session.wait_for("prompt 1")
    session.type(key_of(record, "second"))
    labeled, _, _ = session.end()
    words = [sys.executable, "-m", "real_cli", "relabel", "human", *WORDS]
    done = subprocess.run(words, input=lines(record, record), capture_output=True, cwd=tmp_path, start_new_session=True)
    assert [json.loads(line) for line in done.stdout.splitlines()] == labeled * 2
    assert (done.stderr, done.returncode) == (b"real: 2 of 2 answered: 2 pairs; j has every answer\n", 0)


def test_without_a_terminal_the_way_out_is_named(tmp_path):
    words = [sys.executable, "-m", "real_cli", "relabel", "human", *WORDS]
    done = subprocess.run(words, input=lines(pair(1)), capture_output=True, cwd=tmp_path, start_new_session=True)
    assert done.returncode == 1
    assert done.stderr.startswith(b"real: no terminal to ask on (/dev/tty: ")
    assert done.stderr.endswith(b"; --export writes files for other tools\n")
    assert done.stderr.count(b"\n") == 1


def test_a_killed_run_loses_nothing(start, journal, tmp_path):
    records = [pair(number) for number in range(3)]
    session = start(*WORDS, data=lines(*records))
    session.wait_for("prompt 0")
    session.type(key_of(records[0], "first"), "prompt 1")
    session.process.send_signal(signal.SIGKILL)
    session.end()
    assert len(journal()) == 1
    with (tmp_path / "j").open("ab") as file:
        file.write(b'{"version":1,"key":"to')  # what a crash of the machine may leave
    session = start(*WORDS, data=lines(*records))
    session.wait_for("prompt 1", "1 of 3")
    session.type("s", "prompt 2")
    session.type("s")
    labeled, _, status = session.end()
    assert (status, [row["chosen"] for row in labeled]) == (0, ["first 0"])
    assert len(journal()) == 3


def test_ctrl_c_writes_what_is_answered_and_exits_130(start):
    session = start(*WORDS, data=lines(pair(0), pair(1)))
    session.wait_for("prompt 0")
    session.type(key_of(pair(0), "first"), "prompt 1")
    session.type("\x03")
    labeled, errors, status = session.end()
    assert (status, len(labeled)) == (130, 1)
    assert errors == (
        f"real: interrupted, 1 of 2 answered: 1 pair handed on, {DOUBT}; j {GOES_ON}; left out: 1 unanswered\n"
    )
    assert session.raw.endswith(b"\x1b[?1049l")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["SIGTERM", "SIGHUP"])
def test_a_signal_restores_the_terminal_says_how_to_go_on_and_exits_143(start, journal, number, tmp_path):
    records = [pair(0), pair(1)]
    session = start("-o", "out", "--journal", "j", data=lines(*records))
    session.wait_for("prompt 0")
    session.type(key_of(records[0], "first"), "prompt 1")
    session.process.send_signal(number)
    _, errors, status = session.end()
    cause = "terminated" if number == signal.SIGTERM else "the terminal was closed"
    assert errors == f"real: {cause}, 1 of 2 answered: 1 pair; j {GOES_ON}\n"
    assert status == 143
    assert not (tmp_path / "out").exists()
    assert termios.tcgetattr(session.slave) == session.settings
    assert session.raw.endswith(b"\x1b[?1049l")
    assert len(journal()) == 1


def test_sigterm_hands_on_in_a_pipe_what_is_answered(start):
    records = [pair(0), pair(1)]
    session = start(*WORDS, data=lines(*records))
    session.wait_for("prompt 0")
    session.type(key_of(records[0], "first"), "prompt 1")
    session.process.send_signal(signal.SIGTERM)
    labeled, errors, status = session.end()
    assert (status, [row["chosen"] for row in labeled]) == (143, ["first 0"])
    assert errors.startswith(f"real: terminated, 1 of 2 answered: 1 pair handed on, {DOUBT}; j {GOES_ON}")


def test_a_closed_terminal_writes_no_part_of_the_output_and_says_how_to_go_on(start, journal, tmp_path):
    records = [pair(0), pair(1)]
    session = start("-o", "out", "--quiet", "--journal", "j", data=lines(*records))
    session.wait_for("prompt 0")
    session.type(key_of(records[0], "first"), "prompt 1")
    session.hang_up()
    _, errors, status = session.end()
    assert status == 143
    assert errors == (f"real: the terminal was closed, 1 of 2 answered: 1 pair; j {GOES_ON}\n")
    assert not (tmp_path / "out").exists()
    assert len(journal()) == 1


def test_hangups_that_come_late_do_not_stop_the_writing(start):
    """The terminal reports its end twice: as an end of file, and as a signal that may come after it."""
    session = start(*WORDS, data=lines(pair(0), pair(1)))
    session.wait_for("prompt 0")
    session.type("a", "prompt 1")
    session.hang_up()
    while session.process.poll() is None:
        session.process.send_signal(signal.SIGHUP)
    labeled, _, status = session.end()
    assert (status, len(labeled)) == (143, 1)


def test_wide_windows_show_the_responses_side_by_side_and_narrow_ones_stacked(start):
    session = start(*WORDS, data=lines(pair(0)))
    stacked = session.wait_for("first 0", "second 0").splitlines()
    (at,) = [number for number, line in enumerate(stacked) if "first 0" in line]
    assert "second 0" not in stacked[at]
    assert len(session.screen.display) == 24
    session.resize(120, 40)
    session.wait_for("│")
    (row,) = [line for line in session.screen.display if "first 0" in line]
    assert "second 0" in row
    assert row[58:61] == " │ "
    assert "q pause" in session.screen.display[39]
    session.resize(80, 24)
    session.wait_for("\n".join(stacked[at - 2 : at + 4]), "q pause", without=["│"])
    session.type("q")
    assert session.end()[2] == 130


def test_words_that_differ_are_underlined_and_others_are_not(start):
    record = {"prompt": "q", "responses": [{"text": "the cat sat"}, {"text": "the dog sat"}]}
    session = start(*WORDS, data=lines(record))
    session.wait_for("the cat sat", "the dog sat")
    marked = "".join(
        session.screen.buffer[y][x].data
        for y in range(1, 22)
        for x in range(80)
        if session.screen.buffer[y][x].underscore
    )
    assert sorted([marked[:3], marked[3:]]) == ["cat", "dog"]


def test_long_texts_scroll_and_say_that_there_is_more(start):
    long = "\n".join(f"line {number}" for number in range(60))
    record = {"prompt": "q", "responses": [{"text": long}, {"text": "short"}]}
    session = start(*WORDS, data=lines(record))
    session.wait_for("more below")
    session.type("\x1b[F", "line 59", "more above", without=["more below", "Prompt"])
    session.type("\x1b[H", "Prompt", "more below: 46 rows")
    session.type("j", "Prompt", "more below: 45 rows")
    session.type("k", "more below: 46 rows")
    session.type("\x1b[6~", "── B", "more below: 26 rows", without=["Prompt"])
    session.type("\x1b[5~", "Prompt")
    session.type("\t", "── A", without=["Prompt"])
    session.type("\t", "── B", without=["Prompt", "── A"])
    session.type("\t", "Prompt")
    session.type("?", "a tie: neither is better")
    for keys, meaning in HELP:  # none is cut at 80 columns
        assert f"{keys:16}{meaning}\n" in session.text
    session.type("?", "Prompt", without=["a tie: neither"])
    session.type("q")
    session.end()


def test_nothing_in_a_record_reaches_the_terminal_as_a_command(start):
    """An escape sequence could retitle the window, answer for the person, or write into the shell's input."""
    evil = "\x1b]0;owned\x07\x1b[2J\x9b31m\x1bP+q\x1b\\ \x00 \u202e end"
    record = {
        "prompt": [{"role": "us\x1b[5mer", "content": f"ask {evil}"}],
        "responses": [{"text": f"one {evil}"}, {"text": f"two {evil}"}],
    }
    session = start(*WORDS, data=lines(record))
    session.wait_for("one", "two", "ask", "end")
    shown = session.raw.decode()
    for forbidden in ("\x1b]", "\x07", "\x1b[2J", "\x9b", "\x1bP", "\x00", "\u202e", "\x1b[5m"):
        assert forbidden not in shown
    assert "␛]0;owned␇␛[2J" in session.text
    assert session.screen.title == ""


def test_wide_characters_keep_the_columns_apart(start):
    record = {"prompt": "問", "responses": [{"text": "日本語" * 40}, {"text": "中文" * 40}]}
    session = start(*WORDS, columns=100, data=lines(record))
    session.wait_for("日", "中", "│")
    rows = [y for y in range(24) if "日" in session.screen.display[y]]
    assert len(rows) >= 3
    for y in rows:
        assert session.screen.buffer[y][49].data == "│"


def test_a_conversation_is_shown_as_turns_with_roles(start):
    prompt = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]
    record = {
        "prompt": prompt,
        "chosen": [{"role": "assistant", "content": "Yes"}],
        "rejected": [{"role": "assistant", "content": "No"}],
        "score_chosen": 1,
        "score_rejected": 9,
    }
    session = start(*WORDS, data=lines(record))
    session.wait_for("system: Be kind.", "user: Hi", "Yes", "No", without=["assistant"])
    session.type(key_of(record, "second"))
    (row,), _, _ = session.end()
    assert (row["chosen"][0]["content"], row["score_chosen"], row["score_rejected"]) == ("No", 9, 1)


def test_questions_appear_as_data_come_and_one_can_go_back_or_quit_meanwhile(start):
    session = start(*WORDS)
    session.process.stdin.write(lines(pair(0)))
    session.process.stdin.flush()
    session.wait_for("prompt 0", "0 done")
    session.type(key_of(pair(0), "first"), "waiting for the next pair")
    session.type("u", "prompt 0", "your answer")
    session.type(key_of(pair(0), "second"), "waiting for the next pair")
    session.process.stdin.write(lines(pair(1)))
    session.process.stdin.flush()
    session.wait_for("prompt 1")
    session.type("a", "waiting for the next pair", "2 done")
    session.type("q")
    labeled, errors, status = session.end()
    assert status == 130
    assert labeled[0]["chosen"] == "second 0"
    assert errors == (f"real: paused, 2 of at least 2 answered: 2 pairs handed on; j {GOES_ON}\n")


def test_keys_typed_before_a_question_is_shown_do_not_answer_it(start, journal):
    session = start(*WORDS)
    session.process.stdin.write(lines(pair(0)))
    session.process.stdin.flush()
    session.wait_for("prompt 0")
    session.type("a", "waiting for the next pair")
    session.type("aaa")
    session.process.stdin.write(lines(pair(1), pair(2)))
    session.process.stdin.flush()
    session.wait_for("prompt 1", "1 done")
    session.type("q")
    session.end()
    assert len(journal()) == 1


def test_answers_leave_the_window_while_the_session_goes_on_and_head_ends_it_quietly(start):
    """The 21st answer releases the first pair; `| head -1` has then seen enough."""
    session = start(*WORDS, data=lines(*[pair(number) for number in range(30)]))
    session.wait_for("prompt 0")
    for number in range(21):
        session.type("t" if number % 2 else "a", f"prompt {number + 1}\n")
    assert json.loads(session.process.stdout.readline())["id"] == 0
    session.process.stdout.close()
    session.type("a", "prompt 22\n")
    session.type("a")
    _, errors, status = session.end()
    assert (status, errors) == (0, "")
    assert session.raw.endswith(b"\x1b[?1049l")


def test_repeated_questions_come_in_the_other_order_and_tell_agreement(start, journal):
    records = [pair(number) for number in range(2)]
    session = start(*WORDS, "--repeat", "100%", data=lines(*records))
    session.wait_for("prompt 0", "0 of 4")
    session.type("a", "prompt 1")
    session.type("a", "prompt 0", "2 of 4 · ")
    session.type("b", "prompt 1", "3 of 4")  # the other order: the same verdict
    session.type("a")
    labeled, errors, status = session.end()
    assert (status, errors) == (
        0,
        "real: 4 of 4 answered: 2 pairs; j has every answer; agreement with yourself 1/2\n",
    )
    first, second, *repeats = journal()
    assert [line.get("repeat") for line in repeats] == [True, True]
    assert repeats[0]["verdict"] == first["verdict"]
    assert repeats[1]["verdict"] != second["verdict"]
    assert [line["shown"] != again["shown"] for line, again in zip((first, second), repeats, strict=True)] == [True] * 2
    assert [row["annotation"]["verdict"] for row in labeled] == [first["verdict"], second["verdict"]]


def test_a_stopped_run_gives_the_terminal_back_and_draws_again_when_it_goes_on(start, tmp_path):
    """Ctrl-Z: a shell with job control stands between, or the kernel would not stop the run."""
    first = f"{sys.executable} -m real_cli relabel human -o out in.jsonl"
    shell = f"{first}; echo stopped > /dev/tty; read go < /dev/tty; fg %1 > /dev/null"
    (tmp_path / "in.jsonl").write_bytes(lines(pair(0)))
    session = start(program=["bash", "--norc", "-i", "-c", shell])
    session.wait_for("prompt 0")
    session.type("\x1a", "stopped")
    assert b"\x1b[?1049l" in session.raw
    session.screen.reset()  # it has no alternate screen of its own
    assert termios.tcgetattr(session.slave)[3] & termios.ICANON
    session.type("\r", "prompt 0")
    session.type(key_of(pair(0), "first"))
    session.end()
    assert json.loads((tmp_path / "out").read_bytes())["chosen"] == "first 0"


def test_records_that_go_to_the_terminal_wait_until_the_screen_is_gone(start):
    records = [pair(number) for number in range(22)]
    session = start(*WORDS, data=lines(*records), shows_output=True)
    session.wait_for("prompt 0")
    for number in range(21):
        session.type("a", f"prompt {number + 1}\n")
    session.type("q")
    assert session.end()[2] == 130
    screen, _, after = session.raw.partition(b"\x1b[?1049l")
    assert b'"annotation"' not in screen
    assert [json.loads(line)["id"] for line in after.splitlines()] == list(range(21))


def test_a_broken_record_is_told_when_its_turn_comes_and_the_answers_are_kept(start, journal):
    """Reading runs ahead: what is wrong with the third line must not stop the first two from being asked."""
    session = start(*WORDS, data=lines(pair(0), pair(1)) + b"{\n")
    session.wait_for("prompt 0")
    session.type("a", "prompt 1")
    session.type("b")
    _, errors, status = session.end()
    assert status == 1
    assert errors.startswith("real: <stdin>:3: a JSON object that spans lines; ")
    assert errors.count("\n") == 1
    assert session.raw.endswith(b"\x1b[?1049l")
    assert len(journal()) == 2


def test_a_rest_that_is_at_hand_is_read_after_quitting_for_what_the_journal_answers(start, tmp_path):
    (tmp_path / "last.jsonl").write_bytes(lines(pair(2)))
    (tmp_path / "all.jsonl").write_bytes(lines(*[pair(number) for number in range(3)]))
    session = start(*WORDS, "last.jsonl")
    session.wait_for("prompt 2")
    session.type(key_of(pair(2), "second"))
    session.end()
    session = start(*WORDS, "all.jsonl")
    session.wait_for("prompt 0")
    session.type("q")
    labeled, errors, _ = session.end()
    assert [row["chosen"] for row in labeled] == ["second 2"]
    assert errors.endswith("; left out: 2 unanswered\n")


@pytest.mark.parametrize("size", [(20, 3), (1, 1), (300, 5)])
def test_windows_of_any_size_are_filled_and_not_more(start, size):
    session = start(*WORDS, columns=size[0], lines=size[1], data=lines(pair(0)))
    session.wait_for("0")
    session.type("q")
    assert session.end()[2] == 130
