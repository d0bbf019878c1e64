"""What was once misread, through the commands: counted, told, and the same for every one of them."""

import json

import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.records.layouts import adapt
from tests.records.published import GULL, JAY, PUBLISHED, QUESTION, USER


def run(*words, records, status=0):
    """Run a command in this process; returns its records and what it told."""
    data = "".join(json.dumps(record) + "\n" for record in records)
    result = CliRunner().invoke(app, list(words), input=data, prog_name="real")
    assert result.exit_code == status, result.stderr
    assert "bug" not in result.stderr
    return [] if status else [json.loads(line) for line in result.stdout.splitlines()], result.stderr


TWICE = {"prompt": QUESTION, "chosen": f"{QUESTION} Jay.", "rejected": f"{QUESTION} Gull."}
HALF = {"prompt": QUESTION, "chosen": f"{QUESTION} Jay.", "rejected": "Gull."}
LOST = {"post": "Add 2 and 5.", "chosen": "The sum is 7.", "rejected": "The answer is 8."}
SEEN = {"prompt": [{"role": "user", "content": [{"type": "image"}]}], "chosen": [JAY], "rejected": [GULL]}
COMMANDS = [
    "pair -s all",
    "relabel judge -m m --no-cache --emit-requests ASKED",
    "relabel judge -m m --no-cache --rubric ultrafeedback --emit-requests ASKED",
    "relabel human --export argilla",
    "relabel winprob",
    "relabel weight",
    "relabel goal",
    "relabel degrade",
    "relabel bridge -m m --no-cache --emit-requests ASKED",
    "eval pairs",
    "eval reward",
    "eval winrate",
    "eval judge",
    "sample -p m --no-cache --append --emit-requests ASKED",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_lost_prompt_is_refused_in_every_command(command, tmp_path):
    words = command.replace("ASKED", str(tmp_path / "asked")).split()
    _, notes = run(*words, records=[LOST], status=1)
    assert "'post'" in notes
    assert "jq -c '.prompt = .post | del(.post)'" in notes


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "eval pairs"])
def test_a_prompt_in_half_of_the_responses_is_refused_in_every_command(command, tmp_path):
    words = command.replace("ASKED", str(tmp_path / "asked")).split()
    _, notes = run(*words, records=[HALF], status=1)
    assert "begins with the prompt again" in notes


@pytest.mark.parametrize(
    "command", [command for command in COMMANDS if command.split()[-1] not in ("all", "winprob", "weight")]
)
def test_an_image_is_refused_by_every_command_that_reads_text(command, tmp_path):
    words = command.replace("ASKED", str(tmp_path / "asked")).split()
    _, notes = run(*words, records=[SEEN], status=1)
    assert "'image'" in notes


def test_pair_passes_images_on():
    (pair,), _ = run("pair", "-s", "all", records=[SEEN])
    assert pair["prompt"] == SEEN["prompt"]


def test_a_prompt_that_was_taken_off_is_counted_and_told():
    pairs, notes = run("pair", "-s", "all", records=[TWICE, TWICE | {"prompt": "Why is it?"}])
    assert [pair["chosen"] for pair in pairs] == [" Jay.", f"{QUESTION} Jay."]
    assert "1 record with the prompt in every response again, taken off" in notes


def test_eval_pairs_counts_prompts_in_responses_and_empty_texts():
    empty = {"prompt": " ", "chosen": "a", "rejected": ""}
    silent = {"prompt": [USER], "chosen": [JAY], "rejected": [{"role": "assistant", "content": None}]}
    calls = [{"type": "function", "function": {"name": "f", "arguments": {}}}]
    busy = {"prompt": [USER], "chosen": [JAY], "rejected": [{"role": "assistant", "content": "", "tool_calls": calls}]}
    (summary,), _ = run("eval", "pairs", records=[TWICE, HALF, empty, silent, busy])
    assert summary["num_pairs"] == 5
    assert summary["num_prompts_in_responses"] == 2
    assert summary["num_empty_prompts"] == 1
    assert summary["num_empty_responses"] == 2


def test_rows_of_two_questions_make_no_pair():
    rows = [
        {"instruction": "Is it white?", "input": thing, "output": answer, "score": score}
        for thing, answer, score in (("Snow.", "Yes.", 1), ("Coal.", "No.", 0))
    ]
    pairs, notes = run("pair", "-s", "all", records=rows)
    assert pairs == []
    assert "2 too few responses" in notes
    pairs, _ = run("pair", "-s", "all", records=[rows[0], rows[1] | {"input": "Snow."}])
    assert [pair["prompt"] for pair in pairs] == ["Is it white?\nSnow."]


