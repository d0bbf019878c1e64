"""What a wrong command line is told: one line in our words, with what would be right."""

import re
import subprocess
import sys

import pytest

from real_cli.docs.man_pages import commands

STRATEGIES = (
    "easy, hard, centroid, random, aepo, best-worst, best-random, best-vs-rest, best-two-sigma, best-worst-of-5, all, "
    "dts, drts, delta-ucb, delta-quantile, infomax, maxmin-lcb, information"
)
# A mistake of each kind that a command line can have, and what is said of it.
MISTAKES = {
    "pair --strategy esay": f"--strategy: 'esay' is none of {STRATEGIES}; did you mean easy?",
    "pair -s EASY": f"--strategy: 'EASY' is none of {STRATEGIES}; did you mean easy?",
    "pair --strategy zzz": f"--strategy: 'zzz' is none of {STRATEGIES}; name one of them",
    "pair --on-error=": "--on-error: '' is none of fail, skip; name one of them",
    "pair --strategy --keep": f"--strategy: '--keep' is none of {STRATEGIES}; name one of them",
    "pair --max-responses x": "--max-responses: 'x' is no whole number; give one, 2 or more",
    "pair --max-responses 2.5": "--max-responses: '2.5' is no whole number; give one, 2 or more",
    "pair --max-responses 1": "--max-responses: 1 is too small; give 2 or more",
    "train-dpo -p a --batch-tokens most": "--batch-tokens: 'most' is no whole number; give one, 1 or more, or auto",
    "train-dpo -p a --batch-tokens 0": "--batch-tokens: 0 is too small; give 1 or more, or auto",
    "embed --batch-tokens auto": "--batch-tokens: 'auto' is no whole number; give one, 1 or more",
    "pair --quantile 2": "--quantile: 2 is too large; give at most 1",
    "pair --quantile -1": "--quantile: -1 is too small; give 0 to 1",
    "pair --seed 99999999999999999999": "--seed: 99999999999999999999 is too large; give at most 9223372036854775807",
    "eval margin -p a --beta x": "--beta: 'x' is no number; give a number",
    "relabel weight --clip a 2": "--clip: 'a' is no number; give a number",
    "relabel weight --clip 1": "--clip: has fewer than 2 values; write --clip LO HI",
    "pair --keep": "--keep: has no value; write --keep SHARE%|N",
    "soup a b -o": "-o: has no value; write -o FOLDER",
    "pair --curriculum=3": "--curriculum: takes no value; write --curriculum alone",
    "pair --stategy easy": "pair: --stategy is no option; did you mean --strategy?",
    "pair --max_responses 4": "pair: --max_responses is no option; did you mean --max-responses?",
    "pair --no-curriculum": "pair: --no-curriculum is no option; did you mean --curriculum?",
    **{
        f"{words} --shard 1/2": f"{words}: --shard is no option; it needs all records, so put the shards together "
        "first: real merge"
        for words in (
            "eval pairs",
            "eval labels",
            "eval compare",
            "eval judge",
            "eval reward",
            "eval winrate",
            "eval margin",
            "train-dpo",
            "split",
        )
    },
    "soup --shard 1/2": "soup: --shard is no option; see real soup --help",
    "pair -Z": "pair: -Z is no option; see real pair --help",
    "--vers": "--vers is no option; did you mean --version?",
    "relabel --foo": "relabel: --foo is no option; see real relabel --help",
    "relabel judge": "relabel judge: --model is missing; give --model NAME[@URL]",
    "soup -o x": "soup: MODEL... is missing; see real soup --help",
    "init a b c": "init: 'b' is a word too many; see real init --help",
    "par": "'par' is no command; did you mean pair?",
    "train": "'train' is no command; did you mean train-dpo?",
    "jugde": "'jugde' is no command; did you mean relabel judge?",
    "eval margn": "eval: 'margn' is no command; did you mean margin?",
    "nothing-like-it": "'nothing-like-it' is no command; see real --help",
    "--": "no command is named; see real --help",
    "--install-completion zhs": "--install-completion: 'zhs' is none of bash, zsh, fish; did you mean zsh?",
    "--show-completion=fsh": "--show-completion: 'fsh' is none of bash, zsh, fish; did you mean fish?",
    "relabel judge --show-rubric pairwse": "--rubric: 'pairwse' is no file, and none of pairwise, ultrafeedback, "
    "magpie, bridge, dsat; did you mean pairwise?",
    "init x --recipe spoo": None,
    "train-dpo --loss dop -p a -o b": None,
    "eval labels --compare easy,hrad": None,
    "help losess": "help: 'losess' is no topic; did you mean losses?",
}
MEANT = {
    "init x --recipe spoo": "spo",
    "train-dpo --loss dop -p a -o b": "dpo",
    "eval labels --compare easy,hrad": "hard",
}
LIBRARIES = re.compile(
    r"Typer|Click|Usage:|Traceback|pydantic|[Ii]nvalid value|Value error|Input should|[Gg]ot unexpected|"
    r"[Nn]o such option|Possible options|[Mm]issing (option|argument|command)|does not take|requires an? "
)


