"""Every objective from JSONL to a checkpoint, and the options that only some of them read."""

import csv
import json
import os

import pytest

from real_cli.train.losses import OBJECTIVES
from real_cli.train.objective import Need, Objective
from tests.train.training import FAST, run, train, with_everything

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

# sft knows no rejected response; discopop has a bump at h = 0, and slides down on its near side.
RAISE_NO_MARGIN = {"sft", "discopop"}
LOWERS_REJECTED = {"apo-down"}
TEACHES_CHOSEN = {"sft", "cpo", "orpo", "tpo", "asft", "pro"}
ALL_AT_ONCE = ["--batch-size", "8", "--epochs", "4"]


@pytest.mark.parametrize("loss", OBJECTIVES)
def test_every_objective_trains_and_moves_what_its_paper_says(loss, tiny_policy, pair_rows, tmp_path):
    """Four steps on all pairs: the loss falls, the margin rises (sft has none), and chosen rises where it is taught."""
    lines, messages = train(tiny_policy, tmp_path, with_everything(pair_rows), "--loss", loss, *ALL_AT_ONCE)
    first, last = lines[0], lines[3]
    assert last["loss"] < first["loss"]
    chosen, rejected = (last[f"logps/{side}"] - first[f"logps/{side}"] for side in ("chosen", "rejected"))
    if loss not in RAISE_NO_MARGIN:
        assert chosen > rejected
    if loss in TEACHES_CHOSEN:
        assert chosen > 0
    if loss in LOWERS_REJECTED:
        assert rejected < 0
    assert (tmp_path / "model.safetensors").exists()
    needs_none = Need.reference not in OBJECTIVES[loss].needs
    assert (f"reference: none; {loss} reads no reference" in messages) == needs_none


def test_a_new_objective_is_one_function_and_one_row(tiny_policy, pair_rows, tmp_path, monkeypatch):
    """A toy that wants every chosen response at -5 nats: option, column, refusals and training come with the row."""
    from real_cli.train.objective import Column

    def toy_loss(logps, *, beta=0.5):
        return beta * (logps.policy[:, 0] + logps.columns["target"]) ** 2

    monkeypatch.setitem(OBJECTIVES, "toy", Objective(toy_loss, Need.nothing, columns=(Column("target", 0, 100),)))
    rows = [row | {"target": 5.0} for row in pair_rows]
    words = ["--loss", "toy,sft", "--loss-weights", "1,0", "--learning-rate", "1e-2"]
    lines, _ = train(tiny_policy, tmp_path / "a", rows, *words, "--batch-size", "8", "--epochs", "12")
    before, after = lines[0], lines[11]
    assert before["loss"] == pytest.approx(before["losses/toy"], rel=1e-5)
    assert after["losses/toy"] < before["losses/toy"] / 4
    _, messages = train(tiny_policy, tmp_path / "b", rows, "--loss", "toy", "--gamma", "1", status=2)
    assert "--loss toy does not read --gamma; tpo-l, simpo do" in messages
    rows[2] |= {"target": 101}
    _, messages = train(tiny_policy, tmp_path / "c", rows, "--loss", "toy", status=1)
    assert "<stdin>:3: field 'target' is 101; a number from 0 to 100 is needed" in messages


def test_summed_objectives_are_the_weighted_sum_and_each_has_a_line(tiny_policy, pair_rows, tmp_path):
    """Methods 0(b): dpo + .001 sft is exactly that, on the first step and as logged."""
    alone = {
        loss: train(tiny_policy, tmp_path / loss, pair_rows, "--loss", loss, "--max-steps", "1")[0][0]["loss"]
        for loss in ("dpo", "sft")
    }
    words = ["--loss", "dpo,sft", "--loss-weights", "1,0.001", "--max-steps", "1"]
    (line, _), _ = train(tiny_policy, tmp_path / "both", pair_rows, *words)
    assert line["losses/dpo"] == pytest.approx(alone["dpo"], abs=1e-6)
    assert line["losses/sft"] == pytest.approx(alone["sft"], abs=1e-6)
    assert line["loss"] == pytest.approx(alone["dpo"] + 0.001 * alone["sft"], abs=1e-6)


