"""real sample as a user runs it: a tiny model at hand, and a scripted server."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.docs.man_pages import commands
from real_cli.sample.modes import MODES
from real_cli.sample.plan import SPECIAL
from tests.servers import Reply, Server, completion, fails, says

TEMPLATE = (
    "{% for m in messages %}<end>{{ m['role'] }} {{ m['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}<end>assistant {% endif %}"
)
WORDS = [
    "the cat",
    "a dog sat on the big red mat",
    "no",
    "he saw it and ran",
    "why",
    "she heard a dog",
    "how big",
    "it",
]
PROMPTS = [{"id": n, "prompt": f"{words} and" if n % 2 else words} for n, words in enumerate(WORDS)]


def lines(records):
    return b"".join(orjson.dumps(record) + b"\n" for record in records)


def sample(*words, records=PROMPTS, status=0):
    """Run the command; returns its records, and what it said."""
    result = CliRunner().invoke(app, ["sample", *map(str, words)], input=lines(records), prog_name="real")
    assert result.exit_code == status, result.stderr + str(result.exception)
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def texts(result):
    return {record["id"]: [response["text"] for response in record["responses"]] for record in result}


@pytest.fixture(scope="module")
def talker(make_tiny_policy):
    return make_tiny_policy(chat_template=TEMPLATE)


@pytest.fixture(scope="module")
def local(talker):
    """The words of every run with the model at hand."""
    return ("-p", talker, "--device", "cpu", "--max-tokens", "8")


def at(server, *words, tmp_path=None):
    kept = ["--cache", tmp_path] if tmp_path else ["--no-cache"]
    return ["-p", "m", "--endpoint", server.url, "--retries", "0", *kept, *words]


# A model at hand


def test_every_prompt_gets_its_responses_in_order(local, talker):
    result, stderr = sample(*local, "-n", 3)
    assert [record["id"] for record in result] == list(range(8))
    assert all(len(record["responses"]) == 3 for record in result)
    assert {response["model"] for record in result for response in record["responses"]} == {str(talker)}
    num_cut = sum(response["is_cut"] for record in result for response in record["responses"])
    assert stderr.startswith(f"real: 8 prompts, 24 responses; {num_cut} cut at 8 tokens ({num_cut / 24:.1%}); ")
    assert "; 24 answers generated, " in stderr


def test_batches_shards_other_prompts_and_more_responses_change_no_text(local):
    whole = texts(sample(*local, "-n", 4)[0])
    assert texts(sample(*local, "-n", 4, "--batch-tokens", 1)[0]) == whole
    assert texts(sample(*local, "-n", 4, records=PROMPTS[::-1])[0]) == whole
    parts = [sample(*local, "-n", 4, "--shard", f"{part}/3")[0] for part in (1, 2, 3)]
    assert sum(map(len, parts)) == 8
    assert {key: value for part in parts for key, value in texts(part).items()} == whole
    fewer, _ = sample(*local, "-n", 1)
    assert texts(fewer) == {key: value[:1] for key, value in whole.items()}
    assert texts(sample(*local, "-n", 3, "--append", records=fewer)[0]) == whole
    assert texts(sample(*local, "-n", 4, "--seed", 1)[0]) != whole


def test_numbered_shards_merge_into_one_run(local, tmp_path):
    words = [*local, "-n", 2, "--append"]
    whole, _ = sample(*words)
    parts = [tmp_path / f"part.{part}" for part in (1, 2, 3)]
    for part, path in enumerate(parts, 1):
        sample(*words, "--shard", f"{part}/3", "--numbered", "-o", path)
        sample(*words, "--shard", f"{part}/3", "--numbered", "--resume", path)  # there is nothing left to do
    merged = CliRunner().invoke(app, ["merge", *map(str, parts)], prog_name="real")
    assert [json.loads(line) for line in merged.stdout.splitlines()] == whole


def test_a_pool_is_one_policy_after_the_other(local, make_tiny_policy):
    other = make_tiny_policy(seed=7)
    both, stderr = sample(*local, "-p", other, "-n", 2)
    alone, _ = sample(*local, "-n", 2)
    added, _ = sample("-p", other, *local[2:], "-n", 2, "--append", records=alone)
    assert both == added
    assert stderr.startswith("real: 8 prompts, 32 responses; ")
    assert stderr.count(" answers generated, ") == 2


def test_a_killed_run_goes_on_where_it_stopped(local, tmp_path):
    """The output lost a record in the middle, as one that failed, and the half of its last line."""
    whole, _ = sample(*local, "-n", 2)
    kept = [orjson.dumps(record) + b"\n" for record in whole]
    (tmp_path / "out").write_bytes(kept[0] + kept[2] + kept[3] + kept[4][:20])
    result, _ = sample(*local, "-n", 2, "--resume", tmp_path / "out")
    assert result == []
    done = [json.loads(line) for line in (tmp_path / "out").read_bytes().splitlines()]
    assert [record["id"] for record in done] == [0, 2, 3, 1, 4, 5, 6, 7]
    assert texts(done) == texts(whole)
    sample(*local, "-n", 2, "--resume", tmp_path / "out")
    assert len((tmp_path / "out").read_bytes().splitlines()) == 8
    _, stderr = sample(*local, "--resume", tmp_path / "out", records=PROMPTS[:3], status=1)
    assert "belongs to no record of the input; resume with the same input and options" in stderr


def test_conversations_go_through_the_template_and_strings_only_if_asked(local, make_tiny_policy):
    talk = [{"id": 0, "prompt": [{"role": "user", "content": "the cat"}]}]
    chats, stderr = sample(*local, "--chat", records=[{"id": 0, "prompt": "the cat"}])
    assert chats == sample(*local, records=talk)[0]
    assert "; 1 prompt made a conversation; " in stderr
    system, _ = sample(*local, "--system", "no", records=talk)
    assert system[0]["prompt"][0] == {"role": "system", "content": "no"}
    assert system[0]["responses"] != chats[0]["responses"]
    _, stderr = sample("-p", make_tiny_policy(), *local[2:], records=talk, status=1)
    assert "it has no chat template" in stderr


def test_stops_and_greedy_and_empty_ones(local):
    greedy, _ = sample(*local, "--greedy")
    assert texts(greedy) == texts(sample(*local, "--temperature", 0, "--seed", 5)[0])
    word = greedy[0]["responses"][0]["text"].split()[2]
    stopped, _ = sample(*local, "--greedy", "--stop", word, records=PROMPTS[:1])
    text = greedy[0]["responses"][0]["text"]
    assert stopped[0]["responses"][0] == greedy[0]["responses"][0] | {"text": text[: text.index(word)], "is_cut": False}
    first = text.split()[0]
    _, stderr = sample(*local, "--greedy", "--stop", first, records=PROMPTS[:1])
    assert "; 1 empty; " in stderr


def test_an_own_answer_is_written_as_reference(local):
    result, _ = sample(*local, "--per-row-reference")
    greedy, _ = sample(*local, "--greedy")
    wanted = [(record["responses"][0]["text"], record["responses"][0]["is_cut"]) for record in greedy]
    assert [(record["reference"], record["reference_is_cut"]) for record in result] == wanted
    assert {cut for _, cut in wanted} == {True, False}
    assert not any("responses" in record for record in result)


def test_the_lowest_scores_are_sampled_anew_and_no_prompt_too_often(local):
    """Best scores 5, 1, 2, 1, 9: of 60 % of them, 3, prompt 1 had its tries; left are 3, 2 and then 0."""
    scores, tries = [5, 1, 2, 1, 9], [0, 3, 1, 0, 0]
    records = [
        {"id": n, "prompt": WORDS[n], "responses": [{"text": "a", "score": 0}, {"text": "b", "score": score}]}
        | ({"retries": tries[n]} if tries[n] else {})
        for n, score in enumerate(scores)
    ]
    result, stderr = sample(*local, "--lowest-score", "60%", "-n", 2, records=records)
    assert [record["id"] for record in result] == [0, 1, 2, 3, 4]
    assert [len(record["responses"]) for record in result] == [4, 2, 4, 4, 2]
    assert [record.get("retries") for record in result] == [1, 3, 2, 1, None]
    assert [record["responses"][:2] for record in result] == [record["responses"] for record in records]
    assert "6 responses; " in stderr
    assert "; 3 sampled anew, 1 had 3 tries" in stderr
    assert sample(*local, "--lowest-score", "0%", records=records)[0] == records
    _, stderr = sample(*local, "--lowest-score", "1", records=[{"prompt": "q", "responses": [{"text": "a"}]}], status=1)
    assert "real: <stdin>:1: no response has a 'score'; " in stderr


def test_instructions_and_their_answers_come_of_nothing(local, tmp_path):
    words = [*local, "--pre-query", "-n", 6, "--stop", "the", "--max-tokens", 20]
    result, stderr = sample(*words, records=[])
    assert result
    for record in result:
        (turn,) = record["prompt"]
        assert turn["role"] == "user"
        assert turn["content"] == turn["content"].strip() != ""
        assert "the" not in turn["content"]
        assert "assistant" not in turn["content"]
        # The answer is what the policy says to that conversation, greedily.
        asked, _ = sample(*local, "--max-tokens", 20, "--greedy", records=[{"prompt": record["prompt"]}])
        assert asked[0]["responses"] == record["responses"]
    if len(result) < 6:
        assert "left out: " in stderr
    parts = [sample(*words, "--shard", f"{part}/2", records=[])[0] for part in (1, 2)]
    assert sorted(parts[0] + parts[1], key=lambda record: record["id"]) == result
    (tmp_path / "out").write_bytes(lines(result[:1]))
    sample(*words, "--resume", tmp_path / "out", records=[])
    assert (tmp_path / "out").read_bytes() == lines(result)
    (tmp_path / "out").write_bytes(
        lines([record | {"responses": [{"text": "x", "model": "other"}]} for record in result])
    )
    _, stderr = sample(*words, "--resume", tmp_path / "out", records=[], status=1)
    assert stderr.endswith(f"out:{len(result)}: other policies answered it; resume with the same options\n")


@pytest.mark.parametrize(
    ("number", "shown", "words"),
    [
        *(("x", "'x'", ()), (None, "None", ()), (1.0, "1.0", ()), (True, "True", ()), ([1], "[1]", ())),
        *((6, "6", ()), (-1, "-1", ()), (2, "2", ("--shard", "2/2"))),
    ],
)
def test_instructions_do_not_go_on_behind_one_that_this_run_does_not_write(local, tmp_path, number, shown, words):
    """Of -n 6 the numbers are 0 to 5; those of the second of two shards 1, 3 and 5."""
    result = {"prompt": "q", "responses": [{"text": "a", "model": str(local[1])}]}
    (tmp_path / "out").write_bytes(lines([result | {"id": number}]))
    _, stderr = sample(*local, "--pre-query", "-n", 6, *words, "--resume", tmp_path / "out", records=[], status=1)
    assert stderr.endswith(f"out:1: field 'id' is {shown}, no instruction of this run; resume with the same options\n")
    assert (tmp_path / "out").read_bytes().count(b"\n") == 1


BROKEN = [{"prompt": "q", "id": 1, "responses": ["x"]}, {"prompt": "q", "id": 1, "responses": 3}, {"id": 1}]


@pytest.mark.parametrize("broken", BROKEN)
def test_an_output_of_something_else_is_told_in_one_line(local, tmp_path, broken):
    (tmp_path / "out").write_bytes(lines([broken]))
    _, stderr = sample(*local, "--resume", tmp_path / "out", status=1)
    assert stderr.endswith("out:1: belongs to no record of the input; resume with the same input and options\n")
    _, stderr = sample(*local, "--pre-query", "-n", 6, "--resume", tmp_path / "out", records=[], status=1)
    assert stderr.startswith("real: ")
    assert stderr.endswith("; resume with the same options\n")
    assert stderr.count("\n") == 1


MISTAKES = {
    "two ways": (("--improve", "--contrast", "a", "b"), "--contrast, --improve: each is a way of sampling"),
    "unread": (("--improve", "-n", "2", "--append"), "-n, --append: not read with --improve; leave it out"),
    "two policies": (("--per-row-reference", "-p", "other"), "a second --policy: not read with --per-row-reference"),
    "template": (("--template", "x"), "--template: not read here"),
    "greedy": (("--greedy", "--top-p", "0.5", "-n", "2"), "--greedy draws nothing; leave out --top-p; -n: without"),
    "cold and narrow": (("--temperature", "0", "--top-p", "0.5"), "--temperature 0 draws nothing; leave out --top-p"),
    "cold and few": (("--temperature", "0", "--top-k", "5"), "--temperature 0 draws nothing; leave out --top-k"),
    "few that are not read": (("--per-row-reference", "--top-k", "5"), "--top-k: not read with --per-row-reference"),
    "cold": (("--temperature", "0", "-n", "2"), "-n: without draws all responses are the same"),
    "twice": (("-p", "m"), "--policy m: is named twice"),
    "no name": (("-p", ""), "--policy: a name is empty"),
    "hot": (("--temperature", "inf"), "--temperature inf: must be a number that is not infinite"),
    "share": (("--lowest-score", "0.3"), "--lowest-score '0.3': give a share"),
    "lowest of a shard": (
        ("--lowest-score", "30%", "--shard", "1/2"),
        "--shard: the lowest scores are those of all records; leave it out",
    ),
    "server": (("--pre-query", "--endpoint", "http://localhost:1/v1"), "--pre-query continues raw text"),
    "files": (("--pre-query", "in.jsonl"), "--pre-query reads nothing"),
    "local": (("--concurrency", "2"), "--concurrency: not read where a model on this machine answers"),
    "cache": (("--cache", "x"), "--cache: not read where a model on this machine answers"),
    "principles": (("--principles", "none.toml"), "--principles none.toml: no such file"),
    "no share": (("--lowest-score", ""), "--lowest-score '': give a share"),
    "no share and another way": (("--lowest-score", "", "--improve"), "--improve, --lowest-score: each is a way"),
    "no template": (("--improve", "--template", ""), "--template '': lacks {prompt}, {rejected}, {complaint}"),
    "no contrast": (("--contrast", "", ""), "--contrast: one side is empty"),
    "no file of principles": (("--principles", ""), "--principles .: no such file"),
    "holes": (("--improve", "--template", "{prompt}"), "--template '{prompt}': lacks {rejected}, {complaint}"),
}


@pytest.mark.parametrize(("words", "message"), MISTAKES.values(), ids=MISTAKES)
def test_options_that_contradict_each_other_are_refused_in_one_message(words, message):
    _, stderr = sample("-p", "m", *words, status=2)
    assert stderr.startswith(f"real: {message}")
    assert stderr.count("\n") == 1


def test_what_a_way_says_it_reads_is_an_option_that_another_way_refuses():
    read = frozenset().union(*(mode.reads for mode in MODES.values()))
    assert read == {*SPECIAL, "policy"}
    (command,) = [command for command in commands() if command.words == "real sample"]
    assert {*SPECIAL} <= {parameter.name for parameter in command.command.params}


def test_records_without_a_prompt_or_with_responses_are_refused(local):
    _, stderr = sample(*local, records=[{"note": 1}], status=1)
    assert stderr == "real: <stdin>:1: no known layout has the fields ['note']; each record needs 'prompt'\n"
    _, stderr = sample(
        *local, "--contrast", "p", "n", records=[{"prompt": "q", "responses": [{"text": "a"}]}], status=1
    )
    assert stderr.endswith("is there already; --contrast ranks its own two responses and takes prompts alone\n")
    result, stderr = sample(
        *local, "--on-error", "skip", records=[{"prompt": "no", "responses": []}, {"prompt": "the " * 510}, PROMPTS[0]],
        status=3,
    )  # fmt: skip
    assert [record["id"] for record in result] == [0]
    assert "the question has 510 tokens; with 8 for the answer the model holds 512" in stderr
    assert "; 2 rejected" in stderr


# A server


def echoes(request):
    """As many choices as are wanted; each says its number and its seed."""
    body = request.body
    choices = [
        completion(f"{request.words}|{body.get('seed')}|{number}")["choices"][0] for number in range(body.get("n", 1))
    ]
    return Reply(json.dumps({"choices": choices, "usage": {"prompt_tokens": 5, "completion_tokens": 2}}).encode())


def ignores_n(request):
    """A server that gives one choice, whatever is asked."""
    return says(f"{request.words}|{request.body.get('seed')}")


def test_all_responses_of_a_prompt_are_one_request_and_kept(tmp_path):
    words = ("-n", 3, "--temperature", 0.7, "--top-p", 0.9, "--stop", "x", "--stop", "\\n")
    with Server(echoes) as server:
        result, stderr = sample(*at(server, *words, tmp_path=tmp_path))
        assert len(server.requests) == 8
        body = next(item.body for item in server.requests if item.words == "the cat")
        again, notes = sample(*at(server, *words, tmp_path=tmp_path))
        assert len(server.requests) == 8
    assert (body["n"], body["temperature"], body["top_p"], body["stop"]) == (3, 0.7, 0.9, ["x", "\n"])
    assert [record["id"] for record in result] == list(range(8))
    assert result[0]["prompt"] == "the cat"
    assert [text.split("|")[2] for text in texts(result)[0]] == ["0", "1", "2"]
    assert "; 8 calls (0 answers known), 40 + 16 tokens" in stderr
    assert again == result
    assert "; 0 calls (8 answers known), " in notes


def test_the_likeliest_tokens_are_asked_for_by_the_name_that_servers_have(tmp_path):
    with Server(echoes) as server:
        sample(*at(server, "--top-k", 50, tmp_path=tmp_path), records=PROMPTS[:1])
        sample(*at(server, tmp_path=tmp_path), records=PROMPTS[:1])
    assert [request.body.get("top_k") for request in server.requests] == [50, None]


def test_a_server_that_ignores_n_is_asked_for_the_rest(tmp_path):
    with Server(ignores_n) as server:
        result, stderr = sample(*at(server, "-n", 3), records=PROMPTS[:4])
        assert len(server.requests) == 12
    assert all(len(set(match)) == 3 for match in texts(result).values())
    assert "; 8 asked for one by one: the server gives fewer choices than asked; " in stderr


def test_a_server_that_refuses_n_gives_every_response_one_by_one():
    def script(request):
        return fails(400, "n is not supported") if "n" in request.body else ignores_n(request)

    with Server(script) as server:
        result, stderr = sample(*at(server, "-n", 3, "--concurrency", 1), records=PROMPTS[:4])
        assert len(server.requests) == 13
    assert all(len(set(match)) == 3 for match in texts(result).values())
    assert stderr.count("the server takes no 'n' above 1: responses are asked for one by one") == 1


def test_a_pool_behind_a_server_names_each_model():
    with Server(lambda request: says(request.body["model"])) as server:
        result, _ = sample(*at(server, "-p", "other", "-n", 1))
    assert all([item["text"] for item in record["responses"]] == ["m", "other"] for record in result)
    assert all([item["model"] for item in record["responses"]] == ["m", "other"] for record in result)


def test_a_prompt_that_the_server_fails_is_told_and_the_others_come(tmp_path):
    def script(request):
        return fails(500) if request.words == "no" else echoes(request)

    with Server(script) as server:
        result, stderr = sample(*at(server, "--rejects", tmp_path / "rejects"), status=3)
    assert [record["id"] for record in result] == [0, 1, 3, 4, 5, 6, 7]
    (reject,) = map(json.loads, (tmp_path / "rejects").read_bytes().splitlines())
    assert (reject["place"], reject["record"]["id"]) == ("<stdin>:3", 2)
    assert "; 1 rejected" in stderr


def test_principles_are_drawn_and_recorded(tmp_path):
    (tmp_path / "p.toml").write_text(
        '[[principle]]\nname = "a"\ntext = "Be A."\n[[principle]]\nname = "b"\ntext = "Be B."'
    )
    (tmp_path / "p.jsonl").write_bytes(lines([{"name": "a", "text": "Be A."}, {"name": "b", "text": "Be B."}]))
    with Server(ignores_n) as server:
        result, _ = sample(*at(server, "-n", 4, "--chat", "--principles", tmp_path / "p.toml"))
        assert result == sample(*at(server, "-n", 4, "--chat", "--principles", tmp_path / "p.jsonl"))[0]
        systems = {item.body["messages"][0]["content"] for item in server.requests}
    assert systems == {"Be A.", "Be B."}
    assert {response["principle"] for record in result for response in record["responses"]} == {"a", "b"}
    assert all(len(record["prompt"]) == 1 for record in result)


def test_a_contrast_becomes_a_pair_that_the_words_decide():
    def script(request):
        return says("kind" if "Be kind." in request.words else "rude")

    with Server(script) as server:
        result, _ = sample(*at(server, "--contrast", "Be kind.", "Be rude."))
    paired = CliRunner().invoke(app, ["pair", "--strategy", "all"], input=lines(result))
    pairs = [json.loads(line) for line in paired.stdout.splitlines()]
    assert [(pair["chosen"], pair["rejected"]) for pair in pairs] == [("kind", "rude")] * 8


def test_complaints_get_a_better_reply():
    stderr = {"role": "assistant", "content": "bad"}
    record = {"id": 1, "prompt": [{"role": "user", "content": "ask"}], "rejected": [stderr]}
    record |= {"user_preference": {"content": "no!"}, "dsat": {"turn": 2}}
    with Server(lambda request: says("better" if "no!" in request.words else "?")) as server:
        result, _ = sample(*at(server, "--improve"), records=[record])
        _, notes = sample(*at(server, "--improve", "--template", "{prompt}{rejected}{complaint}"), records=[record])
    assert result[0] == record | {
        "chosen": [{"role": "assistant", "content": "better"}],
        "improve": {"model": "m", "is_cut": False},
    }
    assert notes.startswith("real: 1 prompt, 1 response; ")


def complaint(number, prompt, stderr, **fields):
    return {"id": number, "prompt": prompt, "rejected": f"r{number}", "user_preference": {"content": stderr}} | fields


SHARED = {
    "complaints": (
        ("--improve",),
        [
            complaint(1, "ask", "no", chosen="old", score_chosen=2, score_rejected=1, similarity=0.5, weight=2),
            complaint(2, "ask", "wrong"),
            complaint(3, "why", "no"),
        ],
    ),
    "prompts": (
        ("-n", 2, "-p", "other"),
        [{"id": 1, "prompt": "q"}, {"id": 2, "prompt": "q"}, {"prompt": "q", "id": 3.0}],
    ),
    "pairs": (
        ("--append", "-n", 2),
        [
            {
                "id": 1,
                "prompt": "q",
                "chosen": "a",
                "rejected": "b",
                "score_chosen": 2,
                "score_rejected": 1,
                "margin": 1,
            },
            {"id": 1, "prompt": "q", "chosen": "b", "rejected": "a", "score_chosen": 2, "score_rejected": 1},
            {"id": 1, "prompt": "q", "responses": []},
        ],
    ),
    "references": (("--per-row-reference",), [{"prompt": "q", "reference": "x", "id": n} for n in range(3)]),
    "contrasts": (("--contrast", "p", "n"), [{"prompt": "q", "id": n} for n in range(3)]),
    "twins": ((), [{"prompt": "q"}, {"prompt": "q"}, {"prompt": "q", "id": 1}]),
}


@pytest.mark.parametrize("lost", [0, 1, 2])
@pytest.mark.parametrize(("words", "records"), SHARED.values(), ids=SHARED)
def test_of_records_that_share_a_prompt_none_is_lost_or_doubled(tmp_path, words, records, lost):
    """One line is lost, as that of a record that failed: the resumed run writes that one, and no other."""
    with Server(echoes) as server:
        whole, _ = sample(*at(server, *words), records=records)
        kept = [orjson.dumps(record) + b"\n" for record in whole]
        (tmp_path / "out").write_bytes(b"".join(line for number, line in enumerate(kept) if number != lost))
        sample(*at(server, *words), "--resume", tmp_path / "out", records=records)
        done = (tmp_path / "out").read_bytes().splitlines(keepends=True)
        assert sorted(done) == sorted(kept)
        assert done[2] == kept[lost]
        sample(*at(server, *words), "--resume", tmp_path / "out", records=records)
    assert (tmp_path / "out").read_bytes().splitlines(keepends=True) == done


@pytest.mark.parametrize("reads_part", [False, True])
def test_a_shard_that_was_resumed_is_in_the_order_of_its_input(tmp_path, reads_part):
    """Lines of several runs: `real merge` would refuse them as they were appended."""
    records = [{"prompt": f"q{n}", "id": n} for n in range(6)]
    mark = [{"shard": {"part": 1, "of": 1, "record": n + 1}} for n in range(6)]
    words = [] if reads_part else ["--shard", "1/1", "--numbered"]
    records = [row | extra for row, extra in zip(records, mark, strict=True)] if reads_part else records
    with Server(echoes) as server:
        whole, _ = sample(*at(server, *words), records=records)
        kept = [orjson.dumps(record) + b"\n" for record in whole]
        (tmp_path / "out").write_bytes(b"".join(kept[n] for n in (3, 1, 4)) + kept[5][:20])
        sample(*at(server, *words), "--resume", tmp_path / "out", records=records)
    assert [line["shard"]["record"] for line in whole] == [1, 2, 3, 4, 5, 6]
    assert (tmp_path / "out").read_bytes() == b"".join(kept)


OTHERS = {
    "responses": (("-n", "2"), [{"prompt": "q"}]),
    "contrast": (("--contrast", "p", "n"), [{"prompt": "q"}]),
    "reference": (("--per-row-reference",), [{"prompt": "q"}]),
    "improve": (
        ("--improve",),
        [{"prompt": [{"role": "user", "content": "q"}], "rejected": "r", "user_preference": {"content": "no"}}],
    ),
}


@pytest.mark.parametrize(("words", "records"), OTHERS.values(), ids=OTHERS)
def test_a_run_does_not_go_on_with_what_another_policy_wrote(tmp_path, words, records):
    with Server(echoes) as server:
        result, _ = sample(*at(server, *words), records=records)
        assert len(result) == 1
        (tmp_path / "out").write_bytes(lines(result))
        other = [{"m": "other"}.get(word, word) for word in at(server, *words)]
        _, stderr = sample(*other, "--resume", tmp_path / "out", records=records, status=1)
    assert stderr.endswith("out:1: belongs to no record of the input; resume with the same input and options\n")
    assert (tmp_path / "out").read_bytes() == lines(result)


def test_a_batch_gives_what_a_server_gives(tmp_path):
    with Server(echoes) as server:
        live, _ = sample(*at(server, "-n", 2))
    asked, done = tmp_path / "asked", tmp_path / "done"
    _, reply = sample("-p", "m", "--no-cache", "-n", 2, "--emit-requests", asked)
    assert "8 requests written" in reply
    with done.open("wb") as file:
        for line in map(json.loads, asked.read_bytes().splitlines()):
            words = line["body"]["messages"][-1]["content"]
            body = {"choices": [completion(f"{words}|{line['body']['seed']}|{n}")["choices"][0] for n in (0, 1)]}
            file.write(orjson.dumps({"custom_id": line["custom_id"], "response": {"body": body}}) + b"\n")
    assert sample("-p", "m", "--no-cache", "-n", 2, "--apply-results", done)[0] == live


# Processes


def start(tmp_path, *words, **streams):
    command = [sys.executable, "-m", "real_cli", "sample", *map(str, words)]
    return subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, **streams)


def test_a_server_is_asked_without_torch_and_head_is_no_error(tmp_path):
    (tmp_path / "in.jsonl").write_bytes(lines({"prompt": f"q{n} " * 200} for n in range(400)))
    with Server(echoes) as server:
        process = start(tmp_path, *at(server, "in.jsonl"), stdout=subprocess.PIPE)
        assert json.loads(process.stdout.readline())
        assert b"libtorch" not in Path(f"/proc/{process.pid}/maps").read_bytes()
        process.stdout.close()
        assert process.wait(timeout=60) == 0
    assert process.communicate()[1] == b""


def test_killed_half_way_and_resumed_the_text_is_the_same(tmp_path):
    (tmp_path / "in.jsonl").write_bytes(lines(PROMPTS))

    def first_three(request):
        return echoes(request)._replace(seconds=0.0 if len(server.requests) <= 3 else 60.0)

    with Server(first_three) as server:
        words = at(server, "-n", 2, "--concurrency", 1, "--resume", "out.jsonl", "in.jsonl")
        process = start(tmp_path, *words)
        deadline = time.monotonic() + 60
        while len(server.requests) < 4 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        held = (tmp_path / "out.jsonl").read_bytes().count(b"\n")
        server.script = echoes
        done = start(tmp_path, *words)
        assert done.communicate(timeout=60)[1].startswith(b"real: ")
        whole, _ = sample(*at(server, "-n", 2))
    assert 1 <= held <= 3
    assert [json.loads(line) for line in (tmp_path / "out.jsonl").read_bytes().splitlines()] == whole
