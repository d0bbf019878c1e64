"""real-methods(7) says what the code does: defaults, presets, and numbers that tests assert."""

import re
from pathlib import Path

import pytest

from real_cli.train.choices import Optimizer, Preset, Schedule
from real_cli.train.losses import OBJECTIVES
from real_cli.train.presets import PRESETS

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "man" / "real-methods.7.md").read_text(encoding="utf-8")
TESTS = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("*.py")))


def part(section, letter=""):
    """Return the words of a section, or of one letter of it, in one line."""
    text = MANUAL.partition(f"\n## {section} ")[2].partition("\n## ")[0]
    if letter:
        text = text.partition(f"\n### ({letter}) ")[2].partition("\n### ")[0]
    assert text
    return " ".join(text.split())


# The losses that a section is about; the others are TRL's, or kin of these.
SECTIONS = {"spo": 3, "bmc": 5, "ada-dpo": 7, "selm": 8, "dlma": 9, "pro": 10, "sppo": 12, "tpo": 14, "tpo-l": 14}
SECTIONS |= {"asft": 17, "spa": 18}


@pytest.mark.parametrize(("loss", "section"), SECTIONS.items())
def test_the_defaults_of_a_loss_are_those_of_its_function(loss, section):
    """Under (c), behind its name and before the next one: name and value of each knob."""
    text = re.split(rf"(?:--loss |`){loss}`", part(section, "c"), maxsplit=1)[1]
    text = re.split(r" or `|\. |\.$", text.replace("(ln 2 - 0.1)", ""), maxsplit=1)[0]
    messages = dict(re.findall(r"([a-z-]+) (-?[\d.]+)(?=[,;) ]|$)", text))
    knobs = {name.replace("_", "-"): f"{value:.4g}" for name, value in OBJECTIVES[loss].knobs.items()}
    assert messages == knobs


PRESET_PARTS = {"ra": 2, "bmc": 5, "selm": 8, "dlma": 9, "pro": 10, "sppo": 12, "drift": 13, "tpo": 14, "spa": 18}
PRESET_PARTS |= {"magpie-align": 20}


@pytest.mark.parametrize("preset", Preset)
def test_a_preset_is_what_the_manual_has(preset):
    """Under (e), or in 24: rate, schedule, warm-up, optimizer, batch, length, beta and alpha."""
    values = PRESETS[preset]
    text = part(24) if preset == "real" else part(PRESET_PARTS[preset], "e")
    text = text.partition("real: ")[2] if preset == "real" else text.partition(f"Preset `{preset}`: ")[2]
    words = [f"{values['learning_rate']:.0e}".replace("e-0", "e-"), f"{values['max_length']} tokens"]
    words.append(f"{values['batch_size']} {'rankings' if preset == 'pro' else 'pairs'} a step")
    words += [f"{name} {values[name]:g}" for name in ("beta", "delta") if name in values]
    schedules = {Schedule.constant: "without a schedule" if preset == "pro" else "constant"}
    words.append(schedules.get(values["schedule"], values["schedule"]))
    if values["warmup"]:
        words.append(f"{values['warmup']} warm-up steps" if values["warmup"] > 1 else f"warm-up {values['warmup']:g}")
    if "max_grad_norm" in values:
        words.append(f"clipped at {values['max_grad_norm']:g}")
    assert [word for word in words if word not in text] == []
    assert ("RMSprop" in text) == (values.get("optimizer") == Optimizer.rmsprop)


NUMBERS = sorted(set(re.findall(r"(?<![:\d])\d*\.\d{5,}", MANUAL)))


def test_every_worked_number_is_asserted_by_a_test():
    """With all its digits; tests write .5 and 0.5 alike."""
    assert len(NUMBERS) > 60
    assert [number for number in NUMBERS if number.lstrip("0") not in TESTS] == []
