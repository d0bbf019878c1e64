"""What every command promises, whatever it does: one row a command, one test a promise.

A command of the app without a row here fails the first test.
"""

import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import chdir
from dataclasses import dataclass

import pytest
import typer
from typer.testing import CliRunner

from real_cli.app import app

SOURCE = {"file": "a.txt", "lines": [1, None]}
CANDIDATES = {
    "id": 9007199254740993,
    "prompt": "the cat",
    "responses": [
        {"text": " sat", "score": 2, "embedding": [1, 0], "note": "n1"},
        {"text": " ran", "score": 1, "embedding": [0, 1], "note": "n2"},
    ],
    "source": SOURCE,
}
PAIR = {
    "id": 9007199254740993,
    "prompt": "the cat",
    "chosen": " sat on the mat",
    "rejected": " ran",
    "score_chosen": 9,
    "score_rejected": 4,
    "note_chosen": "n1",
    "note_rejected": "n2",
    "source": SOURCE,
}
DIALOGUE = {
    "id": 9007199254740993,
    "messages": [
        {"role": "user", "content": "the cat"},
        {"role": "assistant", "content": "sat"},
        {"role": "user", "content": "that is wrong"},
    ],
    "source": SOURCE,
}
RATED = {"id": 9007199254740993, "prompt": "the cat", "completion": "sat", "rating": 1, "source": SOURCE}

# What `eval margin --rows` writes of one pair.
MEASURED = {"method": "dpo", "seed": 1, "prompt_key": "00ff", "margin": 0.5, "likelihood_margin": -1.0}

BRIDGED = ("note_chosen_original", "note_rejected")


@dataclass(frozen=True)
class Row:
    """A command: its arguments, a record that it takes, what it is, and what it needs."""

    arguments: tuple[str, ...] = ()
    record: dict | None = None  # None: it reads no records
    filters: bool = False  # records in, records out
    model: bool = False  # slow to start: loads torch once a record came
    empty: tuple[int, str] = (0, "")  # status and standard output without a record: "", or "object"
    # What is said of a record with a prompt and no more; None where that is enough.
    missing: str | None = "field 'responses' is missing; "
    notes: tuple[str, ...] | None = None  # where a note of each response is in the output; None: as usual
    keeps: bool = True  # fields it does not know; False where they name people and conversations


ROWS = {
    "split": Row(("--heldout", "10%"), CANDIDATES, filters=True, missing=None),  # a prompt is all it needs
    "sample": Row(
        ("--policy", "POLICY", "--per-row-reference", "--max-tokens", "3", "--stop", "x"),
        PAIR,
        filters=True,
        model=True,
        missing=None,  # a prompt is all it needs
    ),
    "embed": Row(("--model", "POLICY"), CANDIDATES, filters=True, model=True),
    "pair": Row(("--strategy", "easy"), CANDIDATES, filters=True),
    "relabel bridge": Row(("--from", "edit"), PAIR | {"edit": " sat on the log"}, filters=True, notes=BRIDGED),
    "relabel dsat": Row(("--lexical",), DIALOGUE, filters=True, missing="no conversation in the fields ", notes=()),
    "relabel feedback": Row((), RATED, filters=True, missing="no conversation with replies ", keeps=False),
    "relabel goal": Row((), PAIR, filters=True),
    # Asking needs a terminal, tests/relabel/human/test_human.py has one; here somebody has answered elsewhere.
    "relabel human": Row(("--import", "ANSWERS"), CANDIDATES, filters=True),
    "relabel judge": Row(("-m", "m", "--no-cache", "--apply-results", "RESULTS"), CANDIDATES, filters=True),
    "relabel reward": Row(("--model", "REWARD"), CANDIDATES, filters=True, model=True),
    "relabel implicit": Row(("--policy", "POLICY", "--reference", "POLICY"), PAIR, filters=True, model=True),
    "relabel winprob": Row((), CANDIDATES, filters=True),
    "relabel shape": Row(("--method", "min-max"), CANDIDATES, filters=True),
    "relabel weight": Row((), PAIR, filters=True),
    "relabel degrade": Row((), PAIR, filters=True),
    "train-dpo": Row(
        ("--policy", "POLICY", "--output", "aligned", "--max-steps", "2", "--batch-size", "1"),
        PAIR,
        model=True,
        empty=(1, ""),
    ),
    "eval budget": Row(
        (),
        PAIR | {"strategy": "easy", "budget": 40, "seed": 1, "is_correct": True},
        empty=(0, "object"),
        missing="field 'strategy' is missing; ",
    ),
    "eval compare": Row((), MEASURED, empty=(0, "object"), missing="field 'prompt_key' is missing; "),
    "train-reward": Row(
        ("--model", "POLICY", "--output", "reward", "--max-steps", "2", "--batch-size", "1"),
        PAIR,
        model=True,
        empty=(1, ""),
    ),
    "eval labels": Row((), PAIR, empty=(0, "object")),
    "eval margin": Row(("--policy", "POLICY", "--reference", "POLICY"), PAIR, model=True, empty=(0, "object")),
    "eval winrate": Row((), PAIR | {"model_chosen": "new", "model_rejected": "old"}, empty=(0, "object")),
    "eval reward": Row((), PAIR, empty=(0, "object")),
    "eval pairs": Row((), PAIR, empty=(0, "object")),
    "eval judge": Row(("--label", "score"), PAIR, empty=(0, "object")),
    "merge": Row(("part",)),  # of numbered records alone: tests/merge has them
    "soup": Row(("POLICY", "POLICY", "--output", "soup")),
    "init": Row(("project",)),
    "help": Row(("pair",)),
}


