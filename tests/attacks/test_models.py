"""Folders of models that are hostile, broken or not whole: nothing runs, and a line says what is wrong."""

import json

import orjson
import pytest
from typer.testing import CliRunner

from real_cli.app import app
from tests.attacks.model_folders import BROKEN, KINDS_OF_CODE, LOADERS, copied, pickled, with_code, with_fields

pytestmark = [pytest.mark.filterwarnings("ignore")]

# Commands that need all of a model, one after the other for the things that can be wrong with a folder.
WHOLE = ("sample", "implicit", "margin-r", "train", "reward", "embed")


def load(command, folder, sound, out, *more, data=None):
    """Run a command on a folder; returns status, standard output and standard error."""
    words, rows = LOADERS[command]
    words = [str(word) for word in (*words(folder, sound, out), *more)]
    lines = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    source = out.with_suffix(".jsonl")
    source.write_bytes(lines)
    if rows:
        words.append(str(source))
    result = CliRunner().invoke(app, words, input=data)
    return result.exit_code, result.stdout, result.stderr


def check_lines(messages):
    """A run says what is wrong in lines of its own."""
    assert "bug" not in messages
    assert "Traceback" not in messages
    assert all(line.startswith("real: ") for line in messages.splitlines()), messages


# Every way to load a model, for every place that asks for code to be run; of the rarer ones a few commands.
CODE = [(command, kind) for command in LOADERS for kind in KINDS_OF_CODE[:4]]
CODE += [(command, kind) for command in ("sample", "embed", "reward", "soup", "train") for kind in KINDS_OF_CODE[4:]]


@pytest.mark.parametrize(("command", "kind"), CODE)
def test_no_code_of_a_folder_runs(command, kind, tiny_policy, tiny_reward, tmp_path):
    """`yes | real COMMAND`: what stands on standard input is no consent."""
    mark = tmp_path / "ran"
    folder = with_code(copied(tiny_reward if command == "reward" else tiny_policy, tmp_path / "model"), kind, mark)
    status, _, messages = load(command, folder, tiny_policy, tmp_path / "out", data=b"y\n" * 1000)
    assert not mark.exists()
    check_lines(messages)
    if kind in ("config", "kernel"):
        assert status == 1


@pytest.mark.parametrize("number", range(len(BROKEN)), ids=list(BROKEN))
def test_a_broken_folder_is_named_in_one_line(number, tiny_policy, tiny_reward, tmp_path):
    """The line names the folder and what in it is wrong; nothing is written, nothing is called a bug."""
    spoil, word = list(BROKEN.values())[number]
    command = WHOLE[number % len(WHOLE)]
    folder = copied(tiny_reward if command == "reward" else tiny_policy, tmp_path / "model")
    spoil(folder)
    status, written, messages = load(command, folder, tiny_policy, tmp_path / "out")
    check_lines(messages)
    assert (status, written) == (1, "")
    assert not (tmp_path / "ran").exists()
    last = messages.splitlines()[-1]
    assert str(folder) in last
    assert word in last


@pytest.mark.parametrize("command", [command for command in LOADERS if command != "pre-query"])
def test_pickled_weights_are_read_alike(command, tiny_policy, tiny_reward, tmp_path):
    """Every command reads tensors of a pickle, and nothing else of it, and says so."""
    folder = pickled(copied(tiny_reward if command == "reward" else tiny_policy, tmp_path / "model"))
    status, _, messages = load(command, folder, tiny_policy, tmp_path / "out")
    assert messages.count("pytorch_model.bin is pickled: only its tensors are read") == 1
    assert status == 0 or "no chat template" in messages
    check_lines(messages)


def test_soup_copies_no_code(tiny_policy, tmp_path):
    """Neither the code of a folder nor the wish to have it run."""
    folder = with_code(copied(tiny_policy, tmp_path / "model"), "known config", tmp_path / "ran")
    status, _, messages = load("soup", folder, folder, tmp_path / "out")
    assert status == 0, messages
    assert not list((tmp_path / "out").rglob("*.py"))
    assert "auto_map" not in json.loads((tmp_path / "out" / "config.json").read_text())


@pytest.mark.parametrize("command", ["sample", "margin", "reward"])
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
    monkeypatch.setattr("real_cli.models.load.rendering.SECONDS", 0.3)
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


# Adapters


@pytest.fixture(scope="module")
def adapter(tiny_policy, tmp_path_factory):
    """An adapter as anybody makes one: without a manifest of ours."""
    peft = pytest.importorskip("peft")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = tmp_path_factory.mktemp("adapter")
    config = peft.LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM")
    peft.get_peft_model(AutoModelForCausalLM.from_pretrained(tiny_policy), config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny_policy).save_pretrained(folder)
    return with_fields(folder, "adapter_config.json", base_model_name_or_path=str(tiny_policy))


MERGING = [command for command in LOADERS if command not in ("pre-query", "reward", "judge", "bridge", "dsat")]


@pytest.mark.parametrize("command", MERGING)
def test_the_base_of_an_adapter_is_told_and_not_downloaded(command, adapter, tiny_policy, tmp_path):
    """A base on this machine is told; one that is not is named by the user, or refused."""
    status, _, messages = load(command, adapter, tiny_policy, tmp_path / "out")
    assert status == 0, messages
    assert messages.count(f"its adapter_config.json names {tiny_policy} as its base, which is loaded") == 1
    far = with_fields(copied(adapter, tmp_path / "far"), "adapter_config.json", base_model_name_or_path="some/model")
    status, _, messages = load(command, far, tiny_policy, tmp_path / "other")
    assert status == 1
    assert "to download it, name it: --base some/model" in messages
    status, _, messages = load(command, far, tiny_policy, tmp_path / "third", "--base", tiny_policy)
    assert status == 0, messages
    assert "some/model" not in messages


def test_an_adapter_that_lacks_a_tensor_is_refused(adapter, tiny_policy, tmp_path):
    """It would be filled with random numbers, times zero: the layer would stay as it was, without a word."""
    from safetensors.torch import load_file, save_file

    folder = copied(adapter, tmp_path / "cut")
    tensors = load_file(folder / "adapter_model.safetensors")
    gone = next(name for name in tensors if "layers.1" in name)
    save_file({name: value for name, value in tensors.items() if name != gone}, folder / "adapter_model.safetensors")
    status, _, messages = load("sample", folder, tiny_policy, tmp_path / "out")
    assert status == 1
    assert f"its weights lack '{gone}'" in messages


@pytest.mark.parametrize(
    "field",
    [{"megatron_config": {"a": 1}, "megatron_core": "evil"}, {"task_type": "SEQ_CLS"}, {"peft_type": "XLORA"}],
)
def test_an_adapter_of_another_kind_is_refused(field, adapter, tiny_policy, tmp_path):
    """One that names code, and one for another task."""
    folder = with_fields(copied(adapter, tmp_path / "cut"), "adapter_config.json", **field)
    status, _, messages = load("sample", folder, tiny_policy, tmp_path / "out")
    assert status == 1
    check_lines(messages)
    assert "adapter_config.json" in messages
