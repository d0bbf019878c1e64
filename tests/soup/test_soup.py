"""`real soup`: folders in, one folder out."""

import hashlib
import json
import math
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.bench import run_measured
from tests.bench.soup import write_model
from tests.train.training import run, train

pytestmark = pytest.mark.filterwarnings("ignore")

WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def first(make_tiny_policy):
    return make_tiny_policy(seed=1)


@pytest.fixture(scope="module")
def second(make_tiny_policy):
    return make_tiny_policy(seed=2)


def soup(*words, status=0):
    records, messages = run("soup", *words, status=status)
    return (records[0] if records else None), messages


def tensors_of(folder):
    return {name: tensor for path in folder.glob("*.safetensors") for name, tensor in load_file(path).items()}


def changed(folder, target, change):
    """Copy a checkpoint with other tensors."""
    shutil.copytree(folder, target)
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file(tensors, target / WEIGHTS, metadata={"format": "pt"})
    return target


def with_config(folder, target, **fields):
    shutil.copytree(folder, target)
    config = json.loads((target / "config.json").read_text())
    (target / "config.json").write_text(json.dumps(config | fields))
    return target


def in_format(folder, target, dtype):
    AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).save_pretrained(target)
    AutoTokenizer.from_pretrained(folder).save_pretrained(target)
    return target


# The average


def test_every_tensor_is_the_weighted_sum(first, second, tmp_path):
    soup(first, second, "-o", tmp_path / "out", "--weights", "0.3,0.7")
    result, single, two = map(tensors_of, (tmp_path / "out", first, second))
    assert list(result) == list(single)
    for name in result:
        assert torch.allclose(result[name], 0.3 * single[name] + 0.7 * two[name], rtol=1e-6, atol=1e-7)
        assert not torch.equal(result[name], single[name])


def test_a_model_with_itself_is_itself_and_the_files_are_the_same(first, tmp_path):
    """Methods 15(f): soup(A, A) = A; three of them, and weights that are no binary fractions."""
    _, messages = soup(first, first, first, "-o", tmp_path / "out", "--weights", "0.1,0.3,0.6")
    assert (tmp_path / "out" / WEIGHTS).read_bytes() == (first / WEIGHTS).read_bytes()
    assert messages.startswith(f"real: 3 models averaged; {first} more than once, ")  # a slip, where seeds were meant


@pytest.mark.parametrize("weights", ["1,0", "0,1"])
def test_weights_1_and_0_return_a_model_bit_for_bit(first, second, tmp_path, weights):
    """Methods 15(f)."""
    soup(first, second, "-o", tmp_path / "out", "--weights", weights)
    wanted = first if weights == "1,0" else second
    assert (tmp_path / "out" / WEIGHTS).read_bytes() == (wanted / WEIGHTS).read_bytes()


def test_half_and_half_is_symmetric(first, second, tmp_path):
    """Methods 15(f)."""
    soup(first, second, "-o", tmp_path / "a")
    soup(second, first, "-o", tmp_path / "b")
    assert (tmp_path / "a" / WEIGHTS).read_bytes() == (tmp_path / "b" / WEIGHTS).read_bytes()


def test_three_models(make_tiny_policy, first, second, tmp_path):
    third = make_tiny_policy(seed=3)
    record, _ = soup(first, second, third, "-o", tmp_path / "out")
    result = tensors_of(tmp_path / "out")
    for name, *tensors in ((name, *(tensors_of(model)[name] for model in (first, second, third))) for name in result):
        assert torch.allclose(result[name], sum(tensors) / 3, atol=1e-6)
    assert [model["weight"] for model in record["models"]] == [1 / 3] * 3


def test_pieces_smaller_than_a_tensor_make_the_same_file(first, second, tmp_path, monkeypatch):
    """A tensor of 16 x 32 in pieces of 7 numbers."""
    soup(first, second, "-o", tmp_path / "whole")
    monkeypatch.setattr("real_cli.models.load.tensor_files.PIECE", 7)
    soup(first, second, "-o", tmp_path / "pieces")
    assert (tmp_path / "pieces" / WEIGHTS).read_bytes() == (tmp_path / "whole" / WEIGHTS).read_bytes()


