"""Writing systems of texts."""

import pytest

from real_cli.evaluate.pairs.script_tally import ScriptCount
from real_cli.text.scripts import main_script

ENGLISH, RUSSIAN = "The answer is given below", "Ответ приведён ниже, смотрите"


@pytest.mark.parametrize(
    ("text", "script"),
    [
        (ENGLISH, "Latin"),
        ("Où est la bibliothèque?", "Latin"),
        (RUSSIAN, "Cyrillic"),
        ("東京はどこにありますか、教えて", "Han and kana"),
        ("한국의 수도는 어디인가요 말해", "Hangul"),
        ("भारत की राजधानी कहाँ स्थित है", "Devanagari"),
        ("\uff26\uff35\uff2c\uff2c \uff37\uff29\uff24\uff34\uff28 \uff2c\uff25\uff34\uff34\uff25\uff32\uff33", "Latin"),
        (
            "\U0001d401\U0001d40e\U0001d40b\U0001d403 \U0001d40b\U0001d404\U0001d413\U0001d413\U0001d404\U0001d411",
            "Latin",
        ),
        ("αβγδεζηθικ", "Greek"),
        ("αβγδεζηθι", None),
        ("abcdefghij", "Latin"),
        ("abcdefghi 123456789", None),
        ("", None),
        ("αβγδε абвгд", "Cyrillic"),  # five of each: the first in the alphabet
        ("я" * 2000 + "a" * 5000, "Cyrillic"),
    ],
)
def test_the_main_script(text, script):
    assert main_script(text) == script


def summary_of(*rows, labeled=True):
    count = ScriptCount()
    for prompt, *texts in rows:
        count.add(prompt, tuple(texts), labeled=labeled)
    return count.summary(range(len(rows)))


def test_pairs_that_mix_scripts():
    """English prompts, with: both English; chosen Russian; rejected Russian, twice; both Russian; a number and Russian.
    Then a prompt of too few letters, which cannot tell."""
    rows = [(ENGLISH, ENGLISH), (RUSSIAN, ENGLISH), (ENGLISH, RUSSIAN), (ENGLISH, RUSSIAN), (RUSSIAN, RUSSIAN)]
    summary = summary_of(*((ENGLISH, *row) for row in (*rows, ("42", RUSSIAN))), ("2+2", ENGLISH, RUSSIAN))
    names = ("num_script_pairs", "num_mixed_script", "num_chosen_other_script", "num_rejected_other_script")
    assert [summary[name] for name in names] == [6, 5, 1, 3]
    assert (summary["share_mixed_script"], summary["share_other_script_chosen"]) == (5 / 6, 1 / 4)


def test_the_table_counts_texts():
    """Six texts: two English prompts, one Russian and three English responses."""
    assert summary_of((ENGLISH, ENGLISH, RUSSIAN), (ENGLISH, ENGLISH, ENGLISH))["scripts"] == [
        {"script": "Latin", "num_prompts": 2, "num_responses": 3, "share_of_texts": 5 / 6},
        {"script": "Cyrillic", "num_prompts": 0, "num_responses": 1, "share_of_texts": 1 / 6},
    ]


def test_unlabeled_pairs_have_no_odd_chosen_one():
    summary = summary_of((ENGLISH, RUSSIAN, ENGLISH), labeled=False)
    assert (summary["num_mixed_script"], summary["num_chosen_other_script"]) == (1, 0)
    assert summary["share_other_script_chosen"] is None


def test_nothing_is_an_empty_table():
    summary = summary_of()
    assert (summary["scripts"], summary["share_mixed_script"]) == ([], None)


def test_pairs_of_one_prompt_are_no_trials():
    """Eleven of one prompt have no interval; of eleven prompts they have Wilson's."""
    for prompts, has_interval in (([7] * 11, False), (range(11), True)):
        count = ScriptCount()
        for number in range(11):
            count.add(ENGLISH, (RUSSIAN, ENGLISH) if number % 2 else (ENGLISH, RUSSIAN), labeled=True)
        summary = count.summary(prompts)
        for name in ("share_mixed_script", "share_other_script_chosen"):
            assert (summary[f"{name}_low"] is not None) is has_interval
