"""A run of train-dpo that is killed anywhere, and resumed: the same result, or one line and nothing touched."""

import json

import pytest

from tests.attacks.killed import check_states, recorded, start
from tests.attacks.snapshots import contents_of
from tests.train.training import FAST, with_everything, write_rows

pytestmark = pytest.mark.filterwarnings("ignore")

RUNS = {
    "spa": ["--loss=spa", "--warm-share=0.1", "--flip-quantile=0.9", "--max-steps=6", "--save-steps=2"],
    "stages": ["--stages", "--epochs=1"],
    "patience": ["--epochs=4", "--patience=2", "--eval-steps=2", "--eval-file=../../held.jsonl"],
    "epochs": ["--epochs=4", "--patience=1", "--eval-file=../../held.jsonl"],
    "lora": ["--lora", "--max-steps=4", "--save-steps=2"],
}
# Beside seconds a manifest tells of the lines that were logged by this process, training_args.bin where it logged.
BY_CHANCE = ("real.json", "training_args.bin", "trainer_state.json", "whole.json")


@pytest.fixture(scope="module")
def record(launched_real, tiny_policy, pair_rows, tmp_path_factory):
    """Record a run once; returns its states, a folder for others, and its words."""
    runs = {}

    def once(kind):
        if kind not in runs:
            folder = tmp_path_factory.mktemp(kind)
            rows = write_rows(folder / "pairs.jsonl", with_everything(pair_rows))
            write_rows(folder / "held.jsonl", with_everything(pair_rows[:2]))
            words = ["train-dpo", "--policy", tiny_policy, "-o", "out", "--dump", "dump.jsonl", *FAST]
            words += ["--learning-rate=1e-2", *RUNS[kind], rows]
            runs[kind] = recorded(launched_real, folder / "whole", *words), folder, words
        return runs[kind]

    return once


def before_the_end(kept):
    """What stood there when the last checkpoint was done, and no final file was there yet."""
    return [state for state in kept.states if "out/config.json" not in state and "out/.work" in state][-1]


@pytest.mark.parametrize(
    ("kind", "every"), [("spa", 15), ("stages", 20), ("patience", 90), ("epochs", 50), ("lora", 30)]
)
def test_a_run_killed_at_any_write_is_resumed_to_the_same_weights(kind, every, record, launched_real):
    """So are the dump and the list of files; nothing is left over."""
    kept, folder, words = record(kind)
    number, went_on = check_states(
        kept, folder / "killed", launched_real, [*words, "--resume"], every=every, by_chance=BY_CHANCE
    )
    assert went_on > number * 0.8