def test_bfloat16_models_make_a_bfloat16_model(first, second, tmp_path):
    """Rounded once: the average of two bfloat16 numbers in float32, then the nearest bfloat16."""
    single = in_format(first, tmp_path / "one", torch.bfloat16)
    two = in_format(second, tmp_path / "two", torch.bfloat16)
    record, _ = soup(single, two, "-o", tmp_path / "out")
    assert record["dtypes"] == ["bfloat16"]
    result, left, right = map(tensors_of, (tmp_path / "out", single, two))
    for name, tensor in result.items():
        assert torch.equal(tensor, ((left[name].float() + right[name].float()) / 2).bfloat16())
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype="auto").dtype == torch.bfloat16


def test_the_first_model_decides_the_format_and_dtype_overrides_it(first, second, tmp_path):
    two = in_format(second, tmp_path / "two", torch.bfloat16)
    assert soup(two, first, "-o", tmp_path / "a")[0]["dtypes"] == ["bfloat16"]
    assert soup(first, two, "-o", tmp_path / "b")[0]["dtypes"] == ["float32"]
    assert soup(first, two, "-o", tmp_path / "c", "--dtype", "float16")[0]["dtypes"] == ["float16"]
    assert json.loads((tmp_path / "c" / "config.json").read_text())["dtype"] == "float16"
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "c", dtype="auto").dtype == torch.float16


def test_tied_weights_stay_tied(make_tiny_policy, tmp_path):
    first, two = (make_tiny_policy(seed=seed, tie_word_embeddings=True) for seed in (1, 2))
    soup(first, two, "-o", tmp_path / "out")
    assert "lm_head.weight" not in tensors_of(tmp_path / "out")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert model.lm_head.weight is model.model.embed_tokens.weight
    names = "model.embed_tokens.weight"
    wanted = (tensors_of(first)[names] + tensors_of(two)[names]) / 2
    assert torch.allclose(model.lm_head.weight, wanted)


def test_shards_are_averaged_by_name_whatever_file_they_are_in(first, second, tmp_path):
    """The first model in several files, the second in one: the result has the first one's files."""
    AutoModelForCausalLM.from_pretrained(first).save_pretrained(tmp_path / "shards", max_shard_size="4KB")
    AutoTokenizer.from_pretrained(first).save_pretrained(tmp_path / "shards")
    files = sorted(path.name for path in (tmp_path / "shards").glob("*.safetensors"))
    assert len(files) >= 2
    record, _ = soup(tmp_path / "shards", second, "-o", tmp_path / "out")
    assert sorted(record["sha256"]) == sorted(record["models"][0]["sha256"]) == files
    soup(first, second, "-o", tmp_path / "whole")
    output, wanted = tensors_of(tmp_path / "out"), tensors_of(tmp_path / "whole")
    assert set(output) == set(wanted)
    assert all(torch.equal(output[name], wanted[name]) for name in wanted)
    index = json.loads((tmp_path / "out" / "model.safetensors.index.json").read_text())
    given = json.loads((tmp_path / "shards" / "model.safetensors.index.json").read_text())
    assert index["weight_map"] == given["weight_map"]
    assert index["metadata"]["total_size"] == given["metadata"]["total_size"]
    AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    soup(second, tmp_path / "shards", "-o", tmp_path / "other")
    assert [path.name for path in (tmp_path / "other").glob("*.safetensors")] == [WEIGHTS]


def test_a_negative_weight_extrapolates(first, second, tmp_path):
    soup(first, second, "-o", tmp_path / "out", "--weights", "1.5,-0.5")
    mixed, start, other = map(tensors_of, (tmp_path / "out", first, second))
    assert all(
        torch.allclose(mixed[name], start[name] + 0.5 * (start[name] - other[name]), atol=1e-6) for name in mixed
    )


