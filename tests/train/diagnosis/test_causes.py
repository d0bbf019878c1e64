"""What a run says of itself: each cause is provoked by a small training run, and sound runs have none."""

import json

import pytest

from real_cli.train.diagnosis.causes import CAUSES, RunFacts, first_cause
from real_cli.train.diagnosis.moments import Moments
from tests.train.training import train

pytestmark = pytest.mark.filterwarnings("ignore")

NOUNS = ["cat", "dog", "mat", "log", "big", "red", "blue", "small"]
TURNS = ((3, 1), (2, 1), (5, 2), (4, 3), (6, 3), (7, 6))
LENGTHS = [
    {"prompt": f"the {noun}", "chosen": " and the dog ran" * more, "rejected": " and the dog ran" * less}
    for noun in NOUNS
    for more, less in TURNS
]
NEAR = [
    {"prompt": f"why {noun}", "chosen": text + " it", "rejected": text + " no"}
    for noun in NOUNS
    for text in [" and".join([f" the {noun}"] * 3) + " and he saw"]
]
SAME_WHEN_CUT = [
    {"prompt": f"why {noun}", "chosen": " the big red dog and then ran", "rejected": " the big red dog and then sat"}
    for noun in NOUNS
]


def swapped(rows):
    return [row | {"chosen": row["rejected"], "rejected": row["chosen"]} for row in rows]


def weighed(rows, *weights):
    return [row | {"w": weight} for row, weight in zip(rows, [*weights, *[weights[-1]] * len(rows)], strict=False)]


# By name: the rows, made of the eight pairs of the fixture, options, how the line begins, and what it advises.
RAW = ["--weight-field", "w", "--raw-weights"]
PROVOKED = {
    "too few steps at too small a rate": (
        lambda rows: rows,
        ["--learning-rate", "1e-6"],
        "too little training: 4 steps at 1e-06 and less move a weight by 3e-06 in all",
        "try --learning-rate 1e-05, or --epochs 10",
    ),
    "weights next to nothing": (
        lambda rows: weighed(rows, 1e-25),
        [*RAW, "--epochs", "4"],
        "nothing moved: the gradient's norm was 0.0e+00 at most",
        "weights or a beta next to 0",
    ),
    "weights of 0": (
        lambda rows: weighed(rows, 1.0, 0.0),
        RAW,
        "few pairs counted: 7 of 8 have weight 0",
        "look at the field of --weight-field",
    ),
    "the same tokens once cut": (
        lambda rows: [*SAME_WHEN_CUT, rows[0]],
        ["--max-length", "6", "--epochs", "8"],
        "few pairs were left: 8 of 9 have the same tokens on both sides within --max-length 6",
        "raise it",
    ),
    "a rate that destroys the policy": (
        lambda rows: rows,
        ["--learning-rate", "3", "--epochs", "8"],
        "it diverged: chosen responses have a log-probability of -",
        "at a rate of 3; try --learning-rate 0.3",
    ),
    "a rate at which the loss rises": (
        lambda rows: rows + swapped(rows),
        ["--learning-rate", "1", "--epochs", "8"],
        "it diverged: ",
        "try --learning-rate 0.1",
    ),
    "labels that contradict": (
        lambda rows: rows + swapped(rows),
        ["--epochs", "6", "--learning-rate", "3e-3"],
        "pairs pull against each other: margins are 0.",
        "'real eval pairs' shows contradictions",
    ),
    "a large beta": (
        lambda rows: rows,
        ["--beta", "100", "--epochs", "8", "--learning-rate", "1e-4"],
        "beta is too large: at 100 the rewards are saturated",
        "try --beta 1",
    ),
    "length alone": (
        lambda rows: LENGTHS,
        ["--epochs", "4", "--max-length", "64"],
        "length was learned: margins go with how much longer the chosen response is, correlation +0.9",
        "try --loss dpo-norm or simpo",
    ),
    "near texts": (
        lambda rows: NEAR,
        ["--epochs", "16", "--max-length", "64", "--learning-rate", "1e-2"],
        "chosen responses became less likely too, by ",
        "try --loss dpo,sft",
    ),
    "saturation": (
        lambda rows: rows,
        ["--epochs", "60", "--learning-rate", "1e-2"],
        "rewards are saturated from step ",
        " does as much",
    ),
}
SOUND = {
    "dpo": ["--epochs", "4"],
    "a low rate": ["--learning-rate", "3e-4", "--epochs", "4"],
    "lora": ["--lora", "--learning-rate", "1e-2", "--epochs", "4"],
    "ipo": ["--loss", "ipo", "--epochs", "6"],
    "simpo": ["--loss", "simpo", "--epochs", "6"],
    "sft": ["--loss", "sft", "--epochs", "6"],
}