def test_a_run_over_another_is_killed_at_any_write_and_never_goes_on_from_the_other(
    record, launched_real, pair_rows, tmp_path
):
    """Other records, the same settings, over checkpoints of a run that was stopped."""
    stopped, _, words = record("spa")
    words = [*words[:-1], write_rows(tmp_path / "other.jsonl", with_everything(pair_rows[::-1]))]
    stopped.rebuild(before_the_end(stopped), tmp_path / "run")
    kept = recorded(launched_real, tmp_path, *words)
    _, went_on = check_states(
        kept, tmp_path / "killed", launched_real, [*words, "--resume"], every=60, by_chance=BY_CHANCE
    )
    assert went_on


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("trainer_state.json", "half"),
        ("trainer_state.json", "empty"),
        ("recent.json", "half"),
        ("recent.json", "gone"),
        ("optimizer.pt", "zeros"),
        ("model.safetensors", "half"),
    ],
)
def test_a_damaged_checkpoint_is_passed_over_for_the_whole_one_before_it(name, damage, record, launched_real):
    """The line names both; the end is that of a run that was not stopped."""
    kept, folder, words = record("spa")
    here = folder / f"{name}-{damage}"
    kept.rebuild(before_the_end(kept), here)
    path = here / "out" / "checkpoint-6" / name
    data = path.read_bytes()
    path.write_bytes({"empty": b"", "half": data[: len(data) // 2], "zeros": bytes(len(data)), "gone": b""}[damage])
    if damage == "gone":
        path.unlink()
    done = start(launched_real, here, *words, "--resume")
    assert done.returncode == 0, done.stderr
    assert "goes on from out/checkpoint-4; out/checkpoint-6 is not whole" in done.stderr
    for result in ("out/model.safetensors", "dump.jsonl"):
        assert (here / result).read_bytes() == (kept.folder / result).read_bytes()


def test_what_was_dumped_after_the_checkpoint_is_cut(record, launched_real):
    """Two stops have left lines of a step in part, twice, and half a line."""
    kept, folder, words = record("spa")
    here = folder / "dumped"
    kept.rebuild(before_the_end(kept), here)
    whole = (kept.folder / "dump.jsonl").read_bytes()
    lines = [line | {"step": 7} for line in map(json.loads, whole.splitlines()[-2:])]
    more = b"".join(json.dumps(line).encode() + b"\n" for line in [*lines, lines[0]])
    (here / "dump.jsonl").write_bytes(whole + more + more[: len(more) // 7])
    done = start(launched_real, here, *words, "--resume")
    assert done.returncode == 0, done.stderr
    assert (here / "dump.jsonl").read_bytes() == whole


def stop_in(step, *signals):
    """Have signals come within a step."""
    return {"LAUNCHER_HOOK": "tests.attacks.stops:stop", "STOP_IN": str(step), "STOP_BY": ",".join(signals)}


def check_same(folder, kept):
    """Compare the weights and the dump with those of a run that was left alone."""
    for result in ("out/model.safetensors", "dump.jsonl"):
        assert (folder / result).read_bytes() == (kept.folder / result).read_bytes()


def test_a_dump_has_each_line_once_whatever_came_between(record, launched_real, tmp_path):
    """Killed in a step; stopped by two signals in the next; and stopped in good order."""
    kept, _, words = record("spa")
    assert start(launched_real, tmp_path, *words, **stop_in(4, "SIGKILL")).returncode
    done = start(launched_real, tmp_path, *words, "--resume", **stop_in(5, "SIGTERM", "SIGTERM"))
    assert done.returncode == 143
    done = start(launched_real, tmp_path, *words, "--resume", **stop_in(5, "SIGTERM"))
    assert (done.returncode, done.stderr.count("goes on from out/checkpoint-4\n")) == (143, 1), done.stderr
    done = start(launched_real, tmp_path, *words, "--resume")
    assert done.returncode == 0, done.stderr
    check_same(tmp_path, kept)
    whole = json.loads((kept.folder / "out" / "real.json").read_bytes())["result"]
    result = json.loads(done.stdout.splitlines()[-1])
    assert (result["step"], result["loss"]) == (6, pytest.approx(whole["loss"], abs=1e-6))


def test_a_run_over_one_that_was_not_finished_says_what_it_gives_up(record, launched_real):
    """It would be lost in silence."""
    kept, folder, words = record("spa")
    here = folder / "given-up"
    kept.rebuild(before_the_end(kept), here)
    done = start(launched_real, here, *words)
    assert "real: out/checkpoint-6, of a run that was not finished, is given up; --resume would" in done.stderr
    check_same(here, kept)


def test_a_checkpoint_that_was_broken_off_is_no_model(record, launched_real):
    """While its run is not finished; the one before it is."""
    kept, folder, words = record("spa")
    here = folder / "broken-off"
    kept.rebuild(before_the_end(kept), here)
    (here / "out" / "checkpoint-6" / "whole.json").unlink()
    command = ["eval", "margin", "--reference", words[2], words[-1], "--policy"]
    done = start(launched_real, here, *command, "out/checkpoint-6")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "is an incomplete checkpoint" in done.stderr
    assert start(launched_real, here, *command, "out/checkpoint-4").returncode == 0


def test_a_dump_that_a_run_begins_late_lacks_steps_and_says_which(record, launched_real, tmp_path):
    """The first run did not dump."""
    kept, _, words = record("spa")
    without = [word for place, word in enumerate(words) if "--dump" not in words[max(0, place - 1) : place + 1]]
    assert start(launched_real, tmp_path, *without, **stop_in(3, "SIGTERM")).returncode == 143
    done = start(launched_real, tmp_path, *words, "--resume")
    assert "--dump dump.jsonl: lacks steps 1 to 3, which an earlier run did not write" in done.stderr
    assert (tmp_path / "dump.jsonl").read_bytes() in (kept.folder / "dump.jsonl").read_bytes()


@pytest.mark.parametrize(("kind", "step"), [("epochs", 2), ("epochs", 4), ("epochs", 7), ("patience", 3)])
def test_a_stop_measures_nothing_that_patience_would_count(kind, step, record, launched_real, tmp_path):
    """Within an epoch, at its end; and the folder has another name when it is resumed."""
    kept, _, words = record(kind)
    words = [str(word).replace("../../", f"{kept.folder.parents[1]}/") for word in words]
    done = start(launched_real, tmp_path, *words, **stop_in(step, "SIGINT"))
    assert done.returncode == 130, done.stderr
    (tmp_path / "out").rename(tmp_path / "elsewhere")
    done = start(launched_real, tmp_path, *[word if word != "out" else "elsewhere" for word in words], "--resume")
    assert done.returncode == 0, done.stderr
    (tmp_path / "elsewhere").rename(tmp_path / "out")
    check_same(tmp_path, kept)


@pytest.mark.parametrize("content", ["a thesis\nof years", '{"prompt": "q"}\n', '{"step": 1, "place": "a:1"}\nno'])
def test_a_dump_that_is_another_file_is_refused_and_not_touched(content, record, launched_real):
    """A resumed run adds to what it has written itself, and to nothing else."""
    kept, folder, words = record("spa")
    here = folder / f"dump-{len(content)}"
    kept.rebuild(before_the_end(kept), here)
    (here / "dump.jsonl").write_text(content)
    before = contents_of(here)
    done = start(launched_real, here, *words, "--resume")
    assert done.returncode == 2
    assert "--dump dump.jsonl: " in done.stderr
    assert contents_of(here) == before


@pytest.mark.parametrize("num_bytes", [60000, 20000, 200], ids=["optimizer", "model", "all"])
def test_a_full_disk_during_a_checkpoint_is_told_and_the_earlier_one_kept(num_bytes, record, launched_real):
    """One line, status 1; with room again the run goes on to the same end."""
    kept, folder, words = record("spa")
    here = folder / f"full-{num_bytes}"
    here.mkdir()
    full = {"LAUNCHER_HOOK": "tests.attacks.full_disk:fill", "FULL_FROM": "checkpoint-4", "FULL_BYTES": str(num_bytes)}
    done = start(launched_real, here, *words, **full)
    assert done.returncode == 1, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("real: out/checkpoint-4: cannot be written: "), done.stderr
    assert last.endswith("; out/checkpoint-2 is whole: make room and go on with --resume"), done.stderr
    assert not (here / "out" / "checkpoint-4").exists()
    done = start(launched_real, here, *words, "--resume")
    assert done.returncode == 0, done.stderr
    assert (here / "out/model.safetensors").read_bytes() == (kept.folder / "out/model.safetensors").read_bytes()


@pytest.mark.parametrize(
    "command",
    [
        ["eval", "margin", "--reference", "out", "--policy"],
        ["sample", "--append", "--policy"],
        ["embed", "--model"],
        ["soup", "-o", "soup", "out"],
        ["train-dpo", "-o", "second", "--policy"],
    ],
    ids=" ".join,
)
def test_final_files_without_a_manifest_are_no_model(command, record, launched_real):
    """All of them stand there, but for the mark: they may be of two runs."""
    kept, folder, words = record("spa")
    here = folder / f"unfinished-{'-'.join(command[:2])}"
    kept.rebuild({name: c for name, c in kept.states[-1].items() if name != "out/real.json"}, here)
    (here / "out" / ".work").mkdir()
    before = contents_of(here)
    rows = [] if command[0] == "soup" else [words[-1]]
    done = start(launched_real, here, *command, "out", *rows)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "is a training run that was not finished; go on with --resume" in done.stderr
    assert contents_of(here) == before


def test_a_run_over_another_mixes_no_files(record, launched_real, tiny_policy, tmp_path):
    """An adapter's config left beside a whole model would be loaded in its place."""
    kept, _, words = record("lora")
    kept.rebuild(kept.states[-1], tmp_path)
    (tmp_path / "out" / "notes.txt").write_text("of the user")
    words = [word for word in words if word != "--lora"]
    done = start(launched_real, tmp_path, *words)
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "out").iterdir() if path.is_file()}
    assert {"model.safetensors", "config.json", "notes.txt", "real.json"} <= names
    assert not [name for name in names if name.startswith("adapter_")]


@pytest.mark.parametrize("option", ["--policy", "--reference"])
def test_a_model_is_not_trained_over_itself(option, record, launched_real, tiny_policy):
    """A kill while it is replaced would leave neither, and --resume would begin at another policy."""
    kept, folder, words = record("lora")
    here = folder / f"over{option}"
    kept.rebuild(kept.states[-1], here)
    before = contents_of(here)
    words = [word for word in words if word != "--lora"]
    words = ["out" if words[place - 1] == option else word for place, word in enumerate(words)]
    words += ["--reference", "out"] if option == "--reference" else []
    done = start(launched_real, here, *words)
    assert done.returncode == 2
    assert f"--output out: is what {option} reads; name another folder" in done.stderr
    assert contents_of(here) == before


def test_an_empty_input_leaves_no_records_that_a_resumed_run_would_have_to_have(
    launched_real, tiny_policy, pair_rows, tmp_path
):
    """The pipe had failed; the next time it does not."""
    words = ["train-dpo", "--policy", tiny_policy, "-o", "out", *FAST, "--max-steps=1", "--resume"]
    done = start(launched_real, tmp_path, *words, write_rows(tmp_path / "none.jsonl", []))
    assert "no pair to train on" in done.stderr
    done = start(launched_real, tmp_path, *words, write_rows(tmp_path / "pairs.jsonl", pair_rows))
    assert done.returncode == 0, done.stderr