def test_a_batch_that_is_compared_is_the_same_in_one_pass_and_in_many(tiny_policy, pair_rows, tmp_path):
    """aot sorts four pairs: each pass a pair or all in one, the losses, their parts and the dump agree."""
    result = []
    for tokens in ("1", "4096"):
        words = ["--loss", "aot,sft", "--batch-size", "4", "--epochs", "3", "--gradient-accumulation", "2"]
        folder = tmp_path / tokens
        lines, _ = train(
            tiny_policy, folder, pair_rows, *words, "--batch-tokens", tokens, "--dump", tmp_path / f"{tokens}.jsonl"
        )
        dumped = [json.loads(line) for line in (tmp_path / f"{tokens}.jsonl").read_text().splitlines()]
        pairs = {(line["step"], line["place"]): line["loss"] for line in dumped}
        assert len(pairs) == 24
        numbers = [line[name] for line in lines[:-1] for name in ("loss", "losses/aot", "losses/sft", "grad_norm")]
        result.append(numbers + [pairs[key] for key in sorted(pairs)])
    assert result[0] == pytest.approx(result[1], abs=1e-4)


def test_weights_have_mean_one_and_weigh_the_loss(tiny_policy, pair_rows, tmp_path):
    """ipo starts at 25 for every pair, so the first loss is 25 times the mean weight: 1, or with --raw-weights 2.5."""
    rows = [row | {"gain": 1 + 3 * (number % 2)} for number, row in enumerate(pair_rows)]
    words = ["--loss", "ipo", "--weight-field", "gain", "--batch-size", "8", "--max-steps", "1"]
    (line, _), _ = train(tiny_policy, tmp_path / "a", rows, *words)
    assert line["loss"] == pytest.approx(25, rel=1e-4)
    (line, _), _ = train(tiny_policy, tmp_path / "b", rows, *words, "--raw-weights")
    assert line["loss"] == pytest.approx(62.5, rel=1e-4)


