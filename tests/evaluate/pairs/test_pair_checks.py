"""Verdicts of `real eval pairs`: each check finds its own fault alone, and its command mends it."""

import json
import shlex
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.evaluate.pairs.checks import CHECKS
from real_cli.evaluate.pairs.checks.check import without_counterpart
from real_cli.evaluate.pairs.verdicts import verdicts_block

SUBJECTS = ("rivers", "lamps", "bread", "sails", "bees", "clocks", "maps", "kilns", "looms", "bridges")
WORDS = ("slow", "bright", "old", "warm", "broad", "quiet", "tall", "light", "fine", "deep")


def sound_pair(number):
    """One of many pairs in which nothing but the words tells chosen from rejected; half have the longer chosen."""
    subject, word = SUBJECTS[number % 10], WORDS[number // 10 % 10]
    first = f"Number {number}: {subject} are {word}, and people have made them so for their own use."
    second = f"In case {number} nobody knows why {word} {subject} were preferred, though many guess."
    texts = [first, second + " It is so." * (number % 3)]
    chosen, rejected = sorted(texts, key=len, reverse=number % 2 == 0)
    scores = {"score_chosen": 5 + number % 7, "score_rejected": 4 - number % 5}
    return {"prompt": f"Why is it that {word} {subject} matter in year {number}?", "chosen": chosen} | {
        "rejected": rejected, "model_chosen": "ab"[number % 2], "model_rejected": "ba"[number % 2],
        "is_cut_chosen": False, "is_cut_rejected": False, **scores,
    }  # fmt: skip


SOUND = [sound_pair(number) for number in range(120)]
LONG = "The river runs to the sea. It is wide there. Ships come in by night. " * 6
REFUSAL = "I'm sorry, but I can't help with that."


def changed(*places, **fields):
    """The sound pairs, some of them with other fields."""
    return [
        row | {name: value(row) if callable(value) else value for name, value in fields.items()} if n in places else row
        for n, row in enumerate(SOUND)
    ]


def contradicting():
    row = SOUND[4]
    swapped = {"chosen": row["rejected"], "rejected": row["chosen"]}
    return [*SOUND, row | swapped]


FAULTS = {
    "equal-texts": changed(3, rejected=lambda row: row["chosen"]),
    "empty-responses": changed(3, rejected=" "),
    "cut-responses": changed(3, is_cut_rejected=True),
    "rendered-chats": changed(3, chosen=lambda row: row["chosen"] + "<|im_end|>"),
    "leaking-roles": changed(3, rejected=lambda row: row["rejected"] + "\n\nHuman: And then?"),
    "misread-characters": changed(3, chosen=lambda row: row["chosen"] + " The cafÃ© is shut."),
    "unfinished-responses": changed(3, chosen=LONG + "And what the pilots say of it is that the"),
    "empty-prompts": changed(3, prompt=""),
    "prompts-in-responses": changed(3, chosen=lambda row: f"{row['prompt']} {row['chosen']}"),
    "near-equal-texts": changed(3, chosen=LONG + "Yes.", rejected=LONG + "No."),
    "repeats": [*SOUND, SOUND[7]],
    "near-prompts": changed(3, prompt=SOUND[4]["prompt"].upper()),
    "contradictions": contradicting(),
    "against-scores": changed(3, score_chosen=1, score_rejected=2),
    "equal-scores": changed(3, score_chosen=2, score_rejected=2),
    "small-gaps": changed(*range(50), score_chosen=1.05, score_rejected=1),
    "longer-chosen": changed(*range(1, 80, 2), chosen=lambda row: row["chosen"] + " And more of it." * 5),
    "refusals": changed(*range(30), chosen=lambda row: f"{REFUSAL} {row['chosen'][:9]}"),
    "other-scripts": changed(*range(20), rejected=lambda row: f"Потому что так решили люди {row['score_chosen']}."),
    "rare-scripts": changed(
        3, prompt="Почему реки медленны здесь?", chosen="Потому что так надо.", rejected="Никто не знает зачем"
    ),
    "models": changed(*range(118), model_chosen="large", model_rejected="small"),
    "leaked-prompts": SOUND,
    "overlapping-prompts": SOUND,
    "near-leaked-prompts": [row | {"embedding": [int(n == 3), int(n != 3), 0]} for n, row in enumerate(SOUND)],
    "no-pairs": [],
}  # fmt: skip
TALK = "one two three four five six seven eight nine ten eleven twelve thirteen "
OTHER = {
    "leaked-prompts": [{"prompt": SOUND[5]["prompt"].lower()}],
    "overlapping-prompts": [{"prompt": f"Say: {TALK} again"}],
    "near-leaked-prompts": [{"prompt": "Something else", "embedding": [1, 0, 0.1]}],
}


@pytest.fixture
def evaluate(tmp_path, monkeypatch):
    """Run the command over rows; returns the summary, what was said, and the exit status."""
    monkeypatch.chdir(tmp_path)

    def run(rows, *words, name="pairs.jsonl"):
        if rows is not None:
            (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
        result = CliRunner().invoke(app, ["eval", "pairs", *words, name])
        return json.loads(result.stdout) if result.stdout else None, result.stderr, result.exit_code

    return run


def unsound(summary):
    return {row["check"]: row["level"] for row in summary["verdicts"] if row["level"] != "sound"}


def test_sound_pairs_are_sound_in_every_check(evaluate):
    """All checks but those of another file looked, and none found anything."""
    summary, messages, status = evaluate(SOUND, "--fail-on", "doubtful")
    assert (summary["verdict"], unsound(summary), status) == ("sound", {}, 0)
    not_there = {*OTHER, "other-scripts", "refusals"}  # no pair has one
    assert {row["check"] for row in summary["verdicts"]} == {check.name for check in CHECKS} - not_there
    assert messages == "real: sound: 20 checks held\n"
    assert {row["mend"] for row in summary["verdicts"]} == {None}


def test_there_is_a_fault_for_each_check():
    assert set(FAULTS) == {check.name for check in CHECKS}


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "no-pairs"])
def test_a_check_finds_its_fault_and_its_command_mends_it(evaluate, tmp_path, name):
    """The command is run as it stands, by a shell's rules; then the finding is gone."""
    rows, words = FAULTS[name], []
    if name in OTHER:
        evaluate(OTHER[name], name="heldout.jsonl")
        words = ["--against", "heldout.jsonl", *(["--near", "0.1"] if name == "near-leaked-prompts" else [])]
        rows = changed(3, prompt=f"{TALK}?") if name == "overlapping-prompts" else rows
    summary, _, status = evaluate(rows, *words)
    level = {check.name: check.level.value for check in CHECKS}[name]
    assert status == 0
    assert unsound(summary)[name] == level
    verdict = next(row for row in summary["verdicts"] if row["check"] == name)
    assert verdict["num_pairs"] > 0
    assert verdict["places"][0].startswith("pairs.jsonl:")
    command = shlex.split(verdict["mend"])
    assert command[:3] == ["real", "eval", "pairs"]
    mended = CliRunner().invoke(app, command[1:])
    assert mended.exit_code == 0, mended.stderr
    after, _, _ = evaluate(None, *words, name="sound.jsonl")
    assert after["num_pairs"] == len(rows) - verdict["num_pairs"] > 0
    assert name not in unsound(after)


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in OTHER])
def test_a_fault_shuts_the_gate_at_its_level(evaluate, name):
    level = {check.name: check.level.value for check in CHECKS}[name]
    summary, messages, status = evaluate(FAULTS[name], "-q", "--fail-on", "doubtful")
    assert (status, unsound(summary)[name]) == (3, level)
    assert f"real: {level}: {name} (" in messages
    _, messages, status = evaluate(FAULTS[name], "-q", "--fail-on", "broken")
    is_broken = "broken" in unsound(summary).values()
    assert (status, "doubtful" in messages) == (3 if is_broken else 0, False)


