"""What users of other tools type is answered with our name for it."""

import pytest

from real_cli.app import USAGE_PROBLEM, app
from real_cli.cli.help_page import choices_of
from real_cli.cli.mistakes import explain
from real_cli.cli.synonyms import OTHERS_OPTIONS, OTHERS_VALUES
from real_cli.docs.man_pages import commands
from real_cli.errors import nearest
from real_cli.init.recipes import recipe_names
from real_cli.train.losses import OBJECTIVES
from real_cli.train.mixture import OTHERS_NAMES

# Names of loss and recipe are no choices of a parser: each command knows its own.
NAMES_OF_COMMANDS = {"--loss": OBJECTIVES, "--recipe": recipe_names()}


def said_of(*words):
    """What is said of a command line that the parser refuses."""
    with pytest.raises(USAGE_PROBLEM) as raised:
        app([*words], prog_name="real", standalone_mode=False)
    return explain(raised.value)


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("train-dpo --lr 3", "--lr is no option; did you mean --learning-rate?"),
        ("train-dpo -lr 3", "-lr is no option; did you mean --learning-rate?"),
        ("train-dpo --LR=3", "--LR is no option; did you mean --learning-rate?"),
        ("train-dpo --bs 4", "--bs is no option; did you mean --batch-size?"),
        ("embed --bs 4", "--bs is no option; did you mean --batch-tokens?"),
        ("train-dpo --model_name_or_path m", "--model_name_or_path is no option; did you mean --policy?"),
        ("embed --model_name_or_path m", "--model_name_or_path is no option; did you mean --model?"),
        ("train-dpo --output_dir d", "--output_dir is no option; did you mean --output?"),
        ("train-dpo --num_train_epochs 3", "--num_train_epochs is no option; did you mean --epochs?"),
        ("train-dpo --dataset_name d", "--dataset_name is no option; give FILE... without an option"),
        ("pair --input d", "--input is no option; give FILE... without an option"),
        ("sample --max_new_tokens 5", "--max_new_tokens is no option; did you mean --max-tokens?"),
        ("sample --temp 1", "--temp is no option; did you mean --temperature?"),
        ("relabel judge --base-url u", "--base-url is no option; did you mean --endpoint?"),
        ("train-dpo --zzz 1", "--zzz is no option; see real train-dpo --help"),
    ],
)
def test_an_option_of_another_tool_is_answered_with_ours(line, meant):
    assert said_of(*line.split()).endswith(f": {meant}")


def test_every_name_of_others_leads_to_an_option_that_is_there():
    there = {}
    for command in commands():
        for param in command.command.get_params(command.context):
            there.setdefault(param.name, []).append((command, param))
    assert set(OTHERS_OPTIONS) <= set(there)
    num_answered = 0
    for field, names in OTHERS_OPTIONS.items():
        for name in names.split():
            answers = []
            for command, param in there[field]:
                params = command.command.get_params(command.context)
                if f"--{name}" in [each for other in params for each in (*other.opts, *other.secondary_opts)]:
                    continue
                shown = "without an option" if param.param_type_name == "argument" else max(param.opts, key=len)
                answers.append(shown in said_of(*command.words.split()[1:], f"--{name}"))
            assert any(answers), f"--{name} never leads to {field}"
            num_answered += len(answers)
    assert num_answered > 500


def test_every_value_of_others_leads_to_a_value_that_is_there():
    choices = dict(NAMES_OF_COMMANDS)
    for command in commands():
        for param in command.command.get_params(command.context):
            if choices_of(param):
                choices.setdefault(max(param.opts, key=len), choices_of(param))
    for option, values in {**OTHERS_VALUES, "--loss": OTHERS_NAMES}.items():
        for typed, ours in values.items():
            assert ours in choices[option]
            assert typed not in choices[option]


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("sample -p m --dtype bf16", "bfloat16"),
        ("train-dpo --optimizer adamw_torch", "adamw"),
        ("train-dpo --schedule Cosine-With-Restarts", "cosine"),
        ("split --part test", "heldout"),
        ("pair --on-error ignore", "skip"),
    ],
)
def test_a_value_of_another_tool_is_answered_with_ours(line, meant):
    assert said_of(*line.split()).endswith(f"; did you mean {meant}?")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["init", "x", "--recipe", "dpo"], "did you mean real?"),
        (["init", "x", "--recipe", "kto"], "name one of them"),
        (["train-dpo", "-p", "m", "-o", "x", "--loss", "sigmoid"], "did you mean dpo?"),
        (["train-dpo", "-p", "m", "-o", "x", "--loss", "exo_pair"], "did you mean exo?"),
    ],
)
def test_names_that_a_command_knows_itself_are_answered_alike(words, meant, capfd):
    with pytest.raises(SystemExit) as left:
        app(words, prog_name="real")
    assert left.value.code == 2
    assert capfd.readouterr().err.endswith(f"; {meant}\n")


def test_another_letter_in_a_short_name_is_another_name():
    assert nearest("kto", ["dpo", "tpo", "ipo"]) is None
    assert [nearest(typed, ["dpo", "tpo", "spo"]) for typed in ("dop", "dp", "tppo", "spoo")] == [
        "dpo",
        "dpo",
        "tpo",
        "spo",
    ]
