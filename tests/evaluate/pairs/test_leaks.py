"""Prompts that stand in another file."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.evaluate.pairs import leaks
from real_cli.evaluate.pairs.leaks import DigestSet, LeakSearch, PromptIndex, asked_words

THIRTEEN = "one two three four five six seven eight nine ten eleven twelve thirteen"
prompts = st.lists(st.lists(st.sampled_from("ab"), max_size=18).map(" ".join), max_size=6)


def search(ours, other):
    index = PromptIndex()
    for prompt in other:
        index.add(prompt)
    result = LeakSearch(index)
    for number, prompt in enumerate(ours):
        result.add(f"own:{number}", prompt)
    return result, result.summary([hash(str(prompt)) & (1 << 64) - 1 for prompt in ours])


def counts(ours, other):
    summary = search(ours, other)[1]
    return [summary[f"num_{name}_prompts"] for name in ("leaked", "leaked_normalized", "overlapping", "other")]


def test_three_ways_of_standing_in_the_other_file():
    """'Who?' as it is; 'who' once normalized; thirteen words within longer prompts; twelve of them are not enough."""
    ours = ["Who?", "who", f"Say {THIRTEEN}!", f"say, {THIRTEEN.rpartition(' ')[0]}.", "Where?"]
    assert counts(ours, ["Who?", f"Now count: {THIRTEEN.title()}, please."]) == [1, 2, 3, 2]


def test_words_of_two_prompts_are_no_run():
    """Seven words end one prompt and six begin the next."""
    split = THIRTEEN.split()
    assert counts([THIRTEEN + " more"], [" ".join(split[:7]), " ".join(split[7:])]) == [0, 0, 0, 2]
    assert counts([" ".join(split[:7]), " ".join(split[7:])], [THIRTEEN + " more"]) == [0, 0, 0, 1]


def test_a_prompt_of_fewer_words_is_compared_whole():
    assert counts(["two three"], ["one two three four"]) == [0, 0, 0, 1]


def test_a_repeated_prompt_leaks_once():
    summary = search(["Who?"] * 3 + ["Where?"], ["Who?"])[1]
    assert (summary["num_leaked_prompts"], summary["share_leaked_prompts"]) == (1, 0.5)
    assert summary["share_leaked_prompts_low"] < 0.5 < summary["share_leaked_prompts_high"]


@pytest.mark.parametrize(
    "prompt",
    [
        "\n\nHuman: Who?\n\nAssistant:",
        [{"role": "user", "content": "Who?"}],
        [{"role": "system", "content": THIRTEEN}, {"role": "user", "content": "Who?"}],
    ],
)
def test_roles_and_system_messages_do_not_count(prompt):
    assert asked_words(prompt) == ("Who?", ["who"])
    assert counts([prompt], ["Who?"]) == [1, 1, 1, 1]


def test_a_system_message_alone_is_what_there_is():
    assert asked_words([{"role": "system", "content": "Hi"}])[1] == ["hi"]


def test_a_word_and_a_colon_within_a_line_stay():
    assert asked_words("Ask the user: who")[1] == ["ask", "the", "user", "who"]


@given(prompts, prompts)
@settings(max_examples=100)
def test_the_runs_are_those_of_a_plain_search(ours, other):
    def runs(prompt):
        split = prompt.split()
        return {tuple(split[i : i + 13]) for i in range(len(split) - 12)}

    theirs = set().union(*map(runs, other))
    expected = {prompt for prompt in ours if prompt in other or runs(prompt) & theirs}
    assert counts(ours, other)[2] == len(expected)


def test_batches_and_compaction_change_nothing(monkeypatch):
    """Prompts are looked up in batches; each is of two here."""
    ours, other = [f"{THIRTEEN} {i}" for i in range(5)] + ["a", "b", "b"], [f"x {THIRTEEN}", "b", "c", "b", "d"]
    whole = search(ours, other)[1]
    monkeypatch.setattr(leaks, "BATCH_PROMPTS", 2)
    monkeypatch.setattr(leaks, "COMPACT_DIGESTS", 2)
    assert search(ours, other)[1] == whole
    assert (whole["num_overlapping_prompts"], whole["num_other_prompts"]) == (6, 4)


@given(st.lists(st.lists(st.integers(0, 9), max_size=5), max_size=4), st.lists(st.integers(0, 9), max_size=8))
@settings(max_examples=50)
def test_a_digest_set_is_a_set(parts, asked):
    held = DigestSet()
    for part in parts:
        held.add(np.array(part, dtype=np.uint64))
    expected = [number in set().union(*parts) for number in asked]
    assert held.contains(np.array(asked, dtype=np.uint64)).tolist() == expected


def test_nothing_against_nothing_has_no_share():
    summary = search([], [])[1]
    assert (summary["num_leaked_prompts"], summary["share_leaked_prompts"]) == (0, None)


def test_examples_say_how_they_stand_in_the_other_file():
    result, _ = search(["Where?", "who", "Who?"] + ["Who?"] * 9, ["Who?"])
    assert [row.place for row in result.excerpts] == [f"own:{number}" for number in (1, 2, 3, 4, 5)]
    assert [row.facts[0][1] for row in result.excerpts[:2]] == ["equal once normalized", "equal"]
    assert result.excerpts[0].prompt == "who"