def test_what_is_left_out_is_counted_told_and_kept(evaluate, tmp_path):
    """Two pairs that are broken for three reasons; a doubtful one stays where no check is named."""
    rows = [*changed(3, chosen="", rejected=""), SOUND[9] | {"score_chosen": 0, "score_rejected": 4}, SOUND[7]]
    words = ["--sound", "sound.jsonl", "--rejects", "rejects.jsonl"]
    _, messages, status = evaluate(rows, *words)
    assert status == 0
    assert "sound.jsonl: 120 of 122 pairs; left out 2 (against-scores 1, contradictions" not in messages
    assert "sound.jsonl: 120 of 122 pairs; left out 2 (against-scores 1, empty-responses 1, equal-texts 1)" in messages
    kept = [json.loads(line) for line in (tmp_path / "sound.jsonl").read_text().splitlines()]
    assert kept == [row for number, row in enumerate(rows) if number not in (3, 120)]
    rejects = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert [(row["place"], row["reason"]) for row in rejects] == [
        ("pairs.jsonl:4", "equal-texts, empty-responses"),
        ("pairs.jsonl:121", "against-scores"),
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--drop", "repeats"], "real: --drop says what --sound FILE leaves out; give that too\n"),
        (["--sound", "s", "--drop", "repeat"], "real: --drop 'repeat': no check is called so; close to it: repeats, "),
        (["--sound", "s", "--drop", "leaked-prompts"], "real: --drop leaked-prompts: nothing was looked for; give "),
        (["--sound", "pairs.jsonl"], "real: "),
    ],
)
def test_options_that_do_not_fit_are_refused(evaluate, tmp_path, words, message):
    summary, messages, status = evaluate(SOUND, *words)
    assert (summary, status) == (None, 2)
    assert messages.startswith(message)
    assert not (tmp_path / "s").exists()