def test_what_is_not_averaged_is_the_same_or_refused(first, second, tmp_path):
    single = changed(first, tmp_path / "one", lambda tensors: tensors.update(steps=torch.tensor([3, 4])))
    two = changed(second, tmp_path / "two", lambda tensors: tensors.update(steps=torch.tensor([3, 4])))
    record, _ = soup(single, two, "-o", tmp_path / "out")
    assert tensors_of(tmp_path / "out")["steps"].tolist() == [3, 4]
    assert record["num_tensors"] == len(tensors_of(single))
    assert record["num_parameters"] == sum(tensor.numel() for tensor in tensors_of(first).values())
    three = changed(second, tmp_path / "three", lambda tensors: tensors.update(steps=torch.tensor([3, 5])))
    _, messages = soup(single, three, "-o", tmp_path / "no", status=1)
    assert "tensor 'steps' is I64, which is not averaged, and differs in " in messages
    assert not (tmp_path / "no").exists()


# What is written beside


def test_the_manifest_and_the_record_name_models_weights_and_hashes(first, second, tmp_path):
    record, messages = soup(first, second, "-o", tmp_path / "out", "--weights", "1/4,3/4")
    manifest = json.loads((tmp_path / "out" / "real.json").read_text())
    assert manifest.pop("versions").keys() >= {"real-cli", "torch", "safetensors"}
    assert manifest == record
    hashes = [hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest() for folder in (first, second)]
    assert record["models"] == [
        {"model": str(folder), "path": str(folder), "weight": weight, "sha256": {WEIGHTS: digest}}
        for folder, weight, digest in zip((first, second), (0.25, 0.75), hashes, strict=True)
    ]
    assert record["sha256"] == {WEIGHTS: hashlib.sha256((tmp_path / "out" / WEIGHTS).read_bytes()).hexdigest()}
    assert messages == f"real: 2 models averaged, {record['num_tensors']} tensors: {tmp_path / 'out'}\n"
    assert soup(first, second, "-o", tmp_path / "quiet", "-q")[1] == ""


def test_tokenizer_template_and_settings_are_the_first_ones_and_a_difference_is_told(make_tiny_policy, first, tmp_path):
    other = make_tiny_policy(seed=2, chat_template="{{ messages }}")
    _, reply = soup(first, other, "-o", tmp_path / "out")
    assert f"not alike in all models: chat_template.jinja; {first}'s is copied" in reply
    assert not (tmp_path / "out" / "chat_template.jinja").exists()
    _, reply = soup(other, first, "-o", tmp_path / "other")
    assert (tmp_path / "other" / "chat_template.jinja").read_text() == "{{ messages }}"
    for name in ("tokenizer.json", "generation_config.json", "config.json"):
        assert (tmp_path / "out" / name).read_bytes() == (first / name).read_bytes()


