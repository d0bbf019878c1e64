"""Whatever a layout's record holds: all of prompt, system message and context is read, and each response once."""

import json
import random
import re

import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.records.layouts import LAYOUTS, adapt
from real_cli.records.messages import transcript
from real_cli.records.record import to_candidates
from tests.records.published import PUBLISHED
from tests.records.test_layouts import EXAMPLES

RECORDS = [(name, record) for name, record, _ in [*EXAMPLES, *PUBLISHED]]
# What an annotator says of a record is not what is asked or answered.
ASIDE = {
    *("role", "from", "type", "dataset", "category", "source", "split", "domain", "language", "subset", "annotator"),
    *("judge", "model", "policy", "generator", "models", "model_a", "model_b", "generator_1", "generator_2", "task"),
    *("preference_statement", "winner", "generation_models", "worker", "date", "id", "post_id", "prompt_id", "site"),
    *("Rating", "Rationale", "quotes_0", "quotes_1", "full_conversation", "subset", "Label", "mimeType", "note"),
}
REPEATS = {"messages"}  # beside a pair that has its prompt: once more what is there
MARKS = r"\n\nHuman:|\n\nAssistant:|\s+"


def texts_of(value, path=()):
    """List the texts of a record that are asked or answered, with the paths to them."""
    if isinstance(value, str) and value and (not path or path[-1] not in ASIDE):
        yield path, value
    elif isinstance(value, dict | list) and not (path and path[-1] in ASIDE):
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from texts_of(part, (*path, name))


def with_texts(value, names, path=()):
    """Put other words in the place of each text; the same words for the same, so that what is shared stays shared."""
    if path in names:
        return names[path]
    if isinstance(value, dict):
        return {name: with_texts(part, names, (*path, name)) for name, part in value.items()}
    if isinstance(value, list):
        return [with_texts(part, names, (*path, number)) for number, part in enumerate(value)]
    return value


def renamed(record, draw):
    """Write random words into a record, sparing the marks of transcripts; returns it and the words of each text."""
    words = {}

    def fresh(text):
        if text.startswith("["):  # turns as JSON
            return json.dumps([fresh(turn) for turn in json.loads(text)])
        parts = re.split(f"({MARKS})", text)
        return "".join(
            part if not part or re.fullmatch(MARKS, part) else words.setdefault(part, f"w{draw.getrandbits(48):x}")
            for part in parts
        )

    return with_texts(record, {path: fresh(text) for path, text in texts_of(record)})


def extras(draw, name, record):
    """Draw fields that a layout passes on; what may be asked needs a `prompt` or a name that says that it is not."""
    values = [7, 0.5, None, True, "", "word", [], {}, "é\u2028"]
    values += [] if name == "TRL implicit prompt, text" else ["several other words", ["a"], {"a": [1]}, "[{'role': 1}]"]
    plain = "extra" if "prompt" in record or name in ("HH-RLHF", "TRL implicit prompt, text") else "metadata"
    return {f"{plain}{number}": draw.choice(values) for number in range(draw.randrange(4))}


def words_of(record):
    """Collect the words that are asked and answered in a record, as it was given."""
    beside = REPEATS if "prompt" in record and "chosen" in record else set()
    if "turn" in record:  # MT-Bench: what comes later was not judged
        sides = ("conversation_a", "conversation_b")
        record = record | {side: record[side][: 2 * record["turn"]] for side in sides}
    given = [text for path, text in texts_of(record) if path[0] not in beside]
    return {word for text in given for word in re.findall(r"w[0-9a-f]+", text)}


@pytest.mark.parametrize("number", range(len(RECORDS)))
def test_what_is_read_is_all_that_is_asked_and_each_response_once(number):
    name, example = RECORDS[number]
    draw = random.Random(number)
    for _ in range(20):
        record = renamed(example, draw)
        more = extras(draw, name, example)
        adapted = adapt(record | more)
        assert adapted.layout.name == name
        assert all(adapted.record[field] == value for field, value in more.items())
        texts = read_texts(adapted.record)
        assert set(re.findall(r"w[0-9a-f]+", " ".join(texts))) == words_of(record)
        # Nothing twice: as many words as in what the example becomes, text by text.
        assert [len(text.split()) for text in texts] == [
            len(text.split()) for text in read_texts(adapt(example).record)
        ]
        again = adapt(adapted.record)
        assert again.record == adapted.record
        assert again.notes == ()


def read_texts(record):
    """Return what is read of a record: the prompt, and each response."""
    candidates = to_candidates(record)
    return [transcript(text) for text in (candidates["prompt"], *(item["text"] for item in candidates["responses"]))]


def test_every_layout_is_among_the_records():
    assert {name for name, _ in RECORDS} == {layout.name for layout in LAYOUTS}


def run(*words, data):
    """Run a command in this process."""
    result = CliRunner().invoke(app, list(words), input=data, prog_name="real")
    assert result.exit_code == 0, result.stderr
    return result


@pytest.mark.parametrize("number", range(len(RECORDS)))
def test_the_output_of_pair_is_read_as_it_was_written(number):
    """Twice through the pipe is as good as once."""
    _, record = RECORDS[number]
    words = ("pair", "--strategy", "all", "--orient", "auto")
    first = run(*words, data=json.dumps(record) + "\n")
    second = run(*words, data=first.stdout)
    assert second.stdout == first.stdout
    for line in map(json.loads, first.stdout.splitlines()):
        assert line["prompt"] == adapt(record).record["prompt"]


@pytest.mark.parametrize(("name", "record", "expected"), PUBLISHED)
def test_a_published_record_through_real_pair(name, record, expected):
    result = run("pair", "--strategy", "all", data=json.dumps(record) + "\n")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    if "chosen" in expected:
        assert [{field: line[field] for field in expected} for line in lines] == [expected]
        assert lines[0].keys() - expected.keys() == {"strategy", "num_responses"}
        return
    texts = [response["text"] for response in expected["responses"]]
    ranks = {response.get("rank") for response in expected["responses"]}
    scores = {response.get("score") for response in expected["responses"]}
    if len(texts) == 1:
        assert "too few responses" in result.stderr
    elif len(ranks) == len(scores) == 1:
        assert (lines, "equal scores" in result.stderr) == ([], True)
    else:
        assert lines
        assert all(line["chosen"] in texts and line["rejected"] in texts for line in lines)


@pytest.mark.parametrize(("name", "record", "expected"), PUBLISHED)
def test_a_judge_reads_all_of_a_published_record(name, record, expected, tmp_path):
    """What `--emit-requests` writes has the words of the prompt and of both responses."""
    if len(to_candidates(expected)["responses"]) < 2:
        pytest.skip("one response")
    if "tools" in expected:
        pytest.skip("a judge would not see the tools: refused")
    asked = tmp_path / "asked"
    words = ("relabel", "judge", "-m", "m", "--no-cache", "--emit-requests", str(asked))
    run(*words, data=json.dumps(record) + "\n")
    contents = [
        message["content"]
        for line in asked.read_text().splitlines()
        for message in json.loads(line)["body"]["messages"]
        if message["role"] == "user"
    ]
    assert contents
    candidates = to_candidates(expected)
    for content in contents:
        assert transcript(candidates["prompt"]).strip() in content
        assert any(transcript(response["text"]).strip() in content for response in candidates["responses"])