def test_the_command_names_the_files_as_a_shell_reads_them(evaluate, tmp_path):
    evaluate(FAULTS["repeats"], name="my pairs.jsonl")
    summary, _, _ = evaluate(None, name="my pairs.jsonl")
    mend = next(row["mend"] for row in summary["verdicts"] if row["check"] == "repeats")
    assert mend == "real eval pairs --drop repeats --sound sound.jsonl 'my pairs.jsonl'"
    echoed = subprocess.run(["sh", "-c", f"printf '%s|' {mend}"], capture_output=True, text=True, check=True)
    assert echoed.stdout.split("|")[-2] == "my pairs.jsonl"


def run_again(summary):
    """Run the combined command as a shell reads it; returns the pairs that it left."""
    result = CliRunner().invoke(app, shlex.split(summary["mend"])[1:])
    assert result.exit_code == 0, result.stderr
    return next(note for note in json.loads(result.stdout)["notes"] if note.startswith("sound"))


def test_the_command_keeps_the_options_that_say_what_is_read_and_judged(evaluate, tmp_path):
    """--score names the rating that the labels contradict, --format the table: without them nothing is found."""
    heads = ["prompt", "chosen", "rejected", "helpful_chosen", "helpful_rejected", "score_chosen", "score_rejected"]
    rows = [heads, ["q", "a b", "c d", "1", "5", "2", "1"], ["r", "e f", "g h", "5", "1", "2", "1"]]
    (tmp_path / "pairs.txt").write_text("".join("\t".join(row) + "\n" for row in rows))
    words = ["--score", "helpful", "--format", "tsv", "--on-error", "skip", "--max-line-bytes", "5000"]
    aside = ["--seed", "3", "--limit", "num_pairs>=1", "--rejects", "out.jsonl", "-q", "--json"]
    summary, _, _ = evaluate(None, *words, *aside, name="pairs.txt")
    command = shlex.split(summary["mend"])
    assert sorted(command[3:-5]) == sorted(words)
    assert command[-5:] == ["--drop", "against-scores", "--sound", "sound.jsonl", "pairs.txt"]
    assert run_again(summary) == "sound.jsonl: 1 of 2 pairs; left out 1 (against-scores 1)"


def test_one_command_mends_all_that_was_found_and_says_how_much_it_leaves(evaluate, tmp_path):
    rows = changed(3, rejected=" ") + [SOUND[7]] + FAULTS["longer-chosen"]
    summary, _, _ = evaluate(rows)
    names = [row["check"] for row in summary["verdicts"] if row["mend"]]
    assert {"empty-responses", "repeats"} < set(names)
    assert shlex.split(summary["mend"])[3 : 3 + 2 * len(names)] == [w for name in names for w in ("--drop", name)]
    assert run_again(summary).startswith(f"sound.jsonl: {summary['num_left']} of {len(rows)} pairs; left out ")
    assert len((tmp_path / "sound.jsonl").read_text().splitlines()) == summary["num_left"] < len(rows)
    for row in summary["verdicts"]:
        assert row["num_left"] == (len(rows) - row["num_pairs"] if row["mend"] else None)
    block = verdicts_block(summary)
    assert f"{summary['num_left']} of {len(rows)} pairs stay" in block.mend_note
    parts = [row.mend for row in block.rows if row.mend]
    assert parts[0] == f"--drop empty-responses  # by itself it leaves {len(rows) - 1} of {len(rows)} pairs"
    assert [part.split()[1] for part in parts] == names


def test_a_check_that_would_leave_nothing_beside_worse_ones_is_not_in_the_command(evaluate):
    rows = [
        {"prompt": "q", "chosen": "a b", "rejected": ""},
        {"prompt": "", "chosen": "a b c", "rejected": "d"},
    ]
    summary, _, _ = evaluate(rows)
    assert {row["check"] for row in summary["verdicts"] if row["mend"]} == {"empty-responses", "empty-prompts"}
    assert summary["mend"] == "real eval pairs --drop empty-responses --sound sound.jsonl pairs.jsonl"
    assert summary["num_left"] == 1


