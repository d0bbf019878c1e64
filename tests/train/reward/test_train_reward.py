"""`real train-reward` as a user runs it, on tiny random models; `real relabel reward` reads what it wrote."""

import json
import os
import statistics
import subprocess

import orjson
import pytest

from tests.reward_folders import CHAT_TEMPLATE, save_reward_model
from tests.train.training import run, write_rows
from tests.train.trajectories import trl_arguments

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

FAST = ["--learning-rate", "1e-3", "--batch-size", "2", "--device", "cpu", "--max-length", "48"]


def train(model, folder, rows, *words, status=0):
    """Train for a moment; later options win over the fast ones."""
    return run("train-reward", "--model", model, "--output", folder, *FAST, *words, rows=rows, status=status)


def scores(folder, rows, *words):
    """Score pairs by a folder: the gap of each, and the records."""
    records, _ = run("relabel", "reward", "--model", folder, "--device", "cpu", *words, rows=rows)
    return [record["score_chosen"] - record["score_rejected"] for record in records], records


def weights(folder):
    """The trained tensors of a folder, by name."""
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def differ(folder, other):
    """The largest difference of two folders' weights."""
    ours, theirs = weights(folder), weights(other)
    assert ours.keys() == theirs.keys()
    return max((ours[name] - theirs[name]).abs().max().item() for name in ours)


@pytest.fixture(scope="module")
def chat_reward(tmp_path_factory):
    """A classifier with a chat template and a padding token."""
    return save_reward_model(tmp_path_factory.mktemp("chat"), chat_template=CHAT_TEMPLATE, pad_token_id=0)


@pytest.fixture(scope="module")
def talks(pair_rows):
    """The pairs as conversations, with a margin and scores that have the same gap."""
    return [
        {
            "prompt": [{"role": "user", "content": row["prompt"]}],
            "chosen": [{"role": "assistant", "content": row["chosen"].strip()}],
            "rejected": [{"role": "assistant", "content": row["rejected"].strip()}],
            "margin": number / 4,
            "score_chosen": number / 4 + 1,
            "score_rejected": 1,
        }
        for number, row in enumerate(pair_rows)
    ]


def trl_losses(model, rows, folder, *, center=None, **changes):
    """Train with TRL's RewardTrainer alone: its data preparation, forward and loss."""
    from datasets import Dataset
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from trl import RewardConfig, RewardTrainer

    from real_cli.train.reward.settings import RewardSettings

    settings = RewardSettings(learning_rate=1e-3, max_length=48, **changes)
    args = RewardConfig(**trl_arguments(folder, settings), center_rewards_coefficient=center)
    names = ("prompt", "chosen", "rejected", *(["margin"] if settings.margin else []))
    trainer = RewardTrainer(
        AutoModelForSequenceClassification.from_pretrained(model),
        args=args,
        train_dataset=Dataset.from_list([{name: row[name] for name in names} for row in rows]),
        processing_class=AutoTokenizer.from_pretrained(model),
    )
    trainer.train()
    return [line["loss"] for line in trainer.state.log_history if "loss" in line]


@pytest.mark.parametrize(
    ("words", "theirs"),
    [
        (["--epochs", "2"], {"batch_size": 2, "epochs": 2.0}),
        (
            ["--epochs", "4", "--gradient-accumulation", "2", "--margin", "scores", "--center", "0.05"],
            {"batch_size": 2, "epochs": 4.0, "gradient_accumulation": 2, "margin": "scores", "center": 0.05},
        ),
    ],
    ids=["plain", "margins, centering and accumulation"],
)
def test_losses_are_those_of_trl_over_eight_steps(words, theirs, chat_reward, talks, tmp_path):
    """Within 1e-4, in several passes a step: TRL renders the conversations itself."""
    expected = trl_losses(chat_reward, talks, tmp_path / "trl", **theirs)
    lines, messages = train(chat_reward, tmp_path / "ours", talks, *words, "--batch-tokens", "20")
    assert "its head, 20 tokens a pass" in messages
    ours = [line["loss"] for line in lines[:-1]]
    assert len(ours) == len(expected) == 8
    assert ours == pytest.approx(expected, abs=1e-4)
    assert max(ours) - min(ours) > 1e-2


