"""Folders of models that are hostile, broken or not whole: nothing runs, and a line says what is wrong."""

import json

import orjson
import pytest
from typer.testing import CliRunner

from real_cli.commands.app import app
from tests.attacks.model_folders import BROKEN, KINDS_OF_CODE, LOADERS, copied, pickled, with_code, with_fields

pytestmark = [pytest.mark.filterwarnings("ignore")]

# Commands that need all of a model, one after the other for the things that can be wrong with a folder.
WHOLE = ("sample", "implicit", "margin-r", "train", "reward", "embed")


def load(command, folder, sound, out, data=None):
    """Run a command on a folder; returns status, standard output and standard error."""
    words, rows = LOADERS[command]
    words = [str(word) for word in words(folder, sound, out)]
    lines = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    source = out.with_suffix(".jsonl")
    source.write_bytes(lines)
    if rows:
        words.append(str(source))
    result = CliRunner().invoke(app, words, input=data)
    return result.exit_code, result.stdout, result.stderr


def check_lines(said):
    """A run says what is wrong in lines of its own."""
    assert "bug" not in said
    assert "Traceback" not in said
    assert all(line.startswith("real: ") for line in said.splitlines()), said


@pytest.mark.parametrize("kind", KINDS_OF_CODE)
@pytest.mark.parametrize("command", LOADERS)
def test_no_code_of_a_folder_runs(command, kind, tiny_policy, tiny_reward, tmp_path):
    """`yes | real COMMAND`: what stands on standard input is no consent."""
    mark = tmp_path / "ran"
    folder = with_code(copied(tiny_reward if command == "reward" else tiny_policy, tmp_path / "model"), kind, mark)
    status, _, said = load(command, folder, tiny_policy, tmp_path / "out", data=b"y\n" * 1000)
    assert not mark.exists()
    check_lines(said)
    if kind in ("config", "kernel"):
        assert status == 1


@pytest.mark.parametrize("number", range(len(BROKEN)), ids=list(BROKEN))
def test_a_broken_folder_is_named_in_one_line(number, tiny_policy, tiny_reward, tmp_path):
    """The line names the folder and what in it is wrong; nothing is written, nothing is called a bug."""
    spoil, word = list(BROKEN.values())[number]
    command = WHOLE[number % len(WHOLE)]
    folder = copied(tiny_reward if command == "reward" else tiny_policy, tmp_path / "model")
    spoil(folder)
    status, written, said = load(command, folder, tiny_policy, tmp_path / "out")
    check_lines(said)
    assert (status, written) == (1, "")
    assert not (tmp_path / "ran").exists()
    last = said.splitlines()[-1]
    assert str(folder) in last
    assert word in last


@pytest.mark.parametrize("command", [command for command in LOADERS if command != "pre-query"])
def test_pickled_weights_are_read_alike(command, tiny_policy, tiny_reward, tmp_path):
    """Every command reads tensors of a pickle, and nothing else of it, and says so."""
    folder = pickled(copied(tiny_reward if command == "reward" else tiny_policy, tmp_path / "model"))
    status, _, said = load(command, folder, tiny_policy, tmp_path / "out")
    assert said.count("pytorch_model.bin is pickled: only its tensors are read") == 1
    assert status == 0 or "no chat template" in said
    check_lines(said)


def test_soup_copies_no_code(tiny_policy, tmp_path):
    """Neither the code of a folder nor the wish to have it run."""
    folder = with_code(copied(tiny_policy, tmp_path / "model"), "known config", tmp_path / "ran")
    status, _, said = load("soup", folder, folder, tmp_path / "out")
    assert status == 0, said
    assert not list((tmp_path / "out").rglob("*.py"))
    assert "auto_map" not in json.loads((tmp_path / "out" / "config.json").read_text())


@pytest.mark.parametrize("command", ["sample", "implicit", "margin", "train", "reward"])
@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}",
        "{{ 10**(10**10) }}",
        "{% set n = namespace(a='a') %}{% for b in range(99999) %}{% set n.a = n.a + n.a %}{% endfor %}",
    ],
    ids=["loops", "powers", "doubling"],
)
def test_a_template_that_does_not_end_is_ended(command, template, tiny_policy, tiny_reward, tmp_path, monkeypatch):
    """A chat template is rendered under limits of time and memory."""
    monkeypatch.setattr("real_cli.models.rendering.SECONDS", 0.3)
    folder = copied(tiny_reward if command == "reward" else tiny_policy, tmp_path / "model")
    (folder / "chat_template.jinja").write_text(template)
    with_fields(folder, "tokenizer_config.json", chat_template=template)
    user, answer = {"role": "user", "content": "the cat"}, [{"role": "assistant", "content": "sat"}]
    record = (
        {"prompt": [user]}
        if command == "sample"
        else {"prompt": [user], "chosen": answer, "rejected": [{"role": "assistant", "content": "ran"}]}
    )
    source = tmp_path / "rows.jsonl"
    source.write_bytes(orjson.dumps(record))
    words, _ = LOADERS[command]
    done = CliRunner().invoke(app, [*map(str, words(folder, tiny_policy, tmp_path / "out")), str(source)])
    assert done.exit_code == (3 if command == "sample" else 1)  # of the record, or of the run
    check_lines(done.stderr)
    assert "chat template" in done.stderr