def leaves(command, name=""):
    """List the commands of the app by their names."""
    if not hasattr(command, "commands"):
        return [name]
    return [leaf for word, inner in command.commands.items() for leaf in leaves(inner, f"{name} {word}".strip())]


def commands(keep=lambda row: True):
    """Parametrize over the rows that read records; those that load a model are slow."""
    return pytest.mark.parametrize(
        "command",
        [
            pytest.param(name, marks=pytest.mark.slow if row.model else ())
            for name, row in ROWS.items()
            if row.record is not None and keep(row)
        ],
    )


every_reader = commands()
every_filter = commands(lambda row: row.filters)
every_light_one = commands(lambda row: not row.model)


def line(record):
    return json.dumps(record).encode() + b"\n"


def sound(command, count=3):
    """Records that the command takes, with distinct prompts."""
    words = ["the cat", "a dog", "he saw", "no"]
    return b"".join(line(ROWS[command].record | {"prompt": words[number % 4]}) for number in range(count))


@pytest.fixture
def answers(tmp_path_factory):
    """A file of another annotation tool: to every question that `sound` makes, the answer a."""
    words = ["relabel", "human", "--export", "csv"]
    exported = CliRunner().invoke(app, words, input=sound("relabel human", 4), prog_name="real").stdout
    path = tmp_path_factory.mktemp("answers") / "answers.csv"
    path.write_text(exported.replace(",,\n", ",a,\n"))
    return path


@pytest.fixture
def results(tmp_path_factory):
    """The results of a batch: to every question that `sound` makes, a verdict for the response ` sat`."""
    folder = tmp_path_factory.mktemp("batch")
    words = ["relabel", "judge", "-m", "m", "--no-cache", "--emit-requests", str(folder / "asked")]
    assert CliRunner().invoke(app, words, input=sound("relabel judge", 4), prog_name="real").exit_code == 0
    answered = []
    for asked in map(json.loads, (folder / "asked").read_bytes().splitlines()):
        verdict = "A" if "# Response A\n\n sat" in asked["body"]["messages"][-1]["content"] else "B"
        body = {"choices": [{"message": {"content": verdict}}]}
        answered.append(line({"custom_id": asked["custom_id"], "response": {"status_code": 200, "body": body}}))
    (folder / "results").write_bytes(b"".join(answered))
    return folder / "results"


@pytest.fixture
def arguments(request, tmp_path):
    """Return the words that run a command, with a tiny model where it needs one."""

    def of(command):
        row = ROWS[command]
        models = {"POLICY": "tiny_policy", "REWARD": "tiny_reward", "ANSWERS": "answers", "RESULTS": "results"}
        words = (str(request.getfixturevalue(models[word])) if word in models else word for word in row.arguments)
        return [*command.split(), *words]

    return of