def test_a_language_model_gets_a_head_and_the_folder_scores_and_loads(tiny_policy, pair_rows, tmp_path):
    """Margins rise; transformers alone gives the logits that `relabel reward` writes; the head is the seed's."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    words = ["--epochs", "10", "--batch-size", "8", "--learning-rate", "1e-2"]
    lines, messages = train(tiny_policy, tmp_path / "out", pair_rows, *words)
    assert "a new head, 512 tokens a pass" in messages
    assert {"rewards/chosen", "rewards/rejected", "rewards/accuracies", "rewards/margins", "num_tokens"} <= set(
        lines[0]
    )
    assert lines[0]["loss"] == pytest.approx(0.69, abs=0.1)
    assert lines[-2]["rewards/margins"] > lines[0]["rewards/margins"] + 0.05
    assert f"next: real relabel reward --model {tmp_path / 'out'} FILE" in messages
    gaps, records = scores(tmp_path / "out", pair_rows)
    assert min(gaps) > 0
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "out")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert model.config.num_labels == 1
    assert model.config.pad_token_id == tokenizer.pad_token_id == 0
    row = pair_rows[0]
    logit = model(**tokenizer(row["prompt"], row["chosen"], return_tensors="pt", return_token_type_ids=False)).logits
    assert logit.item() == pytest.approx(records[0]["score_chosen"], abs=1e-5)
    manifest = json.loads((tmp_path / "out" / "real.json").read_text())
    assert (manifest["command"], manifest["settings"]["ensemble"]) == ("train-reward", 1)
    first, _ = train(tiny_policy, tmp_path / "same", pair_rows, "--max-steps", "1")
    again, _ = train(tiny_policy, tmp_path / "again", pair_rows, "--max-steps", "1")
    other, _ = train(tiny_policy, tmp_path / "other", pair_rows, "--max-steps", "1", "--seed", "7", "--order", "given")
    assert first[0]["loss"] == again[0]["loss"]
    assert abs(other[0]["loss"] - first[0]["loss"]) > 1e-4


def test_an_ensemble_writes_the_mean_of_its_heads_and_their_deviation(tiny_policy, pair_rows, tmp_path):
    """A plain user of transformers sees the heads; a later score of a single model leaves no deviation behind."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    _, messages = train(tiny_policy, tmp_path / "out", pair_rows, "--ensemble", "5", "--epochs", "4")
    assert "5 new heads" in messages
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "out")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    row = pair_rows[0]
    read = tokenizer(row["prompt"], row["chosen"], return_tensors="pt", return_token_type_ids=False)
    heads = model(**read).logits[0].tolist()
    assert len(heads) == 5
    _, records = scores(tmp_path / "out", pair_rows)
    assert records[0]["score_chosen"] == pytest.approx(statistics.fmean(heads), abs=1e-5)
    assert records[0]["score_std_chosen"] == pytest.approx(statistics.stdev(heads), abs=1e-5)
    _, (labeled,) = scores(tmp_path / "out", pair_rows[:1], "--label", "3")
    assert labeled["score_chosen"] == pytest.approx(heads[3], abs=1e-5)
    assert "score_std_chosen" not in labeled
    words = ["--model", tmp_path / "out", "--device", "cpu", "--field", "score_mine"]
    (named,), _ = run("relabel", "reward", *words, rows=pair_rows[:1])
    assert named["score_mine_std_chosen"] == pytest.approx(records[0]["score_std_chosen"])
    train(tiny_policy, tmp_path / "single", pair_rows, "--max-steps", "1")
    _, (rescored,) = scores(tmp_path / "single", records[:1])
    assert not [name for name in rescored if "std" in name]


def test_what_an_ensemble_scored_is_what_uncertain_strategies_choose_by(tiny_policy, pair_rows, tmp_path):
    """From candidates to pairs that somebody is to label."""
    train(tiny_policy, tmp_path / "out", pair_rows, "--ensemble", "3", "--max-steps", "1")
    texts = ["sat on the mat", "ran", "no", "yes"]
    rows = [{"prompt": row["prompt"], "responses": [{"text": text} for text in texts]} for row in pair_rows]
    scored, _ = run("relabel", "reward", "--model", tmp_path / "out", "--device", "cpu", rows=rows)
    for strategy in ("dts", "infomax", "delta-ucb"):
        pairs, _ = run("pair", "--strategy", strategy, rows=scored)
        assert len(pairs) == len(rows)


