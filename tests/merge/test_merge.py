"""`real merge`: shards put together are what one run on the whole input writes, byte for byte."""

import gzip
import json
import random
import re
import resource
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from real_cli.app import app

WORDS = "red blue green old new slow quick small large round".split()  # noqa: SIM905 - a list of words


def run(*words, data="", status=0):
    """Run `real` in this process; returns both streams."""
    result = CliRunner().invoke(app, [str(word) for word in words], input=data, prog_name="real")
    assert result.exit_code == status, result.stderr
    return result.stdout, result.stderr


def lines_of(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def texts(draw, number):
    return [" ".join(draw.choices(WORDS, k=12)) + f" {draw.random():.3f}." for _ in range(number)]


def candidates(draw, number):
    """Of one to five responses: some prompts make no pair, others several; a prompt may come again."""
    rows = []
    for index in range(number):
        responses = [
            {"text": text, "score": draw.randrange(6), "embedding": [draw.gauss(0, 1) for _ in range(4)]}
            for text in texts(draw, draw.randrange(1, 6))
        ]
        rows.append({"id": index, "prompt": f"Which {draw.randrange(number // 2)}?", "responses": responses, "x": 1})
    return rows


def pairs(draw, number):
    rows = []
    for index in range(number):
        chosen, rejected, edit = texts(draw, 3)
        scores = {"score_chosen": draw.randrange(5), "score_rejected": draw.randrange(5)}
        rows.append({"prompt": f"Which {index}?", "chosen": chosen, "rejected": rejected, **scores, "edited": edit})
    return rows


def flat(draw, number):
    """Rows of one response, some prompts again later: the rows of each group are together."""
    rows = []
    for _ in range(number // 3):
        prompt = f"Which {draw.randrange(5)}?"
        rows += [
            {"prompt": prompt, "response": text, "score": draw.randrange(9)}
            for text in texts(draw, draw.randrange(1, 5))
        ]
    return rows


def dialogues(draw, number):
    rows = []
    for index in range(number):
        says = draw.choices(["Thanks, great.", "No, that is wrong.", "And then?"], k=4)
        turns = [
            ("user", f"Which {index}?"),
            *(turn for text in says for turn in (("assistant", "A."), ("user", text))),
        ]
        rows.append({"messages": [{"role": role, "content": text} for role, text in turns]})
    return rows


def rated(draw, number):
    """Conversations of several replies, some with thumbs: no record, one, or several of each."""
    rows = dialogues(draw, number)
    for row in rows:
        for message in row["messages"]:
            message["rating"] = draw.choice([1, -1, None]) if message["role"] == "assistant" else None
    return rows


# What each command reads, and its words: more, fewer, or several lines a record.
COMMANDS = {
    "pair": (candidates, "pair"),
    "pair all": (candidates, "pair -s all --curriculum"),
    "pair random": (candidates, "pair -s random --orient none"),
    "pair ranking": (candidates, "pair --emit ranking"),
    "pair flat rows": (flat, "pair -s best-worst"),
    "winprob": (candidates, "relabel winprob --from scores"),
    "winprob flat rows": (flat, "relabel winprob --from scores"),
    "weight": (pairs, "relabel weight"),
    "shape": (candidates, "relabel shape --method ceiling --ceiling 3"),
    "goal": (pairs, "relabel goal"),
    "bridge": (pairs, "relabel bridge --from edited"),
    "degrade": (pairs, "relabel degrade"),
    "dsat": (dialogues, "relabel dsat --lexical"),
    "dsat seeds": (dialogues, "relabel dsat --lexical --seeds"),
    "feedback": (rated, "relabel feedback"),
}


def shards_of(folder, words, source, count, *more, status=0):
    """Run a command on each shard; returns the parts' names."""
    parts = []
    for part in range(1, count + 1):
        parts.append(folder / f"part.{part}")
        run(*words, "--shard", f"{part}/{count}", "--numbered", "-o", parts[-1], *more, source, status=status)
    return parts


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("count", [1, 3, 7])
def test_shards_of_every_command_are_one_run(name, count, tmp_path):
    """On 40 records or so; seven shards leave some nearly empty."""
    make, words = COMMANDS[name]
    source = tmp_path / "in.jsonl"
    source.write_text(lines_of(make(random.Random(3), 40)))
    whole, _ = run(*words.split(), source)
    parts = shards_of(tmp_path, words.split(), source, count)
    assert whole
    assert run("merge", *reversed(parts))[0] == whole
    if count > 1:
        assert sum(part.stat().st_size > 0 for part in parts) > 1


def test_answers_of_annotators_to_shards_are_one_run(tmp_path):
    """Questions of the whole, answers of each shard: a person a shard."""
    source, answers = tmp_path / "in.jsonl", tmp_path / "answers.csv"
    source.write_text(lines_of(pairs(random.Random(6), 20)))
    questions, _ = run("relabel", "human", "--export", "csv", source)
    head, *rows = questions.splitlines()
    answers.write_text(
        "\n".join([head, *(row.removesuffix(",,") + f",{'ab'[n % 2]}," for n, row in enumerate(rows))]) + "\n"
    )
    words = ["relabel", "human", "--import", answers]
    whole, _ = run(*words, source)
    assert whole.count("\n") == 20
    assert run("merge", *shards_of(tmp_path, words, source, 3))[0] == whole


def test_the_mark_goes_through_a_pipe_of_commands(tmp_path):
    """The first command numbers; those behind it drop, multiply and rewrite."""
    source = tmp_path / "in.jsonl"
    source.write_text(lines_of(candidates(random.Random(5), 30)))
    steps = ["relabel winprob --from scores", "pair -s all", "relabel goal", "relabel weight --by gap-utility"]
    whole, parts = source.read_text(), []
    for step in steps:
        whole, _ = run(*step.split(), data=whole)
    for part in (1, 2, 3):
        data = source.read_text()
        for number, step in enumerate(steps):
            data, _ = run(*step.split(), *(("--shard", f"{part}/3", "--numbered") if number == 0 else ()), data=data)
        parts.append(tmp_path / f"part.{part}")
        parts[-1].write_text(data)
    assert run("merge", *parts)[0] == whole != ""


def test_a_bad_line_is_rejected_by_one_shard(tmp_path):
    """Not by each: what is rejected together is what one run rejects; a group of rows around it stays one."""
    rows = lines_of(flat(random.Random(2), 60)).splitlines()
    for place in (40, 21, 20, 3):
        rows.insert(place, "{broken" if place % 2 else '{"prompt": 3}')
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(rows) + "\n")
    words = ["pair", "-s", "best-worst", "--on-error", "skip"]
    whole, _ = run(*words, "--rejects", tmp_path / "rejects", source, status=3)
    kept = (tmp_path / "rejects").read_text().splitlines()
    parts, rejected = [], []
    for part in (1, 2, 3):
        parts.append(tmp_path / f"part.{part}")
        result = CliRunner().invoke(
            app,
            [
                *words,
                *f"--shard {part}/3 --numbered --rejects {tmp_path}/rejects.{part} -o {parts[-1]} {source}".split(),
            ],
        )
        lines = (tmp_path / f"rejects.{part}").read_text().splitlines()
        assert result.exit_code == (3 if any('"line"' in line or '"prompt":3' in line for line in lines) else 0)
        rejected += lines
    assert run("merge", *parts)[0] == whole
    assert sorted(json.loads(line)["place"] for line in rejected) == sorted(json.loads(line)["place"] for line in kept)


def test_a_bad_line_stops_its_shard_alone(tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text(lines_of(pairs(random.Random(1), 6)) + "{\n")
    statuses = [
        CliRunner().invoke(app, ["relabel", "degrade", "--shard", f"{part}/3", str(source)]).exit_code
        for part in (1, 2, 3)
    ]
    assert sorted(statuses) == [0, 0, 1]


@pytest.fixture
def parts(tmp_path):
    """Four parts of pairs; none is empty."""
    source = tmp_path / "in.jsonl"
    source.write_text(lines_of(pairs(random.Random(4), 40)))
    return shards_of(tmp_path, ["relabel", "degrade"], source, 4)


def fault(*words, status=2):
    """The line on standard error of a merge that writes nothing."""
    out, err = run("merge", *words, status=status)
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_parts_that_lack_are_named(parts):
    assert fault(parts[0], parts[3]) == "real: 2 parts of 4 are not there: shard 2, 3; run what failed again\n"
    assert "1 part of 4 is not there: shard 1; " in fault(*parts[1:])


def test_a_part_without_a_line_may_be_any_shard(parts, tmp_path):
    """A shard may be empty; that one is there is known by its file."""
    empty = tmp_path / "empty"
    empty.write_text("")
    whole = run("merge", *parts)[0]
    rest = run("merge", *parts[:3], empty)[0]
    assert set(rest.splitlines()) < set(whole.splitlines())
    assert "shard 2, 3, 4 (some of these is the 1 without a line)" in fault(parts[0], empty)
    assert "5 parts are there, of 4 shards" in fault(*parts, empty)
    assert run("merge", empty)[0] == ""


def test_parts_of_different_runs_are_refused(parts, tmp_path):
    (tmp_path / "others").mkdir()
    other = shards_of(tmp_path / "others", ["relabel", "degrade"], tmp_path / "in.jsonl", 2)
    copy = tmp_path / "copy"
    copy.write_bytes(parts[2].read_bytes())
    assert "part.3: is of 4 shards, and " in fault(other[0], *parts[2:])
    assert "copy: holds shard 3, as " in fault(*parts[2:], copy)
    assert "is named twice; give each part once" in fault(parts[2], parts[2])


def test_a_part_is_the_output_of_one_shard_in_its_order(parts, tmp_path):
    both, turned, bare = tmp_path / "both", tmp_path / "turned", tmp_path / "bare"
    both.write_bytes(parts[0].read_bytes() + parts[1].read_bytes())
    lines = parts[0].read_bytes().splitlines(keepends=True)
    turned.write_bytes(b"".join(reversed(lines)))
    bare.write_bytes(b'{"prompt": "q"}\n')
    (tmp_path / "none").write_text("")
    _, err = run("merge", both, tmp_path / "none", *parts[2:], status=1)
    assert "; a part is the output of one shard" in err
    _, err = run("merge", turned, *parts[1:], status=1)
    assert "turned:2: is of record " in err
    assert "where 'real sample' was stopped, run it with --resume once more" in err
    assert "bare:1: field 'shard' is missing; make the parts with --shard I/N --numbered" in fault(bare, status=1)


def merge_under(soft, hard, folder, number=90):
    """Merge parts of a record each in a process that may open so many files, or may allow itself so many."""
    paths = [folder / f"part.{part}" for part in range(1, number + 1)]
    for part, path in enumerate(paths, 1):
        path.write_text(json.dumps({"prompt": "q", "shard": {"part": part, "of": number, "record": part}}) + "\n")
    return subprocess.run(
        [sys.executable, "-m", "real_cli", "merge", *paths],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)),
        capture_output=True,
        text=True,
        check=False,
    )