def test_columns_of_csv_that_options_name_are_numbers(tiny_policy, pair_rows, tmp_path):
    """The held-out file's too; every other cell is a text."""
    rows = [row | {"gain": 1 + 3 * (number % 2), "age": 9 + number} for number, row in enumerate(pair_rows)]
    with (tmp_path / "a.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    words = ["--loss", "ipo", "--weight-field", "gain", "--order=-age", "--raw-weights", "--batch-size", "8"]
    words += ["--max-steps", "1", "--eval-file", str(tmp_path / "a.csv")]
    lines, _ = run("train-dpo", "-p", tiny_policy, "-o", tmp_path / "a", *FAST, *words, tmp_path / "a.csv")
    assert lines[0]["loss"] == pytest.approx(62.5, rel=1e-4)


def test_a_pair_of_weight_zero_teaches_nothing(tiny_policy, pair_rows, tmp_path):
    """Two pairs, one of them without weight: the trajectory is that of the other alone, at half the batch's mean."""
    two = [pair_rows[0] | {"w": 1}, pair_rows[1] | {"w": 0}]
    words = ["--epochs", "3", "--batch-size", "2", "--weight-field", "w"]
    lines, _ = train(tiny_policy, tmp_path / "a", two, *words)
    alone, _ = train(tiny_policy, tmp_path / "b", [two[0]], *words)
    assert [line["loss"] for line in lines] == pytest.approx([line["loss"] for line in alone], abs=1e-5)


@pytest.mark.parametrize(
    ("change", "words", "complaint"),
    [
        ({"w": -0.5}, ["--weight-field", "w"], "<stdin>:3: field 'w' is -0.5; a number from 0 to 1e+30 is needed"),
        ({"w": None}, ["--weight-field", "w"], "<stdin>:3: field 'w' is None; a number from 0 to 1e+30 is needed"),
        ({}, ["--weight-field", "v"], "<stdin>:1: field 'v' is missing; a number is needed"),
        ({"prob_chosen": 1.5}, ["--loss", "sppo"], "<stdin>:3: field 'prob_chosen' is 1.5; a number from 0 to 1"),
        ({"reference": 3}, ["--loss", "tpo"], "<stdin>:3: field 'reference' is 3; a third response is needed"),
        ({"degraded": []}, ["--loss", "spo"], "<stdin>:3: field 'degraded' is []; a list of copies"),
        ({"degraded": [{"text": "a"}]}, ["--loss", "spo"], "<stdin>:3: degraded copy 1 is "),
        (
            {"degraded": [{"text": "a", "degree": 4}]},
            ["--loss", "spo"],
            "<stdin>:3: a copy has degree 4; with --levels 4",
        ),
        ({"score_chosen": None}, ["--loss", "pro"], "<stdin>:3: response 1 has no 'score'; a ranking needs one"),
        ({"stage": "a"}, ["--stages"], "<stdin>:3: field 'stage' is 'a'; a number is needed"),
        ({"gap": "x"}, ["--order", "-gap"], "<stdin>:3: field 'gap' is 'x'; a number is needed"),
    ],
)
def test_a_record_that_the_objective_cannot_read_is_named(change, words, complaint, tiny_policy, pair_rows, tmp_path):
    """File, line, field and what would be right; nothing has been loaded yet."""
    rows = [row | {"w": 1} for row in with_everything(pair_rows)]
    rows[2] |= change
    _, messages = train(tiny_policy, tmp_path, rows, *words, status=1)
    assert complaint in messages


def test_all_complaints_about_settings_come_at_once(tiny_policy, pair_rows, tmp_path):
    """One message, status 2, nothing written."""
    words = ["--loss", "pro", "--label-smoothing", "0.1", "--beta", "0", "--reference", tiny_policy, "--patience", "2"]
    _, messages = train(tiny_policy, tmp_path / "out", pair_rows, *words, "--raw-weights", "--lora-rank", "4", status=2)
    for complaint in (
        "--loss pro does not read --label-smoothing; cdpo, robust",
        "--loss pro does not read --beta",
        "pro reads no reference",
        "there is no --eval-file",
        "--raw-weights: there is no --weight-field",
        "there is no --lora or --qlora",
    ):
        assert complaint in messages
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--loss", "dpo", "--reference", "none"], "--reference none: dpo needs a reference"),
        (["--loss", "aot", "--weight-field", "w"], "--weight-field: aot sorts the pairs of a batch"),
        (["--loss", "aot,tpo", "--weight-field", "w"], "--weight-field: aot,tpo sorts the pairs of a batch"),
        (["--loss", "dpo", "--offset-field", "m"], "--offset-field: dpo does not read it; dlma does"),
        (["--loss", "dpo,dpo"], "dpo twice"),
        (["--loss", "dpx"], "--loss: 'dpx' is none of dpo, cdpo"),
        (["--loss", "dpo,sft", "--loss-weights", "1"], "1 numbers for 2 objectives"),
        (["--loss", "dpo,sft", "--loss-weights", "1,x"], "--loss-weights 1,x: numbers separated by commas"),
        (["--loss", "aot,bmc"], "an objective that sorts a batch cannot be summed with one on tokens"),
        (["--loss", "tpo,spo"], "they read records of different shapes"),
        (["--loss", "pro,dpo"], "a ranking has no rejected response; its objective stands alone"),
        (["--loss", "dpo,sft", "--loss-weights", "0,0"], "--loss-weights: all are 0; there is nothing to learn"),
        (["--loss", "spo", "--levels", "2.5"], "--levels 2.5: must be a whole number and at least 2"),
        (["--beta", "inf"], "--beta inf: must be greater than 0"),
        (["--learning-rate", "nan"], "--learning-rate nan: must be greater than 0, and finite"),
        (["--lora", "--lora-alpha", "0"], "--lora-alpha 0.0: must be greater than 0, and finite"),
        (["--report-to", "foo"], "--report-to: 'foo' is none of tensorboard, wandb, trackio, none"),
        (["--loss", "simpo", "--export-logps", "x"], "--export-logps: simpo has none, here, that a later run could"),
        (
            ["--loss", "simpo", "--stages", "--stage-reference", "initial"],
            "--stage-reference: simpo reads no reference",
        ),
        (["--loss", "exo", "--label-smoothing", "0"], "--label-smoothing must be greater than 0"),
        (["--loss", "ada-dpo", "--tau-min", "9"], "--tau-min 9.0: is above --tau-max"),
        (["--loss", "spo", "--lora"], "--lora, --qlora: spo trains a head beside the policy"),
        (["--stages", "--loss", "spa"], "spa asks the reference in every step; add --stage-reference initial"),
        (["--stages", "--reference", "x"], "add --stage-reference initial"),
        (["--stage-reference", "initial"], "--stage-reference: there are no --stages"),
        (
            ["--patience", "1", "--eval-file", os.devnull, "--save-steps", "2"],
            "--save-steps: with --patience there is a",
        ),
    ],
)
def test_settings_that_would_be_ignored_or_cannot_be_are_refused(words, complaint, tiny_policy, pair_rows, tmp_path):
    """Before anything is read or loaded."""
    _, messages = train(tiny_policy, tmp_path / "out", pair_rows, *words, status=2)
    assert complaint in messages