def test_what_a_training_run_left_is_not_copied(first, second, tmp_path):
    single = tmp_path / "one"
    shutil.copytree(first, single)
    (single / "LICENSE").write_text("free")
    for left in ("real.json", "trainer_state.json", "pytorch_model.bin", "README.md", "training_args.bin"):
        (single / left).write_text("{}")
    (single / "checkpoint-3").mkdir()
    soup(single, second, "-o", tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {path.name for path in first.iterdir()} | {"real.json", "LICENSE"}
    assert json.loads((tmp_path / "out" / "real.json").read_text())["command"] == "soup"


def test_a_sentence_transformers_folder_keeps_its_modules(first, second, tmp_path):
    for name, folder in (("one", first), ("two", second)):
        shutil.copytree(folder, tmp_path / name)
        (tmp_path / name / "modules.json").write_text('[{"path": ""}, {"path": "1_Pooling"}]')
        (tmp_path / name / "1_Pooling").mkdir()
        (tmp_path / name / "1_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": true}')
    soup(tmp_path / "one", tmp_path / "two", "-o", tmp_path / "out")
    assert (tmp_path / "out" / "1_Pooling" / "config.json").exists()
    shutil.copy(first / WEIGHTS, tmp_path / "one" / "1_Pooling")
    _, messages = soup(tmp_path / "one", tmp_path / "two", "-o", tmp_path / "no", status=1)
    assert "has weights in 1_Pooling/model.safetensors too" in messages


# What is refused


def test_models_of_other_sizes_are_refused_with_every_difference(make_tiny_policy, first, tmp_path):
    other = make_tiny_policy(seed=2, intermediate_size=24, num_hidden_layers=1)
    _, messages = soup(first, other, "-o", tmp_path / "out", status=1)
    assert messages.startswith(
        f"real: no average of different models; {first} and {other}: config 'intermediate_size' is 32"
    )
    for part in (
        "config 'intermediate_size' is 32 and 24, config 'num_hidden_layers' is 2 and 1, ",
        "tensor 'model.layers.0.mlp.down_proj.weight' has shapes 16x32 and 16x24",
        ", and ",
        " more",
    ):
        assert part in messages
    assert messages.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_each_of_several_other_models_is_named(make_tiny_policy, first, second, tmp_path):
    other = make_tiny_policy(seed=2, rms_norm_eps=1e-3)
    third = with_config(second, tmp_path / "third", hidden_act="relu")
    _, messages = soup(first, second, other, third, "-o", tmp_path / "out", status=1)
    assert f"{first} and {second}" not in messages
    assert (
        f"{first} and {other}: config 'rms_norm_eps' is 1e-06 and 0.001; {first} and {third}: config 'hidden_act'"
        in messages
    )


def test_another_architecture_is_refused(make_tiny_policy, first, tmp_path):
    other = make_tiny_policy("qwen2")
    _, messages = soup(first, other, "-o", tmp_path / "out", status=1)
    assert "config 'architectures' is ['LlamaForCausalLM'] and ['Qwen2ForCausalLM']" in messages


def test_a_missing_and_an_added_tensor_are_named(first, second, tmp_path):
    def drop(tensors):
        tensors["model.extra.weight"] = tensors.pop("model.norm.weight")

    other = changed(second, tmp_path / "other", drop)
    _, stderr = soup(first, other, "-o", tmp_path / "out", status=1)
    assert (
        "tensor 'model.extra.weight' is in the second alone, tensor 'model.norm.weight' is in the first alone" in stderr
    )


def test_other_vocabularies_are_refused(first, second, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(second, other)
    text = (other / "tokenizer.json").read_text().replace('"cat"', '"cow"')
    (other / "tokenizer.json").write_text(text)
    _, messages = soup(first, other, "-o", tmp_path / "out", status=1)
    assert "2 tokens of the vocabularies, 'cat' for one" in messages


def test_pickles_broken_files_and_strange_numbers_are_refused(first, second, tmp_path):
    pickled, broken, strange, empty = (tmp_path / name for name in ("pickled", "broken", "strange", "empty"))
    for folder in (pickled, broken, empty):
        shutil.copytree(first, folder)
    (pickled / WEIGHTS).rename(pickled / "pytorch_model.bin")
    (broken / WEIGHTS).write_bytes((first / WEIGHTS).read_bytes()[:-5])
    (empty / WEIGHTS).unlink()
    changed(second, strange, lambda tensors: tensors["model.norm.weight"].fill_(math.nan))
    for folder, messages in {
        pickled: f"model '{pickled}': pytorch_model.bin is damaged, or holds more than tensors",
        broken: f"model '{broken}': {WEIGHTS} is no whole safetensors file: its tensors have ",
        empty: "has no weights: neither model.safetensors nor model.safetensors.index.json",
        strange: f"model '{strange}': tensor 'model.norm.weight' is not finite",
        tmp_path / "none": "none': no such folder",
    }.items():
        _, notes = soup(first, folder, "-o", tmp_path / "out", status=1)
        assert messages in notes
        assert notes.count("\n") == 1 + (folder is pickled)  # that only its tensors are read is told before
        assert not (tmp_path / "out").exists()
        assert not list(tmp_path.glob(".*"))


def test_a_quantized_model_is_refused(first, second, tmp_path):
    quantized = with_config(second, tmp_path / "quantized", quantization_config={"quant_method": "gptq"})
    _, messages = soup(first, quantized, "-o", tmp_path / "out", status=1)
    assert "is quantized, and an average of codes means nothing; dequantize it first" in messages


def test_an_index_that_leads_out_of_the_folder_is_refused(first, second, tmp_path):
    shutil.copytree(first, tmp_path / "one")
    (tmp_path / "one" / WEIGHTS).unlink()
    index = tmp_path / "one" / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "../secret.safetensors"}}))
    _, messages = soup(tmp_path / "one", second, "-o", tmp_path / "out", status=1)
    assert "names '../secret.safetensors', which is outside the folder; " in messages
    index.write_text("[]")
    _, messages = soup(tmp_path / "one", second, "-o", tmp_path / "out", status=1)
    assert "model.safetensors.index.json names no files of weights" in messages