def test_more_parts_than_files_may_be_open_are_a_line_with_the_number(tmp_path):
    done = merge_under(50, 70, tmp_path)
    needed, advised = re.fullmatch(
        r"real: Too many open files: (\d+) are needed, 70 allowed; allow more: ulimit -n (\d+), as root where that is "
        r"refused\n",
        done.stderr,
    ).groups()
    assert (done.returncode, done.stdout, needed) == (1, "", advised)
    assert 90 < int(needed) < 120
    assert merge_under(int(needed), int(needed), tmp_path).stdout.count("\n") == 90


def test_a_limit_that_a_process_may_lift_is_lifted(tmp_path):
    done = merge_under(50, 200, tmp_path)
    assert (done.returncode, done.stdout) == (0, '{"prompt":"q"}\n' * 90)


@pytest.mark.parametrize(
    "mark",
    [
        *('"2/8"', "{}", '{"part":0,"of":4,"record":1}', '{"part":5,"of":4,"record":1}', '{"part":1,"of":4}'),
        *(
            '{"part":1,"of":4,"record":0}',
            '{"part":true,"of":4,"record":1}',
            '{"part":1,"of":4,"record":1,"x":1}',
            "null",
        ),
    ],
)
def test_a_mark_that_is_none_is_refused(mark, tmp_path):
    (tmp_path / "part").write_text(f'{{"prompt":"q","shard":{mark}}}\n')
    assert "part:1: field 'shard' is " in fault(tmp_path / "part", status=1)