def test_a_ranking_of_candidates_is_read_best_first(tiny_policy, tmp_path):
    """The same responses in another order make the same example; a longer ranking stands beside a shorter one."""
    responses = [{"text": " sat on the mat", "score": 3}, {"text": " ran", "score": 1}, {"text": " yes", "score": 2}]
    rows = [{"prompt": "the cat", "responses": responses}, {"prompt": "how big", "responses": responses[:2]}]
    turned = [row | {"responses": row["responses"][::-1]} for row in rows]
    words = ["--loss", "pro", "--order", "given", "--epochs", "3"]
    item, _ = train(tiny_policy, tmp_path / "a", rows, *words)
    other, _ = train(tiny_policy, tmp_path / "b", turned, *words)
    assert [line["loss"] for line in item] == pytest.approx([line["loss"] for line in other], abs=1e-6)


def test_tau_of_each_pair_can_be_dumped(tiny_policy, pair_rows, tmp_path):
    """A line for each pair of each step, with the place it came from; ambiguous pairs have the lowest temperature."""
    train(tiny_policy, tmp_path / "out", pair_rows, "--loss", "ada-dpo", "--dump", tmp_path / "taus", "--epochs", "2")
    lines = [json.loads(line) for line in (tmp_path / "taus").read_text().splitlines()]
    assert len(lines) == 16
    assert {line["place"] for line in lines} == {f"<stdin>:{number}" for number in range(1, 9)}
    assert {line["step"] for line in lines} == set(range(1, 9))
    assert all(line["tau"] == pytest.approx(0.1) for line in lines[:2])
    assert set(lines[0]) == {"step", "place", "loss", "margin", "tau"}


def test_spa_flags_the_pairs_of_least_margin_once_it_is_warm(tiny_policy, pair_rows, tmp_path):
    """Nothing in the first half of the steps; then some, and the detector's margin decides."""
    words = ["--loss", "spa", "--warm-share", "0.5", "--flip-quantile", "0.95", "--epochs", "4"]
    train(tiny_policy, tmp_path / "out", pair_rows, *words, "--dump", tmp_path / "flags")
    lines = [json.loads(line) for line in (tmp_path / "flags").read_text().splitlines()]
    early, late = ([line["flagged"] for line in lines if (line["step"] > 8) == is_late] for is_late in (False, True))
    assert not any(early)
    assert 0 < sum(late) < len(late)
    # Twice as far from the reference, the detector sees about half as much again: it is not the policy's own margin.
    moved = [line for line in lines[-8:] if abs(line["margin"]) > 0.05]
    assert moved
    assert all(line["detector"] / (0.1 * line["margin"]) > 1.05 for line in moved)


def test_spa_asks_the_weights_below_an_adapter_too(tiny_policy, pair_rows, tmp_path):
    """With --lora the policy is wrapped; its detector sees what the adapter has learned."""
    pytest.importorskip("peft")
    words = ["--loss", "spa", "--lora", "--learning-rate", "1e-2", "--epochs", "2", "--dump", tmp_path / "flags"]
    train(tiny_policy, tmp_path / "out", pair_rows, *words)
    lines = [json.loads(line) for line in (tmp_path / "flags").read_text().splitlines()]
    assert any(abs(line["detector"]) > 0.05 for line in lines[-8:])


def test_the_policy_itself_is_the_detector_without_extrapolation(tiny_policy, pair_rows, tmp_path):
    """Methods 18(f): lambda = 0 makes the detector's margin beta h, and no second model is run."""
    words = ["--loss", "spa", "--extrapolate", "0", "--epochs", "2"]
    train(tiny_policy, tmp_path / "out", pair_rows, *words, "--dump", tmp_path / "flags")
    lines = [json.loads(line) for line in (tmp_path / "flags").read_text().splitlines()]
    for line in lines:
        assert line["detector"] == pytest.approx(0.1 * line["margin"], abs=1e-5)


