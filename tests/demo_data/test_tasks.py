"""The demo's checks, its split and the files it ships."""

from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.demo_data import checks
from tests.demo_data.checks import Check
from tests.demo_data.prompts import WORDINGS
from tests.demo_data.tasks import PER_FAMILY, Task, score, tasks

DATA = Path(__file__).parents[2] / "real_cli" / "init" / "demo" / "data"
BULLETS = "- cheap\n- quick\n- healthy"

RIGHT: list[tuple[Check, str]] = [
    (checks.is_number, " 12.\n"),
    (checks.is_number, "-3"),
    (checks.is_lower, "rain falls, and 2 cats run."),
    (checks.is_upper, "KEEP OFF!"),
    (checks.one_line, "\na, b\n"),
    (checks.only_bullets, BULLETS),
    (checks.only_bullets, "* one\n\n  \u2022 two"),
    (checks.bullets(3), "Here you are:\n" + BULLETS),
    (checks.mentions("cat", "hat"), "The HAT, the cat."),
    (checks.in_order("ant", "bee", "cow"), "Ant, bee and cow. The bee is small."),
    (checks.equals("yes"), "Yes!"),
    (checks.equals("cold", "cool"), " cool."),
    (checks.word_count(2, 3), "don't go"),
    (checks.sentences(1), "Pi is 3.14 or so."),
    (checks.sentences(2), "Stop! Who is there?"),
    (checks.starts_with("My tip is"), '"My tip is: rest."'),
    (checks.ends_with("home"), "The dog ran home."),
    (checks.lacks(","), "no comma here"),
    (checks.items(3), "apple, ripe pear, plum."),
    (checks.wrapped("[", "]"), " [The Key]\n"),
]

WRONG: list[tuple[Check, str]] = [
    (checks.is_number, "12 apples"),
    (checks.is_number, ""),
    (checks.is_lower, "Rain falls"),
    (checks.is_lower, "12"),
    (checks.is_upper, "KEEP off"),
    (checks.one_line, "a\nb"),
    (checks.one_line, " \n"),
    (checks.only_bullets, "Sure:\n" + BULLETS),
    (checks.only_bullets, ""),
    (checks.only_bullets, "-5 degrees"),
    (checks.bullets(3), "- one\n- two"),
    (checks.bullets(3), "1. one\n2. two\n3. three"),
    (checks.mentions("cat"), "a catalog"),
    (checks.in_order("ant", "bee"), "bee, ant"),
    (checks.in_order("ant", "bee"), "only the ant"),
    (checks.equals("yes"), "yes, of course"),
    (checks.word_count(2, 3), "one"),
    (checks.word_count(2, 3), "one two three four"),
    (checks.sentences(1), "It was cut at the"),
    (checks.sentences(1), "One. Two."),
    (checks.starts_with("no"), "Nothing at all"),
    (checks.ends_with("home"), "Home is here."),
    (checks.ends_with("home"), ""),
    (checks.lacks(","), "yes, a comma"),
    (checks.lacks(","), " "),
    (checks.items(3), "apple, pear and plum"),
    (checks.items(2), "apple, "),
    (checks.items(2), "a fruit such as the apple, pear"),
    (checks.wrapped("[", "]"), "Title: [The Key]"),
    (checks.wrapped("[", "]"), "[]"),
]


@cache
def task_table() -> dict[str, Task]:
    """Give the tasks by id."""
    return {task.id: task for task in tasks()}


@cache
def shipped(name: str) -> list[dict[str, Any]]:
    """Read one of the shipped files."""
    return [orjson.loads(line) for line in (DATA / name).read_bytes().splitlines()]


@pytest.mark.parametrize(("check", "text"), RIGHT)
def test_check_takes_right_answers(check: Check, text: str) -> None:
    """A check holds for a text that keeps it."""
    assert check(text)


@pytest.mark.parametrize(("check", "text"), WRONG)
def test_check_refuses_wrong_answers(check: Check, text: str) -> None:
    """A check fails for a text that breaks it."""
    assert not check(text)