def test_a_weight_counts_a_pair_as_often(chat_reward, talks, tmp_path):
    """Weights 2, 1, 1 in one batch are the pairs once, with the first twice; a weight of 0 leaves it out."""
    pairs, words = talks[:3], ["--batch-size", "8", "--optimizer", "sgd", "--learning-rate", "1e-2", "--epochs", "3"]
    weighed = [row | {"weight": weight} for row, weight in zip(pairs, (2, 1, 1), strict=True)]
    train(chat_reward, tmp_path / "weighed", weighed, *words, "--weight-field", "weight")
    train(chat_reward, tmp_path / "twice", [pairs[0], *pairs], *words)
    assert differ(tmp_path / "weighed", tmp_path / "twice") < 1e-6
    assert differ(tmp_path / "weighed", chat_reward) > 1e-4


def test_an_adapter_is_merged_and_its_head_is_trained(tiny_policy, pair_rows, tmp_path):
    pytest.importorskip("peft")
    words = ["--epochs", "8", "--batch-size", "8", "--learning-rate", "1e-2"]
    lines, _ = train(tiny_policy, tmp_path / "out", pair_rows, *words, "--lora")
    assert not (tmp_path / "out" / "adapter_config.json").exists()
    assert lines[-2]["rewards/margins"] > 0.2
    gaps, _ = scores(tmp_path / "out", pair_rows)
    assert min(gaps) > 0


def test_held_out_pairs_are_measured_without_a_bootstrap(tiny_policy, pair_rows, tmp_path):
    """The best weights are kept, and what they measure is what scoring gives."""
    held_out = write_rows(tmp_path / "held.jsonl", pair_rows[:4])
    words = ["--eval-file", held_out, "--ensemble", "3", "--epochs", "2", "--center", "0"]
    lines, _ = train(tiny_policy, tmp_path / "out", pair_rows[4:], *words)
    measured = [line for line in lines if "eval_rewards/margins" in line]
    gaps, _ = scores(tmp_path / "out", pair_rows[:4])
    assert measured[-1]["eval_rewards/margins"] == pytest.approx(statistics.fmean(gaps), abs=1e-5)


def test_a_stopped_run_goes_on_to_the_same_weights(launched_real, tiny_policy, pair_rows, tmp_path):
    """An ensemble of three, by SIGTERM at step 3, and on two devices; the whole run in one process is the measure."""
    words = [*FAST, "--ensemble", "3", "--epochs", "2", "--batch-size", "4"]
    hook = {"LAUNCHER_HOOK": "tests.train.devices.happenings:start"}

    def launch(folder, *more, data=pair_rows, **environment):
        lines = b"".join(orjson.dumps(row) + b"\n" for row in data)
        command = [*launched_real, "train-reward", "--model", tiny_policy, "--output", tmp_path / folder, *words, *more]
        done = subprocess.run(
            command, input=lines, capture_output=True, env=os.environ | hook | environment, timeout=180
        )
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()

    whole, _ = train(tiny_policy, tmp_path / "whole", pair_rows, *words)
    status, lines, messages = launch("out", "--devices", "2", HAPPENS="1:2:self:SIGTERM")
    assert status == 143, messages
    step = lines[-1]["step"]
    assert messages.endswith(f"real: stopped at step {step}; go on with --resume\n")
    assert not (tmp_path / "out" / "real.json").exists()
    rest, _ = train(tiny_policy, tmp_path / "out", [], *words, "--resume")
    together = [line["loss"] for line in lines + rest[:-1]]
    assert together == pytest.approx([line["loss"] for line in whole[:-1]], abs=1e-5)
    assert differ(tmp_path / "out", tmp_path / "whole") < 1e-5
    status, both, messages = launch("both", "--devices", "2")
    assert status == 0, messages
    assert [line["loss"] for line in both] == pytest.approx([line["loss"] for line in whole], abs=1e-5)
    assert differ(tmp_path / "both", tmp_path / "whole") < 1e-5