@pytest.mark.parametrize("words", [[], ["-"], ["/dev/stdin"]])
def test_standard_input_is_named_by_no_file_that_was_never_there(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    lines = "".join(json.dumps(row) + "\n" for row in FAULTS["repeats"])
    command = [sys.executable, "-m", "real_cli", "eval", "pairs", *words]
    result = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    summary = json.loads(result.stdout)
    assert summary["mend"] == "real eval pairs --drop repeats --sound sound.jsonl FILE"
    assert "save it" in summary["mend_note"]
    assert "save it" in verdicts_block(summary).mend_note


def test_the_sound_pairs_never_replace_what_is_read(evaluate, tmp_path):
    """A file whose name looks like an option is one all the same."""
    (tmp_path / "-x.jsonl").write_text("")
    summary, _, _ = evaluate(FAULTS["repeats"], "--", "-x.jsonl", name="sound.jsonl")
    assert summary["mend"] == "real eval pairs --drop repeats --sound sound-2.jsonl -- -x.jsonl sound.jsonl"
    run_again(summary)
    assert len((tmp_path / "sound-2.jsonl").read_text().splitlines()) == len(SOUND)


def test_what_is_sound_is_said_as_what_holds(evaluate):
    """'a response is empty: 0 of 120 pairs' reads as its opposite."""
    summary, _, _ = evaluate(SOUND)
    shown = {row["check"]: block for row, block in zip(summary["verdicts"], verdicts_block(summary).rows, strict=True)}
    assert (shown["empty-responses"].title, shown["empty-responses"].measure) == (
        "no response is empty (120 pairs)",
        "",
    )
    assert shown["longer-chosen"].title == "length goes with the label no more than chance allows"
    assert shown["longer-chosen"].measure.startswith("the longer response is chosen in ")
    assert len({check.holds for check in CHECKS} - {"", *(check.title for check in CHECKS)}) == len(CHECKS)


def test_pairs_without_counterpart_are_those_that_the_smaller_side_cannot_match():
    """7 against 3: four of the seven stay out, and the three that stay are near in size."""
    values = np.array([1.0, 2, 3, 4, 5, 6, 7, -2, -4.4, -90])
    assert without_counterpart(values).tolist() == [True, False, True, False, True, True, False, False, False, False]
    assert not without_counterpart(np.array([3.0, -1.0, 0.0, np.nan])).any()
    assert without_counterpart(-values).tolist() == without_counterpart(values).tolist()


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("User: Hi\nAssistant: Hello", "Write a dialogue between two people."),
        ("Put this in a file:\n```\nUser: root\n```\nThen start it.", "How do I configure it?"),
        ("The human: a short history", "Tell me."),
        ("### Human Resources\nThey hire.", "List departments."),
    ],
)
def test_speakers_that_belong_there_leak_no_roles(evaluate, text, prompt):
    summary, _, _ = evaluate([*SOUND, SOUND[0] | {"prompt": prompt, "chosen": text}])
    assert "leaking-roles" not in unsound(summary)


@pytest.mark.parametrize(
    "text",
    [
        "É… et AMANHÃ» ROMÂ»",
        "naïve coöperation, señor São João",
        "Привет, Ñandú",
        "Þetta er ð Ÿ",
        "日本語の文章です。",
        "4 ± 1 §2",
    ],
)
def test_letters_that_are_meant_are_no_misread_ones(evaluate, text):
    summary, _, _ = evaluate([*SOUND, SOUND[0] | {"prompt": f"Say {text}", "chosen": text}])
    assert "misread-characters" not in unsound(summary)


@pytest.mark.parametrize(
    "text",
    [
        *(text.encode().decode("cp1252") for text in ("naïve", "it\u2019s", "5°C", "Крот", "\U0001f600", "日本語")),
        "a\ufffdb",
    ],
)
def test_wrongly_decoded_letters_are_found(evaluate, text):
    """Each is UTF-8 read as Windows-1252, or has lost a character."""
    summary, _, _ = evaluate([*SOUND, SOUND[0] | {"prompt": "Say it", "chosen": text}])
    assert unsound(summary)["misread-characters"] == "broken"


@pytest.mark.parametrize(
    "end",
    ["- the last item of the list", "Yours, Anna", "See https://example.org/a", "**bold end**", "Bye!", "(so it is)"],
)
def test_ends_that_are_meant_are_no_unfinished_ones(evaluate, end):
    summary, _, _ = evaluate([*SOUND, SOUND[0] | {"prompt": "Write", "chosen": f"{LONG}\n{end}"}])
    assert "unfinished-responses" not in unsound(summary)