def test_a_torn_part_is_refused_and_no_output_appears(parts, tmp_path):
    parts[1].write_bytes(parts[1].read_bytes()[:-20])
    assert "part.2:" in fault(*parts, "-o", tmp_path / "whole", status=1)
    assert not (tmp_path / "whole").exists()


def test_parts_may_be_compressed_and_the_output_no_part(parts, tmp_path):
    whole, err = run("merge", *parts)
    assert err == "real: 40 records of 4 shards\n"
    packed = tmp_path / "packed.gz"
    packed.write_bytes(gzip.compress(parts[2].read_bytes()))
    assert run("merge", "-q", *parts[:2], packed, "-", data=parts[3].read_text()) == (whole, "")
    run("merge", *parts, "-o", tmp_path / "whole")
    assert (tmp_path / "whole").read_text() == whole


def test_a_field_of_the_same_name_is_not_lost(tmp_path):
    rows = [row | {"shard": "mine"} for row in pairs(random.Random(4), 2)]
    _, err = run("relabel", "degrade", "--shard", "1/1", "--numbered", data=lines_of(rows), status=1)
    assert "<stdin>:1: field 'shard' is there already: 'mine'; " in err
    out, _ = run("relabel", "degrade", "--shard", "1/1", data=lines_of(rows))
    assert [json.loads(line)["shard"] for line in out.splitlines()] == ["mine", "mine"]