def test_sample_and_near_duplicates_read_the_input_too(tmp_path):
    asked = tmp_path / "asked"
    record = {"instruction": "Is it white?", "input": "Snow.", "system": "Answer in one word."}
    run("sample", "-p", "m", "--no-cache", "--emit-requests", str(asked), records=[record])
    (line,) = map(json.loads, asked.read_text().splitlines())
    assert [message["content"] for message in line["body"]["messages"]] == [
        "Answer in one word.",
        "Is it white?\nSnow.",
    ]


BATTLES = [record for name, record, _ in PUBLISHED if name.startswith(("Arena", "AlpacaEval"))]


def test_eval_winrate_reads_battles():
    (summary,), _ = run("eval", "winrate", "--model", "m", records=[item for item in BATTLES if "model_a" in item])
    # 55k: n; 140k: m; MT-Bench: n; a tie.
    assert (summary["num_wins"], summary["num_ties"], summary["num_losses"]) == (1, 1, 2)
    (summary,), _ = run("eval", "winrate", "--model", "new", records=[item for item in BATTLES if "output_1" in item])
    assert (summary["num_wins"], summary["num_losses"]) == (1, 0)
    texts = {"instruction": QUESTION, "output_1": "a", "generator_1": "base", "output_2": "b", "generator_2": "new"}
    rows = [texts | {"preference": preference} for preference in (1, 2, 1.5, 0, 1.2)]
    (summary,), _ = run("eval", "winrate", "--model", "new", records=rows)
    assert (summary["num_wins"], summary["num_ties"], summary["num_losses"]) == (1, 2, 2)
    _, notes = run("eval", "winrate", records=[texts | {"preference": None}], status=1)
    assert "'preference' is None" in notes


def test_a_vote_whose_context_others_wrote_is_refused():
    vote = next(item for item in BATTLES if "full_conversation" in item)
    _, notes = run("pair", "-s", "all", records=[vote | {"full_conversation": [{}, {}]}], status=1)
    assert "evaluation_order == 1" in notes


def test_a_prompt_that_stands_in_every_row_again_is_taken_off():
    """Unpaired rows, as tools write them that keep prompt and completion together."""
    rows = [
        {"prompt": QUESTION, "completion": f"{QUESTION} {word}", "label": good}
        for word, good in (("Jay.", True), ("Gull.", False))
    ]
    (pair,), notes = run("pair", "-s", "all", records=rows)
    assert (pair["chosen"], pair["rejected"]) == (" Jay.", " Gull.")
    assert "1 record with the prompt in every response again, taken off" in notes


@pytest.mark.parametrize("field", ["passage", "documents", "title", "evidence"])
def test_what_a_question_is_about_is_refused_with_the_line_that_appends_it(field):
    record = {"question": "Is it white?", field: "Snow in the sun.", "chosen": "Yes.", "rejected": "No."}
    _, notes = run("pair", "-s", "all", records=[record], status=1)
    assert f"jq -c '.question += \"\\n\" + .{field} | del(.{field})'" in notes
    pairs, _ = run("pair", "-s", "all", records=[record | {"prompt": "Is it white?"}])
    assert pairs[0][field] == record[field]


NUMERALS = ("HelpSteer2", "HelpSteer3", "PKU", "Arena", "AlpacaEval", "summarize")


@pytest.mark.parametrize(
    ("record", "expected"),
    [(record, expected) for name, record, expected in PUBLISHED if name.startswith(NUMERALS) and "axis" not in name],
)
def test_verdicts_that_are_numerals_are_read_as_numbers(record, expected):
    """A table of text holds them so."""
    numbers = ("preference_strength", "overall_preference", "better_response_id", "safer_response_id", "preference")
    numbers += ("winner_model_a", "winner_model_b", "winner_tie", "choice", "turn")
    texts = {field: str(value) if field in numbers else value for field, value in record.items()}
    assert texts != record or "winner" in record
    adapted = adapt(texts).record
    assert {field: adapted[field] for field in expected if field != "turn"} == {
        field: value for field, value in expected.items() if field != "turn"
    }
