"""What cannot work is told at once: before a model is loaded, before torch is imported, before a record is read."""

import subprocess
import sys

import pytest

from real_cli import installing
from tests.house.test_typed_options import leaves

PAIR = '{"prompt": "q", "chosen": " a", "rejected": " b"}\n'
ALONE = """
import sys
from real_cli.app import main
try:
    main()
except SystemExit as left:
    print(left.code, "torch" in sys.modules)
"""
WITH_DEVICE = sorted(" ".join(words) for words, kind in leaves() if "device" in kind.__dataclass_fields__)
# What these need on their command line beside --device.
NEEDED = {
    "train-dpo": ["--policy", "smollm2", "-o", "out"],
    "sample": ["--policy", "smollm2"],
    "relabel judge": ["--model", "smollm2"],
    "relabel reward": ["--model", "smollm2"],
    "relabel implicit": ["--policy", "smollm2"],
    "relabel bridge": ["--model", "smollm2"],
    "relabel dsat": ["--model", "smollm2"],
    "eval margin": ["--policy", "smollm2", "--reference", "smollm2"],
}
TRAIN = ["train-dpo", "-o", "out", "pairs.jsonl", "--policy"]


def run_alone(words, folder):
    """Run a command; returns its one line, its status, and whether torch was imported."""
    (folder / "pairs.jsonl").write_text(PAIR)
    done = subprocess.run([sys.executable, "-c", ALONE, *words], cwd=folder, capture_output=True, text=True)
    assert done.stderr.count("\n") == 1, done.stderr
    status, has_torch = done.stdout.split()
    return done.stderr, int(status), has_torch == "True"


def test_commands_with_a_device_are_known():
    assert len(WITH_DEVICE) > 5
    assert set(NEEDED) <= set(WITH_DEVICE)


@pytest.mark.parametrize("name", WITH_DEVICE)
def test_a_device_that_is_none_is_told_before_torch_is_imported(name, tmp_path):
    line, status, has_torch = run_alone(
        [*name.split(), *NEEDED.get(name, []), "--device", "abacus", "pairs.jsonl"], tmp_path
    )
    assert line.startswith("real: --device: 'abacus' is none of auto, cpu, ")
    assert (status, has_torch) == (2, False)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([*TRAIN, "./nosuch"], "real: model './nosuch': no such folder; give a local path or check the name"),
        ([*TRAIN, "nosuch.gguf"], "real: model 'nosuch.gguf': no such file; give a local path or check the name"),
        (
            [*TRAIN, "smollm2", "--reference", "./nosuch"],
            "real: model './nosuch': no such folder; give a local path or check the name",
        ),
        ([*TRAIN, "smollm2", "--eval-file", "nosuch.jsonl"], "real: nosuch.jsonl: No such file or directory"),
        ([*TRAIN, "smollm2", "nosuch.jsonl"], "real: nosuch.jsonl: No such file or directory"),
        (["pair", "pairs.jsonl", "nosuch.jsonl"], "real: nosuch.jsonl: No such file or directory"),
    ],
)
def test_a_name_that_leads_nowhere_is_told_before_anything_is_read(words, line, tmp_path):
    assert run_alone(words, tmp_path) == (f"{line}\n", 1, False)


@pytest.mark.parametrize(
    ("options", "missing", "words"),
    [
        ({"lora": True}, "peft", "--lora needs the package peft: pip install -e "),
        ({"qlora": True}, "bitsandbytes", "--qlora needs the package bitsandbytes: pip install -e "),
        ({"report_to": "wandb"}, "wandb", "--report-to wandb: is not installed; pip install wandb"),
    ],
)
def test_a_package_that_is_missing_is_told_before_the_run_begins(options, missing, words, monkeypatch):
    from real_cli.errors import RealError
    from real_cli.train.options import TrainOptions
    from real_cli.train.settings import settings_from
    from real_cli.train.shared import settings as module

    monkeypatch.setattr(module, "find_spec", lambda name: None if name == missing else object())
    monkeypatch.setattr(installing, "_installer", lambda: "pip install")
    chosen = TrainOptions(policy="smollm2", **options)
    with pytest.raises(RealError) as problem:
        module.check_packages(settings_from(chosen), chosen.report_to, in_4_bits=chosen.qlora)
    assert str(problem.value).startswith(words)


# How to install what is missing


@pytest.fixture
def outside_a_clone(monkeypatch, tmp_path):
    monkeypatch.setattr(installing, "__file__", str(tmp_path / "site-packages" / "real_cli" / "installing.py"))
    monkeypatch.setattr(installing, "_installer", lambda: "pip install")


def test_a_clone_s_extra_is_installed_from_the_clone(monkeypatch, tmp_path):
    root = installing.Path(installing.__file__).parents[1]
    monkeypatch.setattr(installing, "_installer", lambda: "pip install")
    monkeypatch.chdir(tmp_path)
    assert installing.install_extra("lora") == f"pip install -e '{root}[lora]'"
    monkeypatch.chdir(root)
    assert installing.install_extra("lora") == "pip install -e '.[lora]'"


@pytest.mark.usefixtures("outside_a_clone")
@pytest.mark.parametrize("origin", ["", "no JSON", "[]", '{"url": "https://example.org/real.whl"}'])
def test_what_came_from_an_index_is_installed_from_it(origin, monkeypatch):
    monkeypatch.setattr(installing, "_read_metadata", lambda name: origin)
    assert installing.install_extra("lora") == "pip install 'real-cli[lora]'"


@pytest.mark.usefixtures("outside_a_clone")
def test_what_came_from_a_wheel_or_folder_is_installed_from_it_while_it_is_there(monkeypatch, tmp_path):
    wheel = tmp_path / "a wheel.whl"
    address = wheel.as_uri()
    monkeypatch.setattr(installing, "_read_metadata", lambda name: f'{{"url": "{address}", "archive_info": {{}}}}')
    assert installing.install_extra("lora") == "pip install 'real-cli[lora]'"
    wheel.touch()
    assert installing.install_extra("lora") == f"pip install '{wheel}[lora]'"


def test_the_installer_is_that_of_this_environment(monkeypatch, tmp_path):
    monkeypatch.setattr(installing, "_read_metadata", lambda name: "uv\n")
    assert installing.install_package("gguf") == f"uv pip install --python {sys.executable} gguf"
    monkeypatch.setattr(installing, "_read_metadata", lambda name: "pip\n")
    monkeypatch.setattr(installing.shutil, "which", lambda name: "/usr/bin/pip")
    assert installing.install_package("gguf") == f"{sys.executable} -m pip install gguf"
    monkeypatch.setattr(installing.sys, "prefix", "/home/me/.local/share/pipx/venvs/real-cli")
    assert installing.install_package("gguf") == "pipx runpip real-cli install gguf"