def test_a_classifier_of_two_texts_is_trained_with_its_token_types(pair_rows, tmp_path):
    """BERT reads which text a token is from; its own words are those of `relabel reward`."""
    bert = save_reward_model(tmp_path / "bert", "bert", pad_token_id=0)
    lines, _ = train(bert, tmp_path / "out", pair_rows, "--epochs", "4", "--batch-size", "8", "--order", "given")
    before, _ = scores(bert, pair_rows)
    assert lines[0]["rewards/margins"] == pytest.approx(statistics.fmean(before), abs=1e-5)


def test_what_is_left_out_cut_or_odd_is_counted(chat_reward, talks, tmp_path):
    same = talks[0] | {"rejected": talks[0]["chosen"]}
    negative = talks[1] | {"margin": -1.0}
    words = ["--margin", "margin", "--max-length", "9", "--max-steps", "1"]
    lines, messages = train(chat_reward, tmp_path / "out", [same, negative, *talks[2:]], *words)
    assert lines[-1]["num_pairs"] == 7
    assert "1 left out: chosen and rejected are the same tokens" in messages
    assert "1 pair with a margin below 0" in messages
    assert "pairs cut to 9 tokens, at the prompt's beginning" in messages
    manifest = json.loads((tmp_path / "out" / "real.json").read_text())
    assert manifest["left_out"] == {"train pairs of the same tokens": 1}


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["--margin", "gap"], 1, "field 'gap' is missing"),
        (["--margin", ""], 2, "--margin: scores or the name of a field is needed"),
        (["--center", "nan"], 2, "--center nan: must be at least 0, and finite"),
        (["--lora-rank", "4"], 2, "--lora-rank, --lora-alpha: there is no --lora"),
        (["--raw-weights"], 2, "--raw-weights: there is no --weight-field"),
        (["--resume", "--resume-if-same"], 2, "--resume, --resume-if-same: choose one of them"),
        (["--attention", "flex_attention"], 2, "--attention flex_attention: torch has no gradients for it on a CPU"),
    ],
)
def test_what_cannot_be_trained_is_refused(words, status, message, tiny_policy, pair_rows, tmp_path):
    _, messages = train(tiny_policy, tmp_path / "out", pair_rows, *words, status=status)
    assert message in messages
    assert "Traceback" not in messages
    assert not (tmp_path / "out" / "real.json").exists()


def test_heads_of_another_number_and_folders_of_another_command_are_refused(
    tiny_reward, tiny_policy, pair_rows, tmp_path
):
    _, messages = train(tiny_reward, tmp_path / "out", pair_rows, "--ensemble", "3", status=2)
    assert "is a classifier of 1 label, and 3 heads would be trained; leave --ensemble out" in messages
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "real.json").write_text('{"command": "train-dpo"}')
    _, messages = train(tiny_policy, tmp_path / "other", pair_rows, status=2)
    assert "is not empty and not from 'real train-reward'; name another folder" in messages
    train(tiny_policy, tmp_path / "mine", pair_rows, "--max-steps", "1")
    words = ["--policy", tiny_policy, "--output", tmp_path / "mine", "--device", "cpu"]
    _, messages = run("train-dpo", *words, rows=pair_rows, status=2)
    assert "is not empty and not from 'real train-dpo'; name another folder" in messages


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("_prepare_dataset", ["self", "dataset", "processing_class", "args", "dataset_name"]),
        ("compute_loss", ["self", "model", "inputs", "return_outputs", "num_items_in_batch"]),
        ("create_model_card", None),
    ],
)
def test_trl_still_has_the_hooks_that_we_override(name, parameters):
    """A new TRL that renames a hook, or calls it otherwise, fails here and not in somebody's run."""
    import inspect

    from trl import RewardTrainer

    from real_cli.train.trainers.reward import RewardModelTrainer

    assert name in vars(RewardModelTrainer)
    assert hasattr(RewardTrainer, name)
    if parameters is not None:
        assert list(inspect.signature(getattr(RewardTrainer, name)).parameters) == parameters
