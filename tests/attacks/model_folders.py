"""Hostile model folders: copies of a sound one, each with one thing wrong, and the commands that load a model."""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from tests.train.training import FAST

WEIGHTS = "model.safetensors"
ROWS = [{"prompt": "the cat", "chosen": " sat on the mat", "rejected": " ran"}]
PROMPTS = [{"prompt": "the cat"}]
PAIRS = [{"prompt": "the cat", "responses": [{"text": " sat"}, {"text": " ran"}]}]
DIALOGUES = [{"prompt": [{"role": role, "content": "the cat"} for role in ("user", "assistant", "user")]}]


def _few(*words):
    return lambda folder, sound, out: [*words, folder, "--device", "cpu"]


# Every way to load a model: words from the folder, a sound model, and a place to write; and what is read.
LOADERS = {
    "embed": (_few("embed", "--model"), PAIRS),
    "sample": (
        lambda folder, sound, out: ["sample", "--policy", folder, "--device", "cpu", "--max-tokens", "2"],
        PROMPTS,
    ),
    "pre-query": (lambda folder, sound, out: ["sample", "--policy", folder, "--pre-query", "-n", "1"], []),
    "judge": (_few("relabel", "judge", "--no-cache", "--model"), PAIRS),
    "bridge": (_few("relabel", "bridge", "--no-cache", "--model"), ROWS),
    "dsat": (_few("relabel", "dsat", "--no-cache", "--model"), DIALOGUES),
    "reward": (_few("relabel", "reward", "--model"), PAIRS),
    "implicit": (
        lambda folder, sound, out: [*_few("relabel", "implicit", "--policy")(folder, sound, out), "-r", sound],
        PAIRS,
    ),
    "implicit-r": (
        lambda folder, sound, out: [*_few("relabel", "implicit", "--policy")(sound, sound, out), "-r", folder],
        PAIRS,
    ),
    "margin": (lambda folder, sound, out: ["eval", "margin", "--policy", folder, "-r", sound, "--device", "cpu"], ROWS),
    "margin-r": (
        lambda folder, sound, out: ["eval", "margin", "--policy", sound, "-r", folder, "--device", "cpu"],
        ROWS,
    ),
    "train": (lambda folder, sound, out: ["train-dpo", "--policy", folder, "-o", out, *FAST], ROWS),
    "train-r": (lambda folder, sound, out: ["train-dpo", "--policy", sound, "-r", folder, "-o", out, *FAST], ROWS),
    "soup": (lambda folder, sound, out: ["soup", folder, sound, "-o", out], []),
}


def copied(sound: Path, target: Path) -> Path:
    """Copy a folder, so that one thing in it can be spoilt."""
    shutil.copytree(sound, target)
    return target


def with_fields(folder: Path, file: str, **fields: object) -> Path:
    """Change fields of a JSON file of a folder."""
    path = folder / file
    content = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(content | fields))
    return folder


def with_tensors(folder: Path, change) -> Path:
    """Change the weights of a folder."""
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    return folder


def pickled(folder: Path) -> Path:
    """Keep the weights as a pickle alone."""
    torch.save(load_file(folder / WEIGHTS), folder / "pytorch_model.bin")
    (folder / WEIGHTS).unlink()
    return folder


# Where a folder says that its own code is to be run, and how.


def with_code(folder: Path, kind: str, mark: Path) -> Path:
    """Put code into a folder that makes a file when it runs, and have the folder ask for it."""
    text = f"open({str(mark)!r}, 'w').close()\nclass Evil:\n    pass\n"
    for name in ("evil.py", "configuration_evil.py", "modeling_evil.py", "__init__.py"):
        (folder / name).write_text(text)
    models = ("AutoModel", "AutoModelForCausalLM", "AutoModelForSequenceClassification")
    code = {name: "evil.Evil" for name in (*models, "AutoConfig", "AutoProcessor", "AutoImageProcessor")}
    code["AutoTokenizer"] = ["evil.Evil", "evil.Evil"]
    if kind == "config":
        with_fields(folder, "config.json", auto_map=code, model_type="evil", architectures=["EvilForCausalLM"])
    if kind == "known config":
        with_fields(folder, "config.json", auto_map=code)
    if kind == "tokenizer":
        with_fields(folder, "tokenizer_config.json", auto_map=code, tokenizer_class="EvilTokenizer")
    if kind == "processor":
        for file in ("processor_config.json", "preprocessor_config.json"):
            with_fields(folder, file, auto_map=code, processor_class="EvilProcessor", image_processor_type="Evil")
    if kind == "modules":
        module = {"idx": 0, "name": "0", "path": "", "type": "evil.Evil"}
        (folder / "modules.json").write_text(json.dumps([module]))
    if kind == "kernel":
        with_fields(folder, "config.json", attn_implementation="evil/attention", _attn_implementation="evil/attention")
    return folder