def real(*words):
    return subprocess.run([sys.executable, "-m", "real_cli", *words], capture_output=True, text=True, input="")


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_told_in_a_line_of_our_words(line):
    """A library's would name its notions, and take four lines."""
    done = real(*line.split())
    assert (done.returncode, done.stdout) == (2, "")
    if MISTAKES[line] is None:
        assert done.stderr.endswith(f"; did you mean {MEANT[line]}?\n")
    else:
        assert done.stderr == f"real: {MISTAKES[line]}\n"
    assert done.stderr.count("\n") == 1
    assert not LIBRARIES.search(done.stderr)


def every_option():
    """Each option with a fixed set of values, or a range, of every command: words that break it."""
    for command in commands():
        for param in command.command.get_params(command.context):
            descriptor = param.type_descriptor
            if param.param_type_name != "option" or param.is_flag:
                continue
            kind = "choice" if descriptor.is_choice else "number" if descriptor.annotation in (int, float) else ""
            if kind:
                yield command.words.split()[1:], max(param.opts, key=len), kind


def test_every_choice_and_number_refuses_a_word_in_our_words():
    """In this process: there are over a hundred."""
    from real_cli.app import USAGE_PROBLEM, app
    from real_cli.cli.mistakes import explain

    options = list(every_option())
    assert {kind for _, _, kind in options} == {"choice", "number"}
    for words, option, kind in options:
        with pytest.raises(USAGE_PROBLEM) as raised:
            app([*words, option, "no!such"], prog_name="real", standalone_mode=False)
        message = explain(raised.value)
        start = "none of" if kind == "choice" else "no (whole )?number; give"
        assert re.match(rf"{option}: 'no!such' is {start}", message), message
        assert not LIBRARIES.search(message)


def test_what_is_typed_is_shown_in_a_line_and_obeyed_by_no_terminal():
    done = real("pair", "--strategy", "a\x1b[31m\nb")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_field_that_records_lack_is_answered_with_one_that_they_have(tmp_path):
    row = '{"prompt": "p", "chosen": "a", "rejected": "b", "score_chosen": 3, "score_rejected": 1, "weight": 2}\n'
    (tmp_path / "pairs.jsonl").write_text(row)
    for words, meant in (
        (["pair", "-s", "all", "--keep", "1", "--lowest", "--by", "weigth"], "weight"),
        (["pair", "-s", "all", "--keep", "1", "--lowest", "--by", "scoregap"], "score-gap"),
        (["pair", "-s", "all", "--score", "scroe"], "score"),
        (["eval", "labels", "--gold", "scroe"], "score"),
        (["relabel", "weight", "--expression", "weigth * 2"], "weight"),
        (["relabel", "bridge", "--from", "wheight"], "weight"),
    ):
        done = real(*words, str(tmp_path / "pairs.jsonl"))
        assert done.returncode == 1
        assert done.stderr.endswith(f" is missing; did you mean {meant}?\n"), done.stderr