@pytest.mark.parametrize(
    ("task_id", "perfect", "partial", "expected"),
    [
        ("sort_words-005", "lion, rat, toad", "toad, lion, rat", 0.75),
        ("opposite-001", "Cold", "The opposite of hot is cold.", 0.25),
        ("yes_no-001", "yes", "No.", 0.5),
        ("lower_case-001", "rain is water from the sky.", "Rain is water from the sky.", 0.75),
        ("upper_case-001", "DANGER: THIN ICE!", "Danger: thin ice!", 0.75),
        ("bullets-001", BULLETS + " for most people", "1. cheap: yes", 0.0),
        ("end_word-001", "A dog wants to go home.", "The home of a dog is small.", 0.75),
        ("no_comma-001", "Leaves fall in autumn. The days get short.", "Leaves fall, days get short.", 0.25),
        ("start_phrase-001", "My tip is to go to bed early.", "Go to bed early every day of the week.", 0.75),
        ("comma_list-001", "apple, pear, plum", "1. apple\n2. pear\n3. plum", 0.25),
        ("keywords-001", "A lantern lit the river.", "The river was dark.", 0.5),
        ("brackets-001", "[The Lost Key]", "The Lost Key", 0.75),
        ("one_word-001", "Blue", "Blue is a color", 0.75),
    ],
)
def test_score(task_id: str, perfect: str, partial: str, expected: float) -> None:
    """A perfect answer scores 1, a lesser one the share of checks it keeps."""
    task = task_table()[task_id]
    assert score(task, perfect) == 1.0
    assert score(task, partial) == expected


def test_number_answers_match_the_prompt() -> None:
    """The right sum is the one answer to an addition that scores 1."""
    task = next(task for task in tasks() if "+" in task.prompt)
    first, second = (int(word.strip("?")) for word in task.prompt.split() if word.strip("?").isdigit())
    assert score(task, str(first + second)) == 1.0
    assert score(task, str(first + second + 1)) == 0.5


def test_tasks_are_the_same_every_time() -> None:
    """Two calls make the same prompts."""
    assert [(task.id, task.prompt) for task in tasks()] == [(task.id, task.prompt) for task in tasks()]


def test_tasks_are_distinct_and_complete() -> None:
    """Every family has its share of tasks, with no id or prompt twice and four checks each."""
    result = tasks()
    assert len(result) == len(WORDINGS) * PER_FAMILY
    assert len({task.id for task in result}) == len({task.prompt for task in result}) == len(result)
    assert {len(task.checks) for task in result} == {4}
    assert {task.family for task in result} == set(WORDINGS)


def test_split_has_every_family_on_both_sides() -> None:
    """A quarter of each family is held out."""
    for family in WORDINGS:
        members = [task for task in tasks() if task.family == family]
        assert sum(task.held_out for task in members) == PER_FAMILY // 4


def test_shipped_files_follow_the_split() -> None:
    """Each task is in exactly one file, the one that the split says, with its prompt."""
    train, held_out = shipped("candidates.jsonl"), shipped("heldout.jsonl")
    assert [row["id"] for row in train] == [task.id for task in tasks() if not task.held_out]
    assert [row["id"] for row in held_out] == [task.id for task in tasks() if task.held_out]
    for row in train + held_out:
        task = task_table()[row["id"]]
        assert row["family"] == task.family
        assert row["prompt"] == [{"role": "user", "content": task.prompt}]


def test_held_out_prompts_are_not_trained_on() -> None:
    """No prompt of the held-out file occurs among the training prompts."""
    train = {row["prompt"][0]["content"] for row in shipped("candidates.jsonl")}
    assert train.isdisjoint(row["prompt"][0]["content"] for row in shipped("heldout.jsonl"))


@pytest.mark.parametrize("name", ["candidates.jsonl", "heldout.jsonl"])
def test_shipped_scores_agree_with_the_checker(name: str) -> None:
    """Scoring every shipped response again gives the shipped score."""
    for row in shipped(name):
        assert list(row) == ["id", "family", "prompt", "responses"]
        assert len(row["responses"]) == 6
        for response in row["responses"]:
            assert list(response)[:3] == ["text", "score", "model"]
            assert response["text"] == response["text"].strip()
            assert response.get("truncated", True) is True
            assert response["score"] == score(task_table()[row["id"]], response["text"]), row["id"]


@pytest.mark.parametrize("name", ["candidates.jsonl", "heldout.jsonl"])
def test_most_prompts_have_differing_scores(name: str) -> None:
    """At least three quarters of the prompts can give a pair."""
    rows = shipped(name)
    differing = sum(len({response["score"] for response in row["responses"]}) > 1 for row in rows)
    assert differing >= 0.75 * len(rows)
