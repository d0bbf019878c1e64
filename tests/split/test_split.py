"""`real split`: no prompt is on both sides, whatever the layout, the order, or the way it is written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.split.sides import question_of

LAYOUTS = {
    "pair": lambda ask: {"prompt": ask, "chosen": "a", "rejected": "b"},
    "implicit": lambda ask: {
        "chosen": [{"role": "user", "content": ask}, {"role": "assistant", "content": "a"}],
        "rejected": [{"role": "user", "content": ask}, {"role": "assistant", "content": "b"}],
    },
    "distilabel": lambda ask: {"instruction": ask, "generations": ["a", "b"], "ratings": [2, 1]},
    "flat": lambda ask: {"prompt": ask, "response": "a", "score": 1},
    "prompt": lambda ask: {"prompt": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": ask}]},
    "dialogue": lambda ask: {
        "messages": [
            {"role": "user", "content": ask},
            {"role": "assistant", "content": "a"},
            {"role": "user", "content": "No."},
            {"role": "assistant", "content": "b"},
        ]
    },
}


def lines_of(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def split(data, *words, status=0):
    """Run it on lines; returns the records and standard error."""
    result = CliRunner().invoke(app, ["split", *words], input=data, prog_name="real")
    assert result.exit_code == status, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def both(data, *words):
    """The two sides."""
    return split(data, *words)[0], split(data, *words, "--part", "heldout")[0]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_record_is_on_one_side_as_it_stands(layout):
    """In its order, field by field; a share of the questions is held out."""
    rows = [LAYOUTS[layout](f"Question {number % 20}?") | {"id": number} for number in range(40)]
    train, held = both(lines_of(rows), "--heldout", "25%")
    assert len({question_of(row) for row in held}) == 5
    assert [row["id"] for row in train] == sorted(row["id"] for row in train)
    assert sorted([*train, *held], key=lambda row: row["id"]) == rows
    assert not {question_of(row) for row in train} & {question_of(row) for row in held}


def test_a_prompt_is_on_the_same_side_in_every_layout_and_order():
    """So that data of two sources are split alike; a prompt more moves no others but at the border."""
    asks = [f"Question {number}?" for number in range(30)]
    sides = []
    for make in LAYOUTS.values():
        _, held = both(lines_of(map(make, reversed(asks))), "--heldout", "20%")
        sides.append({question_of(row) for row in held})
    assert len(sides[0]) == 6
    assert all(side == sides[0] for side in sides)
    _, more = both(lines_of(LAYOUTS["pair"](ask) for ask in [*asks, "One more?"]), "--heldout", "20%")
    assert len({question_of(row) for row in more} ^ sides[0]) <= 2


@pytest.mark.parametrize("other", ["what IS  it?", "\uff37hat is it?", " What is it?\n"])
def test_ways_to_write_a_prompt_stay_together(other):
    """Case, width, spaces; the two are one question, which leaves nothing to hold out."""
    rows = [LAYOUTS["pair"](ask) for ask in ("What is it?", other)]
    train, notes = split(lines_of(rows), "--heldout", "50%")
    assert len(train) == 2
    assert "0 of 1 prompt held out" in notes


def test_sums_that_differ_in_a_sign_are_two_questions():
    """Punctuation counts."""
    train, held = both(lines_of(LAYOUTS["pair"](ask) for ask in ("3 + 4", "3 - 4")), "--heldout", "50%")
    assert len(train) == len(held) == 1


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.integers(1, 99))
def test_the_share_is_kept_and_each_side_has_some(numbers, percent):
    """Rounded down, of the distinct prompts."""
    rows = [LAYOUTS["pair"](f"Question {number}?") for number in numbers]
    num_prompts = len(set(numbers))
    train, _ = split(lines_of(rows), "--heldout", f"{percent}%")
    num_held = num_prompts - len({row["prompt"] for row in train})
    assert num_held == min(max(num_prompts * percent // 100, 1), num_prompts - 1)


def test_another_seed_holds_others_out():
    """And the same one the same."""
    data = lines_of(LAYOUTS["pair"](f"Question {number}?") for number in range(40))
    sides = [both(data, "--heldout", "25%", "--seed", seed)[1] for seed in ("0", "0", "1")]
    assert sides[0] == sides[1] != sides[2]


def test_a_file_of_any_layout_says_what_is_held_out(tmp_path):
    """The two sides of the records; what the file has beside them is nowhere."""
    (tmp_path / "held.jsonl").write_text(lines_of(LAYOUTS["distilabel"](f"question {n}?") for n in (1, 3, 99)))
    data = lines_of(LAYOUTS["pair"](f"Question {number}?") for number in range(5))
    train, held = both(data, "--heldout", str(tmp_path / "held.jsonl"))
    assert [row["prompt"] for row in train] == ["Question 0?", "Question 2?", "Question 4?"]
    assert [row["prompt"] for row in held] == ["Question 1?", "Question 3?"]


def test_prompts_alone_are_written_once():
    """Without responses and what is said of them; repeats are counted."""
    rows = [LAYOUTS["pair"](f"Question {n % 5}?") | {"score_chosen": 2, "score_rejected": 1, "id": n} for n in range(9)]
    prompts, notes = split(lines_of(rows), "--heldout", "20%", "--emit", "prompts")
    assert len(prompts) == 4
    assert all(set(row) == {"prompt", "id"} for row in prompts)
    assert "left out: " in notes
    assert "repeated prompts" in notes


def test_the_first_of_a_side(tmp_path):
    """Those of the whole side, from its beginning; of a file too."""
    data = lines_of(LAYOUTS["pair"](f"Question {number}?") for number in range(20))
    whole, _ = split(data, "--heldout", "25%")
    assert split(data, "--heldout", "25%", "--first", "3")[0] == whole[:3]
    (tmp_path / "held.jsonl").write_text(lines_of([LAYOUTS["pair"]("Question 0?")]))
    assert len(split(data, "--heldout", str(tmp_path / "held.jsonl"), "--first", "3")[0]) == 3


@pytest.mark.parametrize("share", ["0%", "-5%", "101%", "x%", "%", "1/0%", "nan%"])
def test_a_share_that_is_none_is_a_mistake_on_the_command_line(share):
    """One line that says what there may be."""
    _, notes = split("", f"--heldout={share}", status=2)
    assert notes == (
        f"real: --heldout '{share}': give a share above 0% and up to 100%, as 10%, or the name of a file\n"
    )


def test_a_side_that_is_empty_is_told(tmp_path):
    """It would be found out stages later."""
    data = lines_of(LAYOUTS["pair"](ask) for ask in ("a", "b"))
    assert split(data, "--heldout", "100%", "--part", "heldout")[0] == [json.loads(line) for line in data.splitlines()]
    assert "every prompt is held out" in split(data, "--heldout", "100%", status=1)[1]
    assert "all records ask the same" in split(data[: len(data) // 2], "--heldout=9%", "--part=heldout", status=1)[1]
    (tmp_path / "held.jsonl").write_text(lines_of([LAYOUTS["pair"]("c")]))
    words = ("--heldout", str(tmp_path / "held.jsonl"), "--part", "heldout")
    assert "none of its prompts is among the records" in split(data, *words, status=1)[1]


def test_a_record_without_a_prompt_is_refused_by_its_place():
    """As everywhere."""
    _, notes = split('{"prompt": "a"}\n{"text": "b"}\n', "--heldout", "10%", status=1)
    assert notes.startswith("real: <stdin>:2: no known layout has the fields ['text']")