REFUSED = {
    "pair --keep 50%": "--keep is of all pairs",
    "pair --dedup-distance 0.1": "--dedup-distance compares all prompts",
    "relabel shape --method standardize": "--method standardize",
    "relabel weight --normalize mean": "--normalize mean",
    "sample -p x --lowest-score 10%": "the lowest scores are those of all records",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_of_the_whole_input_refuses_a_shard(words):
    _, err = run(*words.split(), "--shard", "1/2", status=2)
    assert err.startswith("real: --shard: ")
    assert REFUSED[words] in err


OF_THE_WHOLE = {
    "pair --keep 50%": "--keep is of all pairs; write the keys of each shard with --keys-to, then give --keys-from",
    "pair --dedup-distance 0.1": "--dedup-distance compares all prompts; put the shards together first: real merge",
    "relabel shape --method standardize": "--method standardize takes statistics of all scores; put the shards "
    "together first: real merge",
    "relabel weight --normalize mean": "--normalize mean is over all weights; put the shards "
    "together first: real merge",
    "sample -p x --endpoint http://localhost:9/v1 --no-cache --lowest-score 10%": "the lowest scores are those of all "
    "records; put the shards together first: real merge",
}


@pytest.mark.parametrize("words", OF_THE_WHOLE)
def test_what_is_of_the_whole_input_refuses_the_output_of_a_shard(words):
    """Not silently of each shard apart; --on-error skip does not set aside every record."""
    mark = {"part": 1, "of": 4, "record": 2}
    rows = [row | {"shard": mark} for row in candidates(random.Random(4), 3)]
    out, err = run(*words.split(), "--on-error", "skip", data=lines_of(rows), status=1)
    assert (out, err) == ("", f"real: <stdin>:1: is of shard 1/4, and {OF_THE_WHOLE[words]}\n")


def test_what_is_of_the_whole_takes_the_one_shard_that_is_all_and_a_field_that_is_no_mark():
    for mark in ({"part": 1, "of": 1, "record": 1}, "mine", {"part": 1, "of": 4}):
        rows = [row | {"shard": mark} for row in candidates(random.Random(4), 6)]
        assert run("pair", "--keep", "50%", data=lines_of(rows))[0]


def test_numbers_are_of_a_shard():
    _, err = run("pair", "--numbered", data="", status=2)
    assert err == "real: --numbered: numbers the records of a shard; give --shard I/N too\n"
    _, err = run("sample", "-p", "x", "--pre-query", "--shard", "1/2", "--numbered", status=2)
    assert "--numbered: --pre-query reads no records" in err
