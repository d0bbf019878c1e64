"""What a folder of a model is checked for, a folder within it and a name on the hub are checked for too."""

import json
import shutil

import pytest

from tests.attacks.model_folders import BROKEN, copied, pickled, with_fields
from tests.attacks.nested_folders import in_cache, sentence_folder
from tests.attacks.test_models import adapter, check_lines, load  # noqa: F401

pytestmark = [pytest.mark.filterwarnings("ignore")]

WITHIN = (
    "weights empty",
    "weights cut",
    "a pickle that runs code",
    "a missing layer",
    "weights that are no numbers",
    "config cut",
    "layers without end",
    "layers beyond the weights",
    "tokenizer cut",
    "a pattern that hangs",
    "model_max_length of a word",
)


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A cache of the hub, and no hub."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


@pytest.mark.parametrize("kind", WITHIN)
def test_the_folder_of_a_module_is_checked(kind, tiny_policy, tmp_path):
    spoil, word = BROKEN[kind]
    folder = sentence_folder(tiny_policy, tmp_path / "model")
    spoil(folder / "0_Transformer")
    status, written, messages = load("embed", folder, tiny_policy, tmp_path / "out")
    check_lines(messages)
    assert (status, written) == (1, ""), messages
    assert word.removeprefix("model.layers") in messages.splitlines()[-1]
    assert not (folder / "ran").exists()


def test_pickled_weights_of_a_module_are_told(tiny_policy, tmp_path):
    folder = sentence_folder(tiny_policy, tmp_path / "model")
    pickled(folder / "0_Transformer")
    status, _, messages = load("embed", folder, tiny_policy, tmp_path / "out")
    assert status == 0, messages
    assert messages.count("pytorch_model.bin is pickled: only its tensors are read") == 1


def test_an_adapter_among_modules_is_refused(adapter, tiny_policy, tmp_path):  # noqa: F811
    """The library would load its base, and say nothing."""
    folder = sentence_folder(tiny_policy, tmp_path / "model")
    for file in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copy(adapter / file, folder / "0_Transformer" / file)
    status, _, messages = load("embed", folder, tiny_policy, tmp_path / "out")
    check_lines(messages)
    assert status == 1
    assert "adapter" in messages


@pytest.mark.parametrize("kind", WITHIN)
@pytest.mark.parametrize("command", ["sample", "embed"])
def test_what_the_cache_holds_is_checked(command, kind, hub, tiny_policy, tmp_path):
    spoil, word = BROKEN[kind]
    folder = copied(tiny_policy, tmp_path / "model")
    spoil(folder)
    status, written, messages = load(command, in_cache(hub, "evil/model", folder), tiny_policy, tmp_path / "out")
    check_lines(messages)
    assert (status, written) == (1, ""), messages
    assert "evil/model" in messages.splitlines()[-1]
    assert word.removeprefix("model.layers") in messages.splitlines()[-1]


@pytest.mark.parametrize("command", ["sample", "embed", "implicit", "train", "soup", "judge", "margin-r"])
def test_a_sound_name_of_the_cache_loads(command, hub, tiny_policy, tmp_path):
    name = in_cache(hub, "good/model", tiny_policy)
    status, _, messages = load(command, name, tiny_policy, tmp_path / "out")
    assert status == 0 or "no chat template" in messages, messages


@pytest.mark.parametrize("with_config", [False, True])
def test_the_base_of_an_adapter_of_the_hub_is_told(with_config, hub, adapter, tiny_policy, tmp_path):  # noqa: F811
    folder = copied(adapter, tmp_path / "adapter")
    if with_config:
        shutil.copy(tiny_policy / "config.json", folder)
    status, _, messages = load("sample", in_cache(hub, "evil/adapter", folder), tiny_policy, tmp_path / "out")
    assert status == 0, messages
    assert messages.count(f"its adapter_config.json names {tiny_policy} as its base, which is loaded") == 1


def test_a_forged_manifest_does_not_hide_the_base(adapter, tiny_policy, tmp_path):  # noqa: F811
    """Anybody can write a real.json: a base that the user did not name is told, whoever trained."""
    folder = copied(adapter, tmp_path / "forged")
    (folder / "real.json").write_text(json.dumps({"command": "train-dpo", "policy": str(tiny_policy)}))
    status, _, messages = load("sample", folder, tiny_policy, tmp_path / "out")
    assert status == 0, messages
    assert messages.count(f"names {tiny_policy} as its base, which is loaded") == 1


def test_an_adapter_below_an_adapter_is_refused(adapter, tiny_policy, tmp_path):  # noqa: F811
    """Its own base would be loaded without a word."""
    below = copied(adapter, tmp_path / "below")
    shutil.copy(tiny_policy / "config.json", below)
    above = with_fields(copied(adapter, tmp_path / "above"), "adapter_config.json", base_model_name_or_path=str(below))
    status, _, messages = load("sample", above, tiny_policy, tmp_path / "out")
    check_lines(messages)
    assert status == 1
    assert "merge it into its base first" in messages


def test_only_what_is_read_is_downloaded(hub, tiny_policy, tmp_path, monkeypatch):
    """Of a repository: settings, and one set of weights."""
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    remote = copied(tiny_policy, tmp_path / "remote")
    shutil.copy(remote / "model.safetensors", remote / "consolidated.safetensors")
    shutil.copy(remote / "model.safetensors", remote / "pytorch_model.bin")
    (remote / "evil.py").write_text("")
    asked = []

    def download(name, *, allow_patterns, local_files_only=False, **_):
        from fnmatch import fnmatch

        place = hub / "there"
        if local_files_only:
            if not place.exists():
                raise huggingface_hub.errors.LocalEntryNotFoundError("not here")
            return str(place)
        place.mkdir(parents=True, exist_ok=True)
        for file in remote.iterdir():
            if any(fnmatch(file.name, pattern) for pattern in allow_patterns):
                asked.append(file.name)
                shutil.copy(file, place / file.name)
        return str(place)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    monkeypatch.setattr(
        huggingface_hub.HfApi, "list_repo_files", lambda *_, **__: sorted(file.name for file in remote.iterdir())
    )
    status, _, messages = load("sample", "some/model", tiny_policy, tmp_path / "out")
    assert status == 0, messages
    assert asked.count("model.safetensors") == 1
    assert not {"consolidated.safetensors", "pytorch_model.bin", "evil.py"} & set(asked)
