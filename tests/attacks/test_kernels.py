"""Code that a folder has fetched under another name than code: kernels, arguments, modules, bases."""

import json
import sys

import pytest

from tests.attacks.model_folders import LOADERS, copied, with_fields
from tests.attacks.nested_folders import KINDS, sentence_folder, with_dense
from tests.attacks.test_models import check_lines, load

pytestmark = [pytest.mark.filterwarnings("ignore")]

EVIL = "evil/attention"
# What names a kernel, at whatever depth and in whatever form.
NAMING = {
    "object": {"attn_implementation": {"": EVIL}},
    "internal": {"_attn_implementation": EVIL},
    "internal object": {"_attn_implementation": {"": EVIL}},
    "internal of internal": {"_attn_implementation_internal": EVIL},
    "list": {"attn_implementation": [EVIL]},
    "paged": {"attn_implementation": f"paged|{EVIL}"},
    "revision": {"attn_implementation": {"": f"{EVIL}@main:run"}},
    "deep": {"text_config": {"more": [[{"attn_implementation": {"text": {"": EVIL}}}]]}},
    "long list": {"more": [0] * 20_000 + [{"attn_implementation": EVIL}]},
    "experts": {"experts_implementation": {"": EVIL}},
    "experts of the hub": {"_experts_implementation": "sonicmoe"},
    "a name that nobody knows": {"attn_implementation": "evil"},
    "use_kernels": {"use_kernels": True},
    "kernel_config": {"kernel_config": {"RMSNorm": f"{EVIL}:RMSNorm"}},
    "allow_all_kernels": {"allow_all_kernels": True},
}


@pytest.fixture
def kernels(monkeypatch):
    """Kernels are there to be fetched; returns those that were."""
    import transformers.integrations.hub_kernels
    import transformers.modeling_flash_attention_utils  # noqa: F401

    fetched = []

    def fetch(*words, **settings):
        fetched.append(words)
        raise ValueError("fetched")

    for module in [module for name, module in sys.modules.items() if name.startswith("transformers")]:
        if "get_kernel" in vars(module):
            monkeypatch.setattr(module, "get_kernel", fetch)
        if "is_kernels_available" in vars(module):
            monkeypatch.setattr(module, "is_kernels_available", lambda *_, **__: True)
    return fetched


def check_refused(command, folder, sound, tmp_path, word):
    """A run refuses a folder in one line that holds a word."""
    status, written, messages = load(command, folder, sound, tmp_path / "out")
    check_lines(messages)
    assert (status, written) == (1, ""), messages
    assert word in messages.splitlines()[-1]


@pytest.mark.parametrize("kind", NAMING)
def test_no_kernel_that_a_config_names_is_fetched(kind, kernels, tiny_policy, tmp_path):
    folder = with_fields(copied(tiny_policy, tmp_path / "model"), "config.json", **NAMING[kind])
    check_refused("sample", folder, tiny_policy, tmp_path, "wants code of its own to be run")
    assert not kernels


@pytest.mark.parametrize("command", LOADERS)
def test_no_command_fetches_a_kernel(command, kernels, tiny_policy, tiny_reward, tmp_path):
    sound = tiny_reward if command == "reward" else tiny_policy
    folder = with_fields(copied(sound, tmp_path / "model"), "config.json", attn_implementation={"": EVIL})
    check_refused(command, folder, tiny_policy, tmp_path, "wants code of its own to be run")
    assert not kernels


@pytest.mark.parametrize("value", ["flash_attention_2", "flash_attention_3", "paged|flash_attention_2"])
@pytest.mark.parametrize("form", [lambda value: value, lambda value: {"": value}], ids=["text", "object"])
def test_no_kernel_is_fetched_in_the_place_of_a_package(value, form, kernels, tiny_policy, tmp_path):
    """Where flash_attn is not installed and kernels is, transformers takes a kernel of the hub."""
    folder = with_fields(copied(tiny_policy, tmp_path / "model"), "config.json", attn_implementation=form(value))
    check_refused("sample", folder, tiny_policy, tmp_path, "is not installed")
    assert not kernels