@pytest.fixture
def run(arguments, tmp_path):
    """Run a command in this process, in a folder of its own."""

    def of(command, data, *more):
        with chdir(tmp_path):
            return CliRunner().invoke(app, [*arguments(command), *more], input=data, prog_name="real")

    return of


@pytest.fixture
def start(arguments, tmp_path):
    """Start a command in a process of its own, in a folder of its own."""
    started = []

    def of(command, *more, **streams):
        # As the installed script starts: `python -m` would die of SIGINT instead of exiting with 130 where the
        # interrupt meets an exec of a string, as dataclasses do while they are imported.
        words = [sys.executable, "-c", "from real_cli.app import main; main()", *arguments(command), *more]
        process = subprocess.Popen(words, cwd=tmp_path, **{"stderr": subprocess.PIPE, **streams})
        started.append(process)
        return process

    yield of
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


def stderr_of(result):
    """The lines of standard error; a traceback among them is a broken promise."""
    assert "Traceback" not in result.stderr
    return result.stderr.splitlines()


# The list


def test_every_command_of_the_app_has_a_row_here():
    assert set(leaves(typer.main.get_command(app))) == set(ROWS)


def test_help_lists_every_command():
    shown = CliRunner().invoke(app, ["--help"], prog_name="real").stdout
    for name in ROWS:
        group, _, rest = name.partition(" ")
        assert f"  {group} " in shown
        if rest:
            assert f"  {rest} " in CliRunner().invoke(app, [group, "--help"], prog_name="real").stdout


# Data


@every_reader
def test_no_input_is_no_output_or_a_summary_of_nothing(run, command):
    result = run(command, b"")
    status, output = ROWS[command].empty
    assert result.exit_code == status
    assert len(stderr_of(result)) <= 1
    if output == "object":
        assert isinstance(json.loads(result.stdout), dict)
        assert result.stdout.count("\n") == 1
    else:
        assert result.stdout == ""


@every_reader
def test_blank_lines_are_no_records(run, command):
    assert run(command, b"\n  \r\n\n").exit_code == ROWS[command].empty[0]


@every_reader
def test_a_broken_second_line_stops_with_one_line_that_names_it(run, command):
    result = run(command, sound(command, 1) + b'{"prompt": \n' + sound(command, 1))
    assert result.exit_code == 1
    (message,) = stderr_of(result)
    assert message.startswith("real: <stdin>:2: not JSON: ")


@commands(lambda row: row.missing is not None)
def test_a_missing_field_stops_with_one_line_that_names_it(run, command):
    result = run(command, line({"prompt": "q", "note": "no responses"}))
    assert (result.exit_code, result.stdout) == (1, "")
    (message,) = stderr_of(result)
    assert message.startswith(f"real: <stdin>:1: {ROWS[command].missing}")


@every_reader
def test_a_missing_file_stops_with_one_line_that_names_it(run, command):
    result = run(command, None, "none.jsonl")
    assert (result.exit_code, result.stdout) == (1, "")
    assert stderr_of(result) == ["real: none.jsonl: No such file or directory"]


@every_filter
def test_a_broken_line_is_skipped_when_asked_and_the_status_says_so(run, command, tmp_path):
    whole = run(command, sound(command, 2))
    result = run(command, b"{\n" + sound(command, 2), "--on-error", "skip", "--rejects", "rejects.jsonl")
    assert result.exit_code == 3
    assert result.stdout == whole.stdout != ""
    (reject,) = map(json.loads, (tmp_path / "rejects.jsonl").read_bytes().splitlines())
    assert (reject["place"], reject["line"]) == ("<stdin>:1", "{")


def notes_of(result, names):
    """Find the note of each response of a record."""
    if names is not None:
        return [result[name] for name in names]
    if "chosen" in result:
        return [result["note_chosen"], result["note_rejected"]]
    return [response["note"] for response in result["responses"]]


@commands(lambda row: row.filters and row.keeps)
def test_unknown_fields_survive(run, command):
    result = run(command, sound(command, 1))
    assert result.exit_code == 0
    for record in map(json.loads, result.stdout.splitlines()):
        assert record["source"] == SOURCE
        assert record["id"] == 9007199254740993
        assert sorted(notes_of(record, ROWS[command].notes)) == (["n1", "n2"] if ROWS[command].notes != () else [])


