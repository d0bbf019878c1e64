"""What shells complete: the protocol, and bash, zsh and fish themselves where they are installed."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from real_cli.app import COMMANDS
from real_cli.cli.completion_scripts import SCRIPTS
from real_cli.docs.man_pages import commands
from real_cli.evaluate.pairs.checks import CHECKS
from real_cli.init.recipes import recipe_names
from real_cli.pair.strategy_names import Strategy
from real_cli.train.choices import Preset
from real_cli.train.loss_names import LOSSES
from tests.cli.shell_terminal import ShellTerminal

CPU_SECONDS = 0.25


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Models, and folders without any."""
    place = tmp_path_factory.mktemp("models")
    for name in ("sft", "runs/first", "my model", ".hidden"):
        (place / name).mkdir(parents=True)
        (place / name / "config.json").touch()
    (place / "adapter").mkdir()
    (place / "adapter" / "adapter_config.json").touch()
    (place / "notes" / "deep").mkdir(parents=True)
    (place / "small.gguf").touch()
    (place / "pairs.jsonl").touch()
    return place


def offered(line, folder=Path(), shell="bash", **more):
    """What a shell is offered behind a line; the last word is the one at the cursor."""
    words = line.split(" ")
    asked = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1), "_TYPER_COMPLETE_ARGS": line}
    environment = os.environ | asked | {"_REAL_COMPLETE": f"complete_{shell}"} | more
    done = subprocess.run(
        [sys.executable, "-m", "real_cli"], env=environment, cwd=folder, capture_output=True, text=True, input=""
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("real ", list(COMMANDS)),
        ("real eval m", ["margin"]),
        ("real nonsense ", list(COMMANDS)),
        ("real pair --str", ["--strategy"]),
        ("real pair --strategy easy --str", []),
        ("real pair --strategy ", list(Strategy)),
        ("real pair -s best-worst-", ["best-worst-of-5"]),
        ("real pair --strategy=ea", ["--strategy=easy"]),
        ("real pair --strategy = ea", ["easy"]),
        ("real pair --strategy =", list(Strategy)),
        ("real pair --quantile ", []),
        ("real pair --curriculum -- --k", []),
        (
            "real pair --by ",
            ["similarity", "score-gap", "rejected-length", "mean-score", "score-variance", "random"],
        ),
        ("real pair --strategy best-w", ["best-worst", "best-worst-of-5"]),
        ("real pair --strategy i", ["infomax", "information"]),
        ("real pair --emit ", ["pairs", "triples", "ranking", "prompts"]),
        ("real train-dpo --loss ", list(LOSSES)),
        ("real train-dpo --loss dpo,sf", ["dpo,sft"]),
        ("real train-dpo --loss dpo,dp", ["dpo,dpo-norm"]),
        ("real train-dpo --preset ", list(Preset)),
        ("real train-dpo --policy ", ["smollm2", "adapter", "my\\ model", "runs/", "sft", "small.gguf"]),
        ("real train-dpo --reference runs/", ["runs/first"]),
        ("real train-dpo --reference .h", [".hidden"]),
        ("real eval margin -p ./s", ["./sft", "./small.gguf"]),
        ("real eval margin -p nowhere/", []),
        ("real embed --model m", ["minilm", "my\\ model"]),
        ("real soup sft r", ["runs/"]),
        ("real relabel judge --rubric ", ["pairwise", "ultrafeedback", "magpie"]),
        ("real relabel bridge --rubric ", ["bridge"]),
        ("real relabel dsat --show-rubric ", ["pairwise", "ultrafeedback", "magpie", "bridge", "dsat"]),
        ("real relabel weight --by ", ["reward-difference", "gap-utility"]),
        ("real eval labels --compare easy,ha", ["easy,hard"]),
        ("real init --recipe ", recipe_names()),
        ("real help relabel ju", ["judge"]),
        ("real help los", ["losses"]),
        ("real --show", ["--show-completion"]),
        ("real --show-completion ", list(SCRIPTS)),
        ("real --install-completion z", ["zsh"]),
        ("real --show-completion=fi", ["--show-completion=fish"]),
        ("real eval pairs --drop ", [check.name for check in CHECKS]),
        ("real eval pairs --limit share_chosen_longer_l", ["share_chosen_longer_low"]),
        ("real pair --rejects ", []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_offered(line, words, folder):
    """Folders that lead to no model are not; where nothing is, the shell offers files."""
    assert offered(line, folder) == words


def test_every_option_with_fixed_values_offers_them():
    """All of them, of every command: in this process."""
    from typer.main import get_command

    from real_cli.app import app
    from real_cli.cli.completion import find_offers
    from real_cli.cli.help_page import choices_of

    root, num_seen = get_command(app), 0
    for command in commands():
        for param in command.command.get_params(command.context):
            if param.param_type_name == "option" and choices_of(param):
                line = [*command.words.split()[1:], max(param.opts, key=len)]
                assert [offer.word for offer in find_offers(root, line, "")] == choices_of(param)
                num_seen += 1
    assert num_seen > 30


def test_zsh_and_fish_are_told_what_words_are(folder):
    assert offered("real pair --kee", shell="zsh") == [
        "local -a real_words; real_words=('--keep:Keep this share, or this many, of all chosen pairs'); "
        "_describe -o value real_words"
    ]
    assert offered("real train-dpo -p r", folder, shell="zsh") == ["compadd -S '' -- runs/"]
    assert offered("real pair --rejects ", shell="zsh") == ["_files"]
    fish = {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    about = "Keep this share, or this many, of all chosen pairs"
    assert offered("real pair --kee", shell="fish", **fish) == [f"--keep\t{about}"]


def test_a_line_that_cannot_be_read_offers_nothing():
    """An error would be written into the line."""
    assert offered("real pair --strategy 'ea", shell="zsh") == [
        "local -a real_words; real_words=(easy); _describe value real_words"
    ]
    environment = os.environ | {"_REAL_COMPLETE": "complete_tcsh"}
    done = subprocess.run([sys.executable, "-m", "real_cli"], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


@pytest.mark.parametrize("line", ["real pair --strategy ", "real train-dpo --policy ", "real relabel judge --rubric "])
def test_completion_is_fast(line, folder):
    """The least of some runs, since a machine that is busy takes longer."""
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert offered(line, folder)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) < CPU_SECONDS


def test_completion_loads_no_library(folder):
    code = (
        "import sys\nfrom real_cli.app import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write(' '.join({'torch', 'transformers', 'numpy', 'pydantic', 'rich'} & set(sys.modules)))"
    )
    line = "real train-dpo --policy "
    environment = os.environ | {"_REAL_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": line}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=folder, capture_output=True, text=True)
    assert "smollm2" in done.stdout
    assert done.stderr == ""


@pytest.fixture
def home(tmp_path):
    """A home folder, and an environment with `real` in the path."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "real").write_text(f'#!/bin/sh\nexec {sys.executable} -m real_cli "$@"\n')
    (programs / "real").chmod(0o755)
    kept = {name: os.environ[name] for name in ("PYTHONPATH", "LANG") if name in os.environ}
    path = f"{programs}:/usr/local/bin:/usr/bin:/bin"
    return kept | {"HOME": str(tmp_path), "PATH": path, "TERM": "xterm", "SHELL": "/bin/sh"}


def install(home, *words):
    done = subprocess.run(
        [f"{home['HOME']}/programs/real", *words], env=home, capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    return done.stderr


WRITTEN = {
    "bash": [".bash_completions/real.sh", ".bashrc"],
    "zsh": [".zfunc/_real", ".zshrc"],
    "fish": [".config/fish/completions/real.fish"],
}


@pytest.mark.parametrize("shell", SCRIPTS)
@pytest.mark.parametrize("form", ["--install-completion {}", "--install-completion={}"])
def test_it_is_installed_for_the_shell_that_is_named_and_says_where(shell, form, home):
    place = Path(home["HOME"])
    (place / ".bashrc").write_text("alias l=ls")
    messages = install(home, *form.format(shell).split())
    assert (place / WRITTEN[shell][0]).read_text() == f"{SCRIPTS[shell]}\n"
    for name in WRITTEN[shell]:
        assert f"real: {place / name}: " in messages
    others = {name for other in SCRIPTS if other != shell for name in WRITTEN[other]} - {".bashrc"}
    assert [name for name in others if (place / name).exists()] == []
    rc = (place / ".bashrc").read_text()
    assert rc.startswith("alias l=ls\n" if shell == "bash" else "alias l=ls")
    install(home, "--install-completion", shell)
    assert (place / ".bashrc").read_text() == rc


def test_a_script_is_shown():
    shown = subprocess.run(
        [sys.executable, "-m", "real_cli", "--show-completion", "fish"], capture_output=True, text=True, check=True
    )
    assert shown.stdout == f"{SCRIPTS['fish']}\n"


# Keys, each part up to a Tab with what the line shows then.
TYPED = {
    "a command, an option, a value": [("real train-d", "train-dpo"), ("--pres", "--preset"), ("dl", "--preset dlma")],
    "a value behind a sign": [("real pair --strategy=eas", "--strategy=easy")],
    "a folder in a folder": [("real train-dpo --policy ru", "runs/"), ("f", "runs/first")],
    "a folder with a space": [("real train-dpo --policy my", "--policy my\\ model")],
    "the last name of a list": [("real train-dpo --loss dpo,sf", "--loss dpo,sft")],
    "a topic of two words": [("real help relabel ju", "real help relabel judge")],
    "a file where nothing is known": [("real pair --rejects pai", "--rejects pairs.jsonl")],
}
SHELLS = {"bash": ["bash", "-i"], "zsh": ["zsh", "-i"], "fish": ["fish", "-i"]}


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("case", TYPED)
def test_a_shell_completes(shell, case, home, folder):
    """In a pseudo-terminal, with the script as it is installed."""
    if not shutil.which(shell, path=home["PATH"]):
        pytest.skip(f"{shell} is not installed")
    install(home, "--install-completion", shell)
    for name in (".bashrc", ".zshrc"):
        with (Path(home["HOME"]) / name).open("a") as file:
            file.write("\nPS1='ready> '\n")
    config = Path(home["HOME"]) / ".config" / "fish"
    config.mkdir(parents=True, exist_ok=True)
    (config / "config.fish").write_text("function fish_prompt; echo -n 'ready> '; end\n")
    terminal = ShellTerminal(SHELLS[shell], home, folder)
    try:
        assert terminal.wait_for("ready>"), terminal.text
        for keys, shown in TYPED[case]:
            terminal.type(keys)
            assert terminal.wait_for(keys), terminal.text
            terminal.type("\t")
            assert terminal.wait_for(shown), terminal.text
            terminal.read(0.2)
    finally:
        terminal.close()