KINDS_OF_CODE = ("config", "tokenizer", "processor", "modules", "known config", "kernel")


def _bytes(name: str, change):
    def spoil(folder: Path) -> None:
        path = folder / name
        path.write_bytes(change(path.read_bytes()))

    return spoil


def _tensors(change):
    return lambda folder: with_tensors(folder, change)


def _fields(file: str, **fields: object):
    return lambda folder: with_fields(folder, file, **fields)


def _layer(tensors: dict) -> None:
    for name in [name for name in tensors if ".layers.1." in name]:
        del tensors[name]


def _nan(tensors: dict) -> None:
    tensors["model.layers.1.mlp.up_proj.weight"][3, 5] = float("nan")


def _tokenizer(change):
    def spoil(folder: Path) -> None:
        path = folder / "tokenizer.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return spoil


def _pattern(pattern: str):
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    return _tokenizer(lambda content: content.update(pre_tokenizer=split))


def _evil_pickle(folder: Path) -> None:
    """A pickle that makes a file when it is loaded without care."""
    mark = str(folder.parent / "ran")
    (folder / WEIGHTS).unlink()

    class Evil:
        def __reduce__(self):
            return (open, (mark, "w"))

    torch.save({"model.norm.weight": Evil()}, folder / "pytorch_model.bin")


def _cut_pickle(folder: Path) -> None:
    pickled(folder)
    path = folder / "pytorch_model.bin"
    path.write_bytes(path.read_bytes()[:2000])


def _index(folder: Path, content: str) -> None:
    (folder / WEIGHTS).rename(folder / "model-00001-of-00001.safetensors")
    (folder / "model.safetensors.index.json").write_text(content)