@pytest.mark.parametrize("value", ["eager", "sdpa", {"": "sdpa"}, None, {"text_config": "eager"}])
def test_attention_that_transformers_knows_is_taken(value, tiny_policy, tmp_path):
    folder = with_fields(copied(tiny_policy, tmp_path / "model"), "config.json", attn_implementation=value)
    status, _, messages = load("sample", folder, tiny_policy, tmp_path / "out")
    assert status == 0, messages


# Folders of sentence-transformers


@pytest.mark.parametrize("sub", ["", "0_Transformer"])
@pytest.mark.parametrize(
    ("file", "fields"),
    [
        ("config.json", {"attn_implementation": {"": EVIL}}),
        ("sentence_bert_config.json", {"model_args": {"attn_implementation": EVIL}}),
        ("sentence_bert_config.json", {"model_kwargs": {"allow_all_kernels": True, "attn_implementation": EVIL}}),
        ("sentence_bert_config.json", {"model_args": {"key_mapping": {"a": "b"}}}),
        ("sentence_bert_config.json", {"config_args": {"num_hidden_layers": 4_000_000}}),
        ("sentence_bert_config.json", {"config_kwargs": {"trust_remote_code": True}}),
        ("sentence_bert_config.json", {"tokenizer_args": {"tokenizer_file": "/etc/passwd"}}),
        ("sentence_bert_config.json", {"processor_kwargs": {"trust_remote_code": True}}),
        ("sentence_bert_config.json", {"tokenizer_name_or_path": "evil/tokenizer"}),
        ("sentence_bert_config.json", {"model_args": ["attn_implementation"]}),
        ("sentence_xlnet_config.json", {"model_args": {"attn_implementation": EVIL}}),
    ],
    ids=lambda value: value if isinstance(value, str) else json.dumps(value)[:50],
)
def test_no_argument_that_a_folder_gives_reaches_a_library(sub, file, fields, kernels, tiny_policy, tmp_path):
    folder = sentence_folder(tiny_policy, tmp_path / "model", sub)
    if file == "sentence_xlnet_config.json":
        (folder / sub / "sentence_bert_config.json").unlink()
    with_fields(folder / sub, file, **fields)
    check_refused("embed", folder, tiny_policy, tmp_path, file if "sentence" in file else "wants code of its own")
    assert not kernels


@pytest.mark.parametrize("sub", ["", "0_Transformer"])
def test_harmless_arguments_pass(sub, tiny_policy, tmp_path):
    folder = sentence_folder(tiny_policy, tmp_path / "model", sub)
    arguments = {"model_args": {"attn_implementation": "eager", "torch_dtype": "float32"}, "do_lower_case": False}
    with_fields(folder / sub, "sentence_bert_config.json", tokenizer_args={"model_max_length": 32}, **arguments)
    status, _, messages = load("embed", folder, tiny_policy, tmp_path / "out")
    assert status == 0, messages


@pytest.mark.parametrize(
    "kind",
    [
        *(f"{KINDS}{name}" for name in ("CLIPModel", "Router", "Evil", "os")),
        "sentence_transformers.SentenceTransformer",
        "sentence_transformers.util.misc.os",
        "sentence_transformers.models",
    ],
)
def test_a_module_that_embeds_no_text_is_refused(kind, tiny_policy, tmp_path):
    folder = sentence_folder(tiny_policy, tmp_path / "model", kinds=(kind,))
    check_refused("embed", folder, tiny_policy, tmp_path, "modules.json")


@pytest.mark.parametrize("activation", ["evil.act.Gelu", "torch.hub.load", "torch.nn.Module", "torch.nn.evil.Gelu", 5])
def test_an_activation_that_torch_has_not_is_refused(activation, tiny_policy, tmp_path):
    """The library would take another one, without a word."""
    folder = with_dense(sentence_folder(tiny_policy, tmp_path / "model"), activation)
    check_refused("embed", folder, tiny_policy, tmp_path, "activation_function")


@pytest.mark.parametrize("activation", ["torch.nn.modules.linear.Identity", "torch.nn.modules.activation.Tanh"])
def test_an_activation_of_torch_is_taken(activation, tiny_policy, tmp_path):
    folder = with_dense(sentence_folder(tiny_policy, tmp_path / "model"), activation)
    status, _, messages = load("embed", folder, tiny_policy, tmp_path / "out")
    assert status == 0, messages
