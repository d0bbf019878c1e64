"""Libraries that nobody asked for are not imported; who asks for one has it, whole."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

from real_cli.models.load.deferred import DEFERRED, deferred_imports

UNASKED = ("peft", "bitsandbytes", "sklearn", "scipy.optimize")
RUN = """
import json, sys
from real_cli.app import main
words, names = json.loads(sys.argv[1])
sys.argv = ["real", *words]
try:
    main()
except SystemExit as left:
    sys.stderr.write(f"status {left.code or 0}\\n")
sys.stderr.write(json.dumps([name for name in names if name in sys.modules]) + "\\n")
"""


def loaded_by(words, names=UNASKED, *, input=""):
    """Run a command in a fresh process; returns which of these modules it imported, and what it said."""
    asked = json.dumps([[str(word) for word in words], list(names)])
    done = subprocess.run([sys.executable, "-c", RUN, asked], input=input, capture_output=True, text=True, timeout=300)
    *messages, status, modules = done.stderr.splitlines()
    assert status == "status 0", done.stderr
    return json.loads(modules), messages


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_the_table_names_what_is_installed_here():
    """Or the tests below would see nothing."""
    assert all(find_spec(name) for name in DEFERRED)
    assert set(UNASKED) <= set(DEFERRED)


@pytest.mark.slow
def test_training_without_an_adapter_imports_none_of_them_and_hears_nothing_of_bitsandbytes(
    tiny_policy, pair_rows, tmp_path
):
    words = ["train-dpo", "--policy", tiny_policy, "-o", tmp_path / "out", "--max-steps", "1", "--device", "cpu"]
    modules, messages = loaded_by(words, input=lines(pair_rows))
    assert modules == []
    assert [line for line in messages if not line.startswith("real: ")] == []


@pytest.mark.slow
def test_training_with_an_adapter_imports_peft_and_the_folder_loads(tiny_policy, pair_rows, tmp_path):
    """The trainer knows the model for peft's, and the adapter is measured afterwards."""
    words = ["--policy", tiny_policy, "-o", tmp_path / "out", "--max-steps", "1", "--device", "cpu"]
    modules, _ = loaded_by(["train-dpo", *words, "--lora"], ["peft"], input=lines(pair_rows))
    assert modules == ["peft"]
    assert (tmp_path / "out" / "adapter_config.json").exists()
    measure = ["eval", "margin", "--policy", tmp_path / "out", "--reference", tiny_policy, "--device", "cpu"]
    modules, _ = loaded_by(measure, ["peft"], input=lines(pair_rows))
    assert modules == ["peft"]


@pytest.mark.slow
@pytest.mark.parametrize("command", ["embed", "eval margin", "sample"])
def test_commands_that_load_a_model_import_none_of_them(tiny_policy, pair_rows, command):
    words = {
        "embed": ["--model", tiny_policy],
        "eval margin": ["--policy", tiny_policy, "--reference", tiny_policy],
        "sample": ["--policy", tiny_policy, "-n", "1", "--max-tokens", "2"],
    }[command]
    rows = [{"prompt": row["prompt"]} for row in pair_rows] if command == "sample" else pair_rows
    assert loaded_by([*command.split(), *words, "--device", "cpu"], input=lines(rows))[0] == []


IN_TURN = """
import sys
from real_cli.models.load.deferred import deferred_imports, DeferredType
scope = {"__name__": "transformers.somewhere", "__builtins__": __builtins__}
with deferred_imports():
    exec("from peft import PeftModel, LoraConfig; import peft", scope)
    exec("from sklearn.metrics import roc_curve", scope)
    import json as untouched
assert isinstance(scope["PeftModel"], DeferredType) and "peft" not in sys.modules and "sklearn" not in sys.modules
assert not isinstance(1, scope["PeftModel"]) and "peft" not in sys.modules
config = scope["LoraConfig"](r=3)
assert config.r == 3 and "peft" in sys.modules
import peft
assert type(config) is peft.LoraConfig and isinstance(config, scope["LoraConfig"])
assert issubclass(peft.PeftModelForCausalLM, scope["PeftModel"]) and not issubclass(int, scope["PeftModel"])
assert scope["peft"].__version__ == peft.__version__
assert len(scope["roc_curve"]([0, 1], [0.1, 0.9])) == 3
with deferred_imports():
    exec("from peft import PeftModel", scope)
assert scope["PeftModel"] is peft.PeftModel
"""


@pytest.mark.slow
def test_a_stand_in_becomes_the_thing_itself_when_it_is_asked_for():
    done = subprocess.run([sys.executable, "-c", IN_TURN], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_nobody_else_gets_stand_ins():
    """Python's own statement is back afterwards, whatever happens within."""
    import builtins

    before = builtins.__import__
    with pytest.raises(ValueError, match="within"), deferred_imports():
        assert builtins.__import__ is not before
        raise ValueError("within")
    assert builtins.__import__ is before