def test_an_average_beyond_float16_is_refused(first, tmp_path):
    """1.5 * 60000 - .5 * -60000 = 120000; float16 ends at 65504."""
    shutil.copytree(first, tmp_path / "one")
    shutil.copytree(first, tmp_path / "two")
    for name, value in (("one", 6e4), ("two", -6e4)):
        tensors = {key: tensor.half() for key, tensor in load_file(first / WEIGHTS).items()}
        tensors["model.norm.weight"].fill_(value)
        save_file(tensors, tmp_path / name / WEIGHTS, metadata={"format": "pt"})
    words = [tmp_path / "one", tmp_path / "two", "--weights", "1.5,-0.5", "-o", tmp_path / "out"]
    _, messages = soup(*words, status=1)
    assert "tensor 'model.norm.weight': the average is beyond what float16 holds; try --dtype float32" in messages
    soup(*words, "--dtype", "float32")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["A"], "one model has no average; name two or more"),
        (["A", "A", "--weights", "0.5"], "1 weights and 2 models; give one for each"),
        (["A", "A", "--weights", "0.5,0.6"], "their sum is 1.1; it must be 1"),
    ],
)
def test_a_wrong_command_line_is_refused_before_anything_is_read(first, tmp_path, words, complaint):
    _, notes = soup(*(first if word == "A" else word for word in words), "-o", tmp_path / "out", status=2)
    assert complaint in notes
    assert list(tmp_path.iterdir()) == []


def test_a_taken_folder_is_refused_and_an_empty_one_taken(first, second, tmp_path):
    (tmp_path / "out").mkdir()
    soup(first, second, "-o", tmp_path / "out")
    _, messages = soup(first, second, "-o", tmp_path / "out", status=2)
    assert "out: is not empty; name another folder" in messages


# With other commands


def test_training_does_not_take_a_soup_for_an_earlier_run(first, second, tmp_path, pair_rows):
    soup(first, second, "-o", tmp_path / "out")
    _, messages = train(first, tmp_path / "out", pair_rows, status=2)
    assert "out: is not empty and not from 'real train-dpo'; name another folder" in messages
    assert (tmp_path / "out" / "real.json").exists()