def readings_of(folder):
    return json.loads((folder / "real.json").read_text())["readings"]


@pytest.mark.slow
@pytest.mark.parametrize("name", PROVOKED)
def test_a_cause_is_told_first_with_its_numbers_and_what_to_change(tiny_policy, pair_rows, tmp_path, name):
    make_rows, words, begin, advice = PROVOKED[name]
    _, messages = train(tiny_policy, tmp_path / "out", make_rows(pair_rows), *words)
    sentence, *others = readings_of(tmp_path / "out")
    assert sentence.startswith(begin)
    assert advice in sentence
    assert f"real: {sentence}\n" in messages
    assert not [other for other in others if "try " in other]  # one cause, the first


@pytest.mark.slow
@pytest.mark.parametrize("name", SOUND)
def test_a_run_that_learned_has_no_cause(tiny_policy, pair_rows, tmp_path, name):
    train(tiny_policy, tmp_path / "out", pair_rows, *SOUND[name])
    assert readings_of(tmp_path / "out")[0].startswith("margin +")


@pytest.mark.slow
def test_what_is_advised_helps(tiny_policy, pair_rows, tmp_path):
    """The run that was too little, at the rate that its line asks for, as often as it asks."""
    words, folder = ["--learning-rate", "1e-6"], tmp_path / "out"
    for _ in range(5):
        train(tiny_policy, folder, pair_rows, *words)
        sentence = readings_of(folder)[0]
        if not sentence.startswith("too little"):
            break
        words = sentence.partition("try ")[2].partition(",")[0].split()
    assert float(words[1]) >= 1e-3
    assert sentence.startswith("margin ")


def facts(rewards, **others):
    """A run whose chosen and rejected rewards and losses are given."""
    steps = [
        {"step": number, "loss": loss, "rewards/chosen": chosen, "rewards/rejected": rejected, "grad_norm": 1.0}
        | {"rewards/margins": chosen - rejected, "rewards/accuracies": float(chosen > rejected), "learning_rate": 1e-5}
        | {"logps/chosen": -9.0}
        for number, (chosen, rejected, loss) in enumerate(rewards, 1)
    ]
    return RunFacts(steps, learning_rate=1e-5, beta=0.1, num_pairs=40, **others)


def test_too_few_lines_have_no_cause():
    assert first_cause(facts([])) == first_cause(facts([(0, 0, 0.7)])) == ""


@pytest.mark.parametrize(("size", "is_told"), [(0.049, True), (0.051, False)])
def test_a_margin_below_five_hundredths_is_too_little(size, is_told):
    """sigmoid(0.05) = 0.5125."""
    notes = first_cause(facts([(0, 0, 0.69), (size, 0, 0.68), (size, 0, 0.68)]))
    assert notes.startswith("too little") == is_told


@pytest.mark.parametrize(("loss", "is_told"), [(1.37, False), (1.39, True)])
def test_a_loss_of_twice_a_coins_has_diverged(loss, is_told):
    notes = first_cause(facts([(0, 0, 0.69), (-1, 0.2, loss), (-1, 0.2, loss)]))
    assert notes.startswith("it diverged") == is_told


def test_the_correlation_of_moments_is_pearsons():
    """x = 1 2 4, y = 2 1 6: means 7/3 and 3; 12.0 / sqrt(...) as statistics.correlation has it."""
    from statistics import correlation

    x, y = [1.0, 2.0, 4.0], [2.0, 1.0, 6.0]
    parts = [Moments(1, a, b, a * a, b * b, a * b) for a, b in zip(x, y, strict=True)]
    assert Moments.total(parts).correlation == pytest.approx(correlation(x, y))
    assert Moments.total(parts[:1]).correlation == Moments.total([]).correlation == 0


def test_every_row_of_the_table_is_provoked():
    assert len(CAUSES) == len(PROVOKED) - 1  # two ways to diverge


@pytest.mark.parametrize(("warmup", "is_told"), [(3, True), (2, False), (0.1, False)])
def test_a_warm_up_that_outlasts_the_run_is_advised_against_first(warmup, is_told):
    notes = first_cause(facts([(0, 0, 0.69), (0.01, 0, 0.68), (0.01, 0, 0.68)], warmup=warmup))
    assert ("; try --warmup 0, --learning-rate 0.0001, or --epochs 10" in notes) == is_told
    assert notes.startswith("too little training: 3 steps")