def test_presets_are_published_settings_that_options_override():
    """Every preset is complete and shown; an option wins; the preset's knobs do not follow another objective."""
    from real_cli.train.choices import Preset

    for preset in Preset:
        (shown,), _ = run("train-dpo", "--preset", preset, "--show-config")
        assert shown["preset"] == preset
    (shown,), _ = run("train-dpo", "--preset", "drift", "--learning-rate", "1e-6", "--show-config")
    assert (shown["loss"], shown["loss_weights"], shown["learning_rate"]) == (["dpo", "sft"], [1, 0.001], 1e-6)
    assert (shown["optimizer"], shown["schedule"], shown["warmup"]) == ("rmsprop", "linear", 0.1)
    (shown,), _ = run("train-dpo", "--preset", "bmc", "--loss", "ipo", "--show-config")
    assert shown["knobs"] == {"ipo": {"beta": 0.1}}
    (shown,), _ = run("train-dpo", "--preset", "sppo", "--learning-rate", "1e-6", "--show-config")
    assert (shown["loss"], shown["knobs"]) == (["sppo"], {"sppo": {"beta": 0.001}})


def test_showing_settings_trains_nothing_even_where_it_could(tiny_policy, pair_rows, tmp_path):
    """Policy and folder are named, and the folder stays unmade; each objective is shown with its own knobs."""
    words = ["--loss", "dpo,simpo", "--show-config"]
    (shown,), _ = train(tiny_policy, tmp_path / "out", pair_rows, *words)
    assert shown["knobs"] == {"dpo": {"beta": 0.1}, "simpo": {"beta": 2.0, "gamma": 1.0}}
    assert not (tmp_path / "out").exists()
    (shown,), _ = run("train-dpo", "--preset", "drift", "--loss", "dpo,sft", "--show-config")
    assert shown["loss_weights"] == [1, 0.001]


def test_a_loss_that_is_no_number_ends_the_run_and_nothing_is_saved(tiny_policy, pair_rows, tmp_path):
    """transformers would log 0 and save weights of NaN."""
    words = ["--learning-rate", "1e20", "--epochs", "3"]
    _, messages = train(tiny_policy, tmp_path / "out", pair_rows, *words, status=1)
    assert "the loss is nan; nothing was saved: lower --learning-rate" in messages
    assert not (tmp_path / "out" / "model.safetensors").exists()


def test_a_reference_that_reads_other_token_ids_is_refused(tiny_policy, make_tiny_policy, pair_rows, tmp_path):
    """Its numbers would be of other texts; and an embedding could be missing."""
    other = make_tiny_policy(seed=3)
    path = other / "tokenizer.json"
    inner = json.loads(path.read_text())
    vocab = inner["model"]["vocab"]
    vocab["cat"], vocab["dog"] = vocab["dog"], vocab["cat"]
    path.write_text(json.dumps(inner))
    _, messages = train(tiny_policy, tmp_path / "out", pair_rows, "--reference", other, status=1)
    assert "its tokenizer is not the policy's, 2 tokens differ" in messages


def test_rewards_are_per_token_where_the_objective_compares_means(tiny_policy, pair_rows, tmp_path):
    """simpo's accuracy is about what it trains: log-probabilities per token, times its beta of 2."""
    lines, _ = train(tiny_policy, tmp_path / "out", pair_rows[:1], "--loss", "simpo", "--max-steps", "1")
    step = lines[0]
    # " sat on the mat" and " ran", each with its end token: 5 tokens and 2.
    assert step["rewards/chosen"] == pytest.approx(2 * step["logps/chosen"] / 5, rel=1e-5)
    assert step["rewards/rejected"] == pytest.approx(2 * step["logps/rejected"] / 2, rel=1e-5)


def test_what_is_shown_is_what_runs(tiny_policy, pair_rows, tmp_path):
    """The manifest has the settings that --show-config showed, and the optimizer's lines follow them."""
    words = ["--preset", "tpo", "--max-steps", "4", "--batch-size", "4", "--max-length", "12", "--device", "cpu"]
    (shown,), _ = run("train-dpo", *words, "--show-config")
    lines, _ = run(
        "train-dpo", *words, "--policy", tiny_policy, "--output", tmp_path / "out", rows=with_everything(pair_rows)
    )
    kept = json.loads((tmp_path / "out" / "real.json").read_text())["settings"]
    assert {name: kept[name] for name in kept} == {name: shown[name] for name in kept}
    # Cosine after one step of warm-up: 0, peak, 3/4 and 1/4 of it.
    assert [line["learning_rate"] for line in lines[:4]] == pytest.approx([0, 5e-7, 3.75e-7, 1.25e-7], abs=1e-9)