@pytest.mark.slow
def test_a_stopped_run_leaves_nothing(tmp_path):
    """SmolLM2 with itself: a second of work at least."""
    command = [sys.executable, "-m", "real_cli", "soup", "smollm2", "smollm2", "-o", str(tmp_path / "out")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not list(tmp_path.glob(".out.*/*.safetensors")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 143
    assert list(tmp_path.iterdir()) == []
    process.stdout.close()
    process.stderr.close()


@pytest.mark.slow
def test_adapters_are_merged_into_their_base_first(first, second, tmp_path, pair_rows):
    """Methods 15(g): the average of the products, not the product of the averages."""
    words = ["--lora", "--max-steps", "3", "--learning-rate", "0.1"]
    for seed in ("1", "2"):
        train(first, tmp_path / seed, pair_rows, *words, "--seed", seed)
        train(first, tmp_path / f"{seed}m", pair_rows, *words, "--seed", seed, "--merge")
    record, _ = soup(tmp_path / "1", tmp_path / "2", "-o", tmp_path / "out")
    assert record["models"][0]["base"] == str(first)
    assert list(record["models"][0]["sha256"]) == ["adapter_model.safetensors"]
    result, single, two = (tensors_of(tmp_path / name) for name in ("out", "1m", "2m"))
    assert set(result) == set(single)
    for name in result:
        assert torch.allclose(result[name], (single[name] + two[name]) / 2, atol=1e-6)
    assert not torch.allclose(single["model.layers.0.mlp.up_proj.weight"], two["model.layers.0.mlp.up_proj.weight"])
    assert not (tmp_path / "out" / "adapter_config.json").exists()
    assert not list(tmp_path.glob(".*"))
    soup(second, tmp_path / "1", "-o", tmp_path / "both")  # a whole model and an adapter


@pytest.mark.slow
def test_training_against_a_soup_does_not_start_at_ln_2(first, second, tmp_path, pair_rows):
    """Methods 15(f): policy A, reference soup(A, B): h is not 0; against A itself it is, and the loss ln 2."""
    soup(first, second, "-o", tmp_path / "soup")
    soup(first, second, "-o", tmp_path / "same", "--weights", "1,0")
    words = ["--max-steps", "1", "--batch-size", "8", "--beta", "1"]
    against = {
        name: train(first, tmp_path / f"against-{name}", pair_rows, "--reference", tmp_path / name, *words)[0][0][
            "loss"
        ]
        for name in ("soup", "same")
    }
    assert against["same"] == pytest.approx(math.log(2), abs=1e-5)
    assert abs(against["soup"] - math.log(2)) > 1e-2


@pytest.mark.slow
def test_short_names_and_their_folders_are_one_model(tmp_path):
    """SmolLM2 is a GGUF file: it is averaged as the folder it was dequantized into."""
    record, _ = soup("smollm2", "smollm2", "-o", tmp_path / "out", "--dtype", "bfloat16")
    assert "models/SmolLM2-135M-Instruct.Q4_1-" in record["models"][0]["path"]
    assert (tmp_path / "out" / "chat_template.jinja").exists()
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype="auto")
    assert model.lm_head.weight is model.model.embed_tokens.weight
    record, _ = soup("minilm", "minilm", "-o", tmp_path / "encoder")
    assert (tmp_path / "encoder" / "1_Pooling" / "config.json").exists()
    (ours,) = record["models"][0]["sha256"].values()
    assert record["sha256"] == {WEIGHTS: ours}


@pytest.mark.slow
def test_memory_holds_pieces_and_no_tensor(tmp_path):
    """Two models of a tensor of 256 MiB and smaller ones, less what models of a few numbers take: the libraries."""
    peaks, num_bytes = {}, {}
    for num_rows in (16, 1 << 16):
        models = [tmp_path / f"{num_rows}-{seed}" for seed in (1, 2)]
        for seed, model in enumerate(models):
            _, num_bytes[num_rows] = write_model(model, num_rows, seed=seed, dtype=torch.float32)
        words = ["soup", *map(str, models), "-o", str(tmp_path / f"{num_rows}-out")]
        measured = run_measured([sys.executable, "-m", "real_cli", *words])
        assert measured["num_parameters"] >= 1024 * num_rows
        peaks[num_rows] = measured["peak_mb"]
    shutil.rmtree(tmp_path)  # more than a GB, which pytest would keep
    largest_mb = num_bytes[1 << 16] / 2**20
    assert largest_mb == 256
    assert peaks[1 << 16] - peaks[16] < 0.5 * largest_mb
