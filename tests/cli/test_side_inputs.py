"""No command writes over a file that it reads beside the records, whichever of its options names it."""

import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.docs.man_pages import commands

PAIR = '{"prompt": "p", "chosen": "a", "rejected": "b", "score": 1}\n'
ASKED = ("--model", "nobody")
# Command and option that reads a file, the words before its name, and others that the command needs.
READ = {
    ("split", "--heldout"): ("",),
    ("eval pairs", "--from"): ("",),
    ("eval pairs", "--against"): ("",),
    ("eval judge", "--against"): ("",),
    ("eval margin", "--training"): ("", "--policy", "nobody", "--report", "r.html"),
    ("relabel judge", "--apply-results"): ("", *ASKED),
    ("relabel judge", "--rubric"): ("", *ASKED),
    ("relabel bridge", "--apply-results"): ("", *ASKED),
    ("relabel bridge", "--rubric"): ("", *ASKED),
    ("relabel dsat", "--apply-results"): ("", *ASKED),
    ("relabel dsat", "--rubric"): ("", *ASKED),
    ("relabel human", "--import"): ("",),
    ("relabel implicit", "--contrast"): ("@", "--policy", "nobody"),
    ("sample", "--apply-results"): ("", "--policy", "nobody"),
    ("sample", "--principles"): ("", "--policy", "nobody"),
    ("sample", "--contrast"): ("@", "--policy", "nobody"),
    ("sample", "--system"): ("@", "--policy", "nobody"),
    ("sample", "--template"): ("@", "--policy", "nobody", "--improve"),
    ("train-dpo", "--eval-file"): ("", "--policy", "nobody", "-o", "folder"),
    ("train-reward", "--eval-file"): ("", "--model", "nobody", "-o", "folder"),
}
RUBRICS = {"judge": "pairwise", "bridge": "bridge", "dsat": "dsat"}
WORDS = {"--contrast": "Be kind. {prompt}", "--system": "Be kind.", "--template": "{prompt} {rejected} {complaint}"}
WRITTEN = {
    *("--output", "--rejects", "--report", "--rows", "--export-logps"),
    *("--emit-requests", "--journal", "--dump", "--resume", "--sound", "--keys-to"),
}


def content(command, option):
    """What the option can read, so that nothing but the clash is wrong."""
    if option == "--rubric":
        from real_cli.llm.rubric_files import rubric_text

        return rubric_text(RUBRICS[command.split()[1]])
    return (
        '{"name": "kind", "text": "Be kind.", "weight": 1}\n' if option == "--principles" else WORDS.get(option, PAIR)
    )


@pytest.mark.parametrize("writes", ["--output", "--rejects"])
@pytest.mark.parametrize(("command", "option"), READ, ids=[" ".join(key) for key in READ])
def test_a_file_that_an_option_reads_is_never_written_over(tmp_path, monkeypatch, command, option, writes):
    """It was emptied or replaced, with status 0; however the path is spelled."""
    if writes == "--output":  # of training it is a folder
        writes = {"train-dpo": "--dump", "train-reward": "--rejects"}.get(command, writes)
    monkeypatch.chdir(tmp_path)
    for name, text in (("side", content(command, option)), ("in.jsonl", PAIR)):
        (tmp_path / name).write_text(text)
    mark, *more = READ[command, option]
    values = [f"{mark}side", "Be rude. {prompt}"] if option == "--contrast" else [f"{mark}side"]
    words = [*command.split(), *more, option, *values, writes, "./side", "in.jsonl"]
    result = CliRunner().invoke(app, words, prog_name="real")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"real: side: is what {option} reads; name another file\n"
    assert (tmp_path / "side").read_text() == content(command, option)


def test_every_option_that_names_a_file_is_known_to_read_or_to_write_it():
    """A new one is to be added to READ, or to WRITTEN; without that nobody would have asked."""

    options = {
        (command.words.removeprefix("real "), parameter.opts[0])
        for command in commands()
        for parameter in command.command.params
        if parameter.opts[0].startswith("-") and "FILE" in f"{parameter.metavar} {getattr(parameter, 'help', '')}"
    }
    options = {(name, option) for name, option in options if option not in WRITTEN}
    assert options == {(name, option) for name, option in READ if option != "--rubric"}  # which says "NAME"