# What is wrong with a folder: how it gets so, and a word of what is said.
BROKEN = {
    "weights empty": (_bytes(WEIGHTS, lambda data: b""), WEIGHTS),
    "weights cut": (_bytes(WEIGHTS, lambda data: data[: len(data) // 2]), WEIGHTS),
    "weights cut in the header": (_bytes(WEIGHTS, lambda data: data[:100]), WEIGHTS),
    "weights of seven bytes": (_bytes(WEIGHTS, lambda data: data[:7]), WEIGHTS),
    "weights of text": (_bytes(WEIGHTS, lambda data: b"version https://git-lfs.github.com/spec/v1\n" * 3), WEIGHTS),
    "header too long": (_bytes(WEIGHTS, lambda data: b"\xff" * 8 + data[8:]), WEIGHTS),
    "header of garbage": (_bytes(WEIGHTS, lambda data: data[:8] + b"\0" * 64 + data[72:]), WEIGHTS),
    "weights longer": (_bytes(WEIGHTS, lambda data: data + b"more"), WEIGHTS),
    "index of garbage": (lambda folder: _index(folder, "{"), "index.json"),
    "index of nothing": (lambda folder: _index(folder, "{}"), "index.json"),
    "index of a missing file": (
        lambda folder: _index(folder, '{"weight_map": {"a": "b.safetensors"}}'),
        "b.safetensors",
    ),
    "index that leads out": (
        lambda folder: _index(folder, '{"weight_map": {"a": "../b.safetensors"}}'),
        "../b.safetensors",
    ),
    "no weights": (lambda folder: (folder / WEIGHTS).unlink(), "weights"),
    "a pickle that runs code": (_evil_pickle, "pytorch_model.bin"),
    "a pickle of garbage": (
        lambda folder: ((folder / WEIGHTS).rename(folder / "pytorch_model.bin"), None)[1],
        "pytorch_model.bin",
    ),
    "a cut pickle": (_cut_pickle, "pytorch_model.bin"),
    "a missing layer": (_tensors(_layer), "model.layers.1."),
    "a missing norm": (_tensors(lambda tensors: tensors.pop("model.norm.weight")), "norm.weight"),
    "other names": (
        _tensors(lambda tensors: [tensors.update({f"x.{n}": tensors.pop(n)}) for n in list(tensors)]),
        "its weights lack",
    ),
    "weights that are no numbers": (_tensors(_nan), "up_proj"),
    "another shape": (
        _tensors(lambda tensors: tensors.update({"model.norm.weight": torch.ones(7)})),
        "model.norm.weight",
    ),
    "config empty": (_bytes("config.json", lambda data: b""), "config.json"),
    "config cut": (_bytes("config.json", lambda data: data[:50]), "config.json"),
    "config of a list": (_bytes("config.json", lambda data: b"[]"), "config.json"),
    "config of nothing": (_bytes("config.json", lambda data: b"{}"), "config.json"),
    "config not in UTF-8": (_bytes("config.json", lambda data: b"\xff\xfe" + data), "config.json"),
    "config nested deep": (_bytes("config.json", lambda data: b'{"a":' + b"[" * 100_000), "config.json"),
    "layers as a word": (_fields("config.json", num_hidden_layers="two"), "num_hidden_layers"),
    "layers below zero": (_fields("config.json", num_hidden_layers=-3), "num_hidden_layers"),
    "layers without end": (_fields("config.json", num_hidden_layers=100_000_000), "num_hidden_layers"),
    "layers beyond the weights": (_fields("config.json", num_hidden_layers=4000), "num_hidden_layers"),
    "one layer more": (_fields("config.json", num_hidden_layers=3), "model.layers.2."),
    "wide beyond memory": (_fields("config.json", hidden_size=1 << 22, intermediate_size=1 << 22), "config.json"),
    "vocabulary beyond memory": (_fields("config.json", vocab_size=1 << 40), "vocab_size"),
    "labels without end": (_fields("config.json", num_labels=1 << 40), "num_labels"),
    "heads of zero": (_fields("config.json", num_attention_heads=0), ""),
    "no such activation": (_fields("config.json", hidden_act="evil"), ""),
    "no such model": (_fields("config.json", model_type="evil", architectures=["Evil"]), "evil"),
    "dtype of another module": (_fields("config.json", dtype="nn", torch_dtype="nn"), ""),
    "rope of nothing": (_fields("config.json", rope_parameters={"rope_type": "evil"}), ""),
    "generation of a list": (
        lambda folder: (folder / "generation_config.json").write_text("[]"),
        "generation_config.json",
    ),
    "tokenizer empty": (_bytes("tokenizer.json", lambda data: b""), "tokenizer.json"),
    "tokenizer cut": (_bytes("tokenizer.json", lambda data: data[: len(data) // 2]), "tokenizer.json"),
    "tokenizer of nothing": (_bytes("tokenizer.json", lambda data: b"{}"), "tokenizer.json"),
    "tokenizer of another kind": (_tokenizer(lambda content: content["model"].update(type="Evil")), "tokenizer.json"),
    "tokenizer of one word": (_tokenizer(lambda content: content["model"].update(vocab={"a": 0})), ""),
    "tokenizer of more words": (_tokenizer(lambda content: content["model"]["vocab"].update(cat=5000)), "5,000"),
    "tokenizer below zero": (_tokenizer(lambda content: content["model"]["vocab"].update(cat=-1)), "tokenizer.json"),
    "no pattern": (_pattern("("), "tokenizer.json"),
    "a pattern that hangs": (_pattern("(a+)+$"), "tokenizer.json"),
    "a pattern that hangs too": (_pattern(r"(?:[a-z]|[a-y]|\w\w?)*b"), "tokenizer.json"),
    "a pattern without end": (_pattern("a" * 1_000_000), "tokenizer.json"),
    "a pattern of numbers": (_pattern("(?:a{1,1000}){1,1000}"), "tokenizer.json"),
    "tokenizer settings cut": (_bytes("tokenizer_config.json", lambda data: data[:20]), "tokenizer_config.json"),
    "tokenizer settings of a list": (_bytes("tokenizer_config.json", lambda data: b"[1]"), "tokenizer_config.json"),
    "no end token": (_fields("tokenizer_config.json", eos_token=None), ""),
    "end token of a number": (_fields("tokenizer_config.json", eos_token=5), ""),
    "model_max_length of a word": (_fields("tokenizer_config.json", model_max_length="long"), ""),
    "modules of nothing": (lambda folder: (folder / "modules.json").write_text("{}"), "modules.json"),
    "modules of garbage": (lambda folder: (folder / "modules.json").write_text("[1, 2"), "modules.json"),
    "modules of numbers": (lambda folder: (folder / "modules.json").write_text("[1, 2]"), "modules.json"),
    "adapter of nothing": (lambda folder: (folder / "adapter_config.json").write_text("{}"), "adapter_config.json"),
    "adapter of garbage": (lambda folder: (folder / "adapter_config.json").write_text("{"), "adapter_config.json"),
}
