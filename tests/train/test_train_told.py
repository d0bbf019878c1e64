"""What `real train-dpo` says of the pairs, of the folder and of what is missing, and `real eval margin` after it."""

import json

import pytest

from real_cli.models.score.tokens import ExampleTokenizer
from real_cli.train.prepare import prepare
from real_cli.train.settings import TrainingSettings
from tests.train.training import located, run, train, with_everything

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
CUT = "2 pairs with a response that was cut when it was sampled, read as if it ended there"
KNOWN = "the policy was trained on these very pairs"


def with_cuts(rows):
    marks = [{"is_cut_chosen": True}, {"finish_reason_rejected": "length"}, {"is_cut_chosen": False}]
    return [row | mark for row, mark in zip(rows, [*marks, *[{}] * len(rows)], strict=False)]


def test_pairs_with_cut_responses_are_counted_and_told(tiny_policy, pair_rows, tmp_path):
    rows = with_cuts(pair_rows)
    _, messages = train(tiny_policy, tmp_path / "out", rows, "--max-steps", "1")
    assert CUT in messages
    measure = ["eval", "margin", "--policy", tmp_path / "out", "--reference", tiny_policy]
    (summary,), messages = run(*measure, rows=rows)
    assert summary["num_is_cut"] == 2
    assert CUT in messages
    (summary,), messages = run(*measure, rows=pair_rows)
    assert summary["num_is_cut"] == 0
    assert "cut when" not in messages


@pytest.mark.parametrize(("loss", "num_cut"), [("dpo", 0), ("tpo", 1)])
def test_a_reference_that_was_cut_counts_where_it_is_trained_on(loss, num_cut, tiny_policy, pair_rows, tmp_path):
    from transformers import AutoTokenizer

    rows = [row | {"reference_is_cut": number == 1} for number, row in enumerate(with_everything(pair_rows))]
    settings = TrainingSettings(loss=(loss,))
    tokenize = ExampleTokenizer(AutoTokenizer.from_pretrained(tiny_policy), 64)
    prepare(located(rows), settings.reader(), tokenize, tmp_path / "a.arrow", settings, use_given=False, refuse=print)
    assert tokenize.counts.num_is_cut == num_cut


def test_a_finished_model_that_is_replaced_is_told(tiny_policy, pair_rows, tmp_path):
    notes = f"real: {tmp_path / 'out'}: the finished model in it is removed, and this run's takes its place\n"
    words = [tiny_policy, tmp_path / "out", pair_rows, "--max-steps", "1"]
    _, messages = train(*words)
    assert notes not in messages
    _, messages = train(*words)
    assert notes in messages
    _, messages = train(*words, "--quiet")
    assert notes not in messages


def test_a_run_of_one_step_says_what_is_not_known_and_what_comes_next(tiny_policy, pair_rows, tmp_path):
    _, messages = train(tiny_policy, tmp_path / "out", pair_rows, "--max-steps", "1", "--warmup", "0.1")
    assert "real: one step at a rate of 0: how the margin moved is not known" in messages
    assert "real: warm-up takes 1 step and there is 1: the learning rate stays 0 of 0.001" in messages
    end = f"in 1 step: {tmp_path / 'out'}; next: real eval margin --policy {tmp_path / 'out'} --reference {tiny_policy}"
    assert end in messages


def test_pairs_that_a_policy_was_trained_on_are_known(tiny_policy, pair_rows, tmp_path):
    """So are they when the model was trained further, on others."""
    first, second = tmp_path / "first", tmp_path / "second"
    train(tiny_policy, first, pair_rows, "--max-steps", "1")
    train(first, second, pair_rows[:4], "--max-steps", "1")
    for policy, rows, is_known in [
        (first, pair_rows, True),
        (second, pair_rows, True),
        (second, pair_rows[:4], True),
        (first, pair_rows[:4], False),
        (tiny_policy, pair_rows, None),
    ]:
        (summary,), messages = run("eval", "margin", "--policy", policy, "--reference", tiny_policy, rows=rows)
        assert summary["is_trained_on"] is is_known
        assert any(note.startswith(KNOWN) for note in summary["notes"]) == bool(is_known)
        assert (KNOWN in messages) == bool(is_known)
    (summary,), messages = run("eval", "margin", "-p", tiny_policy, "-p", first, "-r", tiny_policy, rows=pair_rows)
    assert [row["is_trained_on"] for row in summary["policies"]] == [None, True]
    assert f"{first}: {KNOWN}" in messages


def test_rows_say_what_the_training_of_their_policy_took(tiny_policy, pair_rows, tmp_path):
    """As its manifest does; a policy without a manifest, or with an earlier version's, says nothing."""
    out, rows = tmp_path / "out", tmp_path / "rows"
    train(tiny_policy, out, pair_rows, "--max-steps", "2")
    measured = ["eval", "margin", "-p", out, "-p", tiny_policy, "-r", tiny_policy, "--rows", rows]
    run(*measured, rows=pair_rows)
    manifest = json.loads((out / "real.json").read_text())
    result = [json.loads(line) for line in rows.read_text().splitlines()]
    trained, other = result[0], result[-1]
    assert (trained["train_steps"], trained["train_pairs"]) == (2, len(pair_rows))
    assert {name: trained[name] for name in manifest["cost"]} == manifest["cost"]
    assert not {"train_steps", *manifest["cost"]} & set(other)
    (out / "real.json").write_text(json.dumps({key: value for key, value in manifest.items() if key != "cost"}))
    run(*measured, rows=pair_rows)
    assert "train_steps" not in json.loads(rows.read_text().splitlines()[0])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--policy", "smollm2"], "--output is needed: the folder to write"),
        (["-o", "out"], "--policy is needed: the model to train"),
        ([], "--policy and --output are needed: the model to train, and the folder to write"),
    ],
)
def test_only_what_is_missing_is_named(words, message):
    _, messages = run("train-dpo", *words, status=2)
    assert messages == f"real: {message}\n"