@commands(lambda row: row.empty[0] == 0)
def test_a_file_and_standard_input_agree_and_so_do_two_runs(run, command, tmp_path):
    data = sound(command)
    (tmp_path / "in.jsonl").write_bytes(data)
    outputs = [
        run(command, data).stdout_bytes,
        run(command, data).stdout_bytes,
        run(command, data, "-").stdout_bytes,
        run(command, None, "in.jsonl").stdout_bytes,
        run(command, b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n\r\n")).stdout_bytes,
    ]
    assert outputs[0]
    assert set(outputs) == {outputs[0]}


@commands(lambda row: row.empty[0] == 0)
def test_an_output_file_holds_what_standard_output_would(run, command, tmp_path):
    data = sound(command)
    (tmp_path / "out").write_bytes(b"old\n")
    result = run(command, data, "-o", "out")
    assert (result.exit_code, result.stdout) == (0, "")
    assert (tmp_path / "out").read_bytes() == run(command, data).stdout_bytes


@commands(lambda row: row.empty[0] == 0)
def test_a_run_that_fails_leaves_the_output_file_as_it_was(run, command, tmp_path):
    (tmp_path / "out").write_bytes(b"old\n")
    assert run(command, sound(command) + b"{\n", "-o", "out").exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out").read_bytes() == b"old\n"


@every_reader
def test_quiet_says_nothing_when_nothing_fails(run, command):
    if ROWS[command].empty[0] == 0:
        assert run(command, b"", "--quiet").stderr == ""
    else:
        assert len(stderr_of(run(command, b"", "--quiet"))) == 1


# The command line


@pytest.mark.parametrize("command", ROWS)
def test_an_option_that_is_not_there_is_a_mistake_on_the_command_line(command):
    result = CliRunner().invoke(app, [*command.split(), "--no-such-option"], prog_name="real")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--no-such-option" in result.stderr


@pytest.mark.parametrize("command", ["", "relabel", "eval", *ROWS])
def test_help_comes_at_once_and_loads_nothing_heavy(command):
    before = processor_seconds()
    done = with_modules([*command.split(), "--help"])
    assert processor_seconds() - before < 2
    assert done.stdout.startswith(f"Usage: real {command}".rstrip())
    assert not done.modules & (HEAVY | {"numpy", "scipy"})


# Processes


def processor_seconds():
    """What the processes that this one started and waited for have used; the clock would count their neighbors too."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


HEAVY = {"torch", "transformers", "sentence_transformers", "datasets", "trl", "pandas", "pyarrow", "sklearn"}


def with_modules(words, data=b""):
    """Run the command line in a process of its own, and say which modules it had loaded at its end."""
    program = (
        "import sys\n"
        "from real_cli.app import main\n"
        "try:\n    main()\n"
        "finally:\n    print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, *words], input=data, capture_output=True, check=True)
    done.modules = set(done.stderr.decode().splitlines()[-1].split())
    done.stdout = done.stdout.decode()
    assert "real_cli" in done.modules
    return done


@every_light_one
def test_a_command_without_a_model_never_loads_torch(command, arguments):
    done = with_modules(arguments(command), sound(command))
    assert done.stdout
    assert not done.modules & HEAVY


@every_light_one
def test_the_output_is_the_same_in_another_process(run, command, start):
    """Hash seeds differ from process to process."""
    data = sound(command, 20)
    process = start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.communicate(data)[0] == run(command, data).stdout_bytes


@pytest.mark.parametrize("command", [name for name, row in ROWS.items() if row.filters and not row.model])
def test_a_reader_that_leaves_after_one_line_is_no_error(command, start):
    """`real ... | head -1`: far more is written than a pipe holds."""
    data = sound(command, 1_000)
    process = start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    feeder = threading.Thread(target=feed, args=(process.stdin, data))
    feeder.start()
    assert json.loads(process.stdout.readline())
    process.stdout.close()
    assert process.wait(timeout=20) == 0
    feeder.join()
    assert process.stderr.read() == b""


# What their rows ask takes statistics of the whole input.
BUFFERING = ("split", "relabel shape")


@pytest.mark.parametrize(
    "command", [name for name, row in ROWS.items() if row.filters and not row.model and name not in BUFFERING]
)
def test_a_record_is_handed_on_while_the_next_is_awaited(command, start):
    """A slow writer in front: the pipe is open, and nothing more comes."""
    process = start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(sound(command, 1))
    process.stdin.flush()
    assert select.select([process.stdout], [], [], 20)[0]
    assert json.loads(process.stdout.readline())


def feed(stream, data):
    """Write to a process that may end before it has read everything."""
    with contextlib.suppress(BrokenPipeError), stream:
        stream.write(data)


@every_reader
def test_a_reader_that_is_gone_from_the_start_is_no_error(command, start):
    end, gone = os.pipe()
    os.close(end)
    process = start(command, stdin=subprocess.PIPE, stdout=gone)
    os.close(gone)
    _, errors = process.communicate(sound(command))
    assert process.returncode == 0
    assert b"Traceback" not in errors
    assert b"Broken pipe" not in errors


@every_light_one
def test_a_full_disk_is_told(command, start):
    with open("/dev/full", "wb") as full:
        process = start(command, stdin=subprocess.PIPE, stdout=full)
        _, errors = process.communicate(sound(command))
    assert process.returncode == 1
    assert errors == b"real: standard output: No space left on device; make room, or name another place\n"


@every_light_one
@pytest.mark.parametrize(
    ("number", "status", "word"),
    [(signal.SIGTERM, 143, b"real: terminated\n"), (signal.SIGINT, 130, b"real: interrupted\n")],
)
def test_a_signal_ends_the_run_with_its_status_and_no_output_file(command, start, tmp_path, number, status, word):
    process = start(command, "-o", "out", stdin=subprocess.PIPE)
    process.stdin.write(sound(command))
    process.stdin.flush()
    deadline = time.monotonic() + 20
    while not list(tmp_path.iterdir()) and time.monotonic() < deadline:  # the file beside the output's name
        time.sleep(0.02)
    process.send_signal(number)
    assert process.wait(timeout=20) == status
    assert process.stderr.read() == word
    assert list(tmp_path.iterdir()) == []


@every_light_one
def test_standard_output_that_is_closed_is_told_in_one_line(command, arguments, tmp_path):
    """`real ... >&-`: Python has no sys.stdout then."""
    words = ["bash", "-c", '"$0" -m real_cli "$@" >&-', sys.executable, *arguments(command)]
    done = subprocess.run(words, input=sound(command), capture_output=True, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(b"real: ")
    assert b"this is a bug" not in done.stderr


# Training, which writes a folder


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of the trainer's libraries
def test_training_twice_from_file_and_from_standard_input_gives_the_same_weights(run, tmp_path):
    data = sound("train-dpo")
    (tmp_path / "in.jsonl").write_bytes(data)
    losses, weights = [], []
    for words, stdin in (["in.jsonl"], None), (["-"], data):
        result = run("train-dpo", stdin, *words)
        assert result.exit_code == 0, result.stderr
        *steps, last = map(json.loads, result.stdout.splitlines())
        losses.append([step["loss"] for step in steps if "loss" in step])
        weights.append((tmp_path / "aligned" / "model.safetensors").read_bytes())
        assert (last["step"], last["num_pairs"]) == (2, 3)
        assert not (tmp_path / "aligned" / ".work").exists()
    assert losses[0] == losses[1] != []
    assert weights[0] == weights[1]


@pytest.mark.slow
@pytest.mark.parametrize("data", [b"", b"{\n"], ids=["no records", "a broken line"])
def test_training_on_bad_input_leaves_the_earlier_result_as_it_was(run, tmp_path, data):
    """`real pair ... | real train-dpo -o aligned`: that pair failed is no reason to undo what aligned holds."""
    folder = tmp_path / "aligned"
    folder.mkdir()
    for name in ("real.json", "model.safetensors"):
        (folder / name).write_text("earlier")
    assert run("train-dpo", data).exit_code == 1
    assert {path.name: path.read_text() for path in folder.iterdir() if path.is_file()} == {
        "real.json": "earlier",
        "model.safetensors": "earlier",
    }


def test_the_pool_and_the_pairs_cannot_both_be_standard_input(run):
    result = run("eval pairs", sound("eval pairs"), "--from", "-")
    assert (result.exit_code, result.stdout) == (2, "")
