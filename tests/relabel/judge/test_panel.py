"""A panel against scripted servers: who decides what, what stays on the record, and what the dear judge is spared."""

import json
import math

import numpy as np
import pytest
from typer.testing import CliRunner

from real_cli.app import app
from tests import servers
from tests.relabel.judge.panels import PAIRS, always, lines, panel, prompt_of, right_with, verdict
from tests.servers import Reply, completion, fails, prefers_longer, says


def shorter(request):
    """The opposite of `prefers_longer`."""
    text = prefers_longer(request).body.decode()
    return Reply(text.replace('\\"A\\"', "_").replace('\\"B\\"', '\\"A\\"').replace("_", '\\"B\\"').encode())


@pytest.fixture
def serve():
    """Start scripted servers; they stop with the test."""
    started = []

    def start(script):
        started.append(servers.Server(script))
        return started[-1].__enter__()

    yield start
    for server in started:
        server.__exit__()


@pytest.fixture
def three(serve):
    """Two judges by length and one who always says A, each on a server of its own, as options."""
    scripts = {"long": prefers_longer, "longer": prefers_longer, "first": always("A")}
    return [word for name, script in scripts.items() for word in ("-m", f"{name}@{serve(script).url}")]


# What they decide


def test_each_verdict_stays_on_the_record_beside_what_they_decide_together(tmp_path, three):
    """The second response is longer: two say so, and the third wavers with the order."""
    labeled, stderr = panel(tmp_path, *three, "--ties", "keep", records=PAIRS[:2])
    first, tied = labeled
    assert (first["chosen"], first["rejected"]) == ("yy", "x")
    assert [(each["model"], each["verdict"], each["prob"], each["orders"]) for each in first["verdicts"]] == [
        ("long", "A", 1.0, ["A", "B"]),
        ("longer", "A", 1.0, ["A", "B"]),
        ("first", "tie", 0.5, ["A", "A"]),
    ]
    assert first["verdicts"][2]["answers"] == ['{"reasons": "", "verdict": "A"}'] * 2
    assert first["agreement"] == pytest.approx(2 / 3)
    assert (first["prob_chosen"], first["prob_rejected"]) == pytest.approx((5 / 6, 1 / 6))
    assert first["judge"]["models"] == ["long", "longer", "first"]
    assert (first["judge"]["vote"], first["judge"]["verdict"]) == ("majority", "chosen")
    assert (tied["judge"]["verdict"], tied["agreement"]) == ("tie", 1.0)
    assert [response["prob"] for response in tied["responses"]] == [0.5, 0.5]
    assert stderr.startswith(
        "real: 2 judged by a panel of 3; 1 of 2 verdicts unanimous, 1 tie; long flipped 0 of 2 with the order (0.0%); "
        "longer flipped 0 of 2 with the order (0.0%); first flipped 2 of 2 with the order (100.0%); "
        "long: 4 calls (0 answers known), 28 + 12 tokens; longer: 4 calls"
    )


@pytest.mark.parametrize(
    ("vote", "chosen", "agreement"),
    [("majority", "yy", 2 / 3), ("mean", "yy", 2 / 3), ("unanimous", None, 0.0)],
)
def test_how_they_decide_is_an_option(tmp_path, serve, vote, chosen, agreement):
    """Two against one who is as sure as they are."""
    words = ["-m", "a", "-m", "b", "-m", f"c@{serve(shorter).url}", "--endpoint", serve(prefers_longer).url]
    (record,), _ = panel(tmp_path, *words, "--vote", vote, "--ties", "keep", records=PAIRS[:1])
    assert record.get("chosen") == chosen
    assert record["agreement"] == pytest.approx(agreement)
    assert [each["verdict"] for each in record["verdicts"]] == (["A", "A", "B"] if chosen else ["B", "B", "A"])


def test_one_judge_may_be_a_panel_and_the_mean_hears_what_a_tie_leans_to(tmp_path, serve):
    """One order says A, the other a tie: 3/4."""
    replies = servers.in_turn(verdict("A"), verdict("tie"))
    words = ["-m", "m", "--endpoint", serve(replies).url, "--concurrency", "1", "--vote", "mean"]
    (record,), _ = panel(tmp_path, *words, records=PAIRS[:1])
    assert (record["chosen"], record["prob_chosen"], record["agreement"]) == ("x", 0.75, 1.0)
    assert (record["judge"]["model"], record["judge"]["verdicts"]) == ("m", ["A", "tie"])


def test_judged_twice_is_judged_once_and_a_label_is_turned(tmp_path, three):
    labels = [{"prompt": "q", "chosen": "x", "rejected": "yy", "score_chosen": 3, "score_rejected": 1}]
    once, stderr = panel(tmp_path, *three, records=labels)
    assert (once[0]["chosen"], once[0]["score_chosen"], once[0]["prob_chosen"]) == ("yy", 1, pytest.approx(5 / 6))
    assert "0 of 1 agree with the label that was there" in stderr
    twice, stderr = panel(tmp_path, *three, records=once)
    assert "1 of 1 agree with the label that was there" in stderr
    assert list(twice[0]) == list(once[0])
    # Of the judge who goes by the place, the answers are those of the other order.
    assert twice == once


def test_a_single_judge_takes_away_what_a_panel_said_before(tmp_path, three):
    """An agreement of others would weigh the label of one."""
    (voted,), _ = panel(tmp_path, *three, records=PAIRS[:1])
    (alone,), _ = panel(tmp_path, *three[-2:], "--ties", "keep", records=[voted])
    assert {"verdicts", "agreement", "prob_chosen", "prob_rejected"} <= voted.keys()
    assert not {"verdicts", "agreement", "prob_chosen", "prob_rejected"} & alone.keys()
    assert alone["judge"]["model"] == "first"
    # Fields of these names that no panel left stay.
    (kept,), _ = panel(tmp_path, *three[:2], records=[PAIRS[0] | {"agreement": 3, "verdicts": ["guilty"]}])
    assert (kept["agreement"], kept["verdicts"]) == (3, ["guilty"])


@pytest.mark.parametrize("ties", [False, True], ids=["labeled", "tied"])
@pytest.mark.parametrize("names", ["a", "ab"], ids=["one", "panel"])
def test_whoever_rates_takes_away_what_a_panel_said_before(tmp_path, serve, three, names, ties):
    """Of a single response nobody is the better: no agreement, and no probability, is left."""
    (voted,), _ = panel(tmp_path, *three, "--ties", "keep", records=PAIRS[ties : ties + 1])
    (tmp_path / "own.toml").write_text(
        'name = "brevity"\n[[question]]\nasks = "each"\nhigh = 5\ntext = "Rate {prompt} {response}"\n'
    )
    url = serve(lambda request: says(json.dumps({"feedback": "f", "score": 4}))).url
    words = [word for name in names for word in ("-m", f"{name}@{url}")]
    (rated,), _ = panel(tmp_path, *words, "--rubric", tmp_path / "own.toml", records=[voted])
    fields = {"agreement", "prob_chosen", "prob_rejected", "verdicts"} & rated.keys()
    assert fields == ({"agreement", "verdicts"} if names == "ab" else set())
    if names == "ab":
        assert [each["model"] for each in rated["verdicts"]] == ["a", "b"]
    probabilities = ["prob" in response for response in rated.get("responses", [])]
    assert probabilities == ([False, False] if ties else [])
    assert "rubric" in rated["judge"]


def test_three_responses_get_a_matrix_of_the_votes(tmp_path, three):
    record = {"prompt": "q", "responses": [{"text": "aaa"}, {"text": "b"}, {"text": "cc"}]}
    (by_majority,), _ = panel(tmp_path, *three, records=[record])
    assert by_majority["preferences"] == [[0.5, 1.0, 1.0], [0.0, 0.5, 0.0], [0.0, 1.0, 0.5]]
    (by_mean,), _ = panel(tmp_path, *three, "--vote", "mean", records=[record])
    assert by_mean["preferences"][0] == pytest.approx([0.5, 5 / 6, 5 / 6])
    assert [each["responses"] for each in by_mean["verdicts"][2]["pairs"]] == [[1, 2], [1, 3], [2, 3]]
    result = CliRunner().invoke(app, ["relabel", "winprob", "--from", "preferences"], input=lines([by_mean]))
    assert json.loads(result.stdout)["responses"][0]["prob"] == pytest.approx((0.5 + 5 / 3) / 3)


def test_ratings_are_averaged_and_each_judges_stay(tmp_path, serve):
    def rates(number):
        return serve(lambda request: says(json.dumps({"feedback": f"f{number}", "score": number}))).url

    (tmp_path / "own.toml").write_text(
        'name = "brevity"\n[[question]]\nasks = "each"\nhigh = 5\ntext = "Rate {prompt} {response}"\n'
    )
    words = ["-m", f"a@{rates(2)}", "-m", f"b@{rates(5)}", "--rubric", tmp_path / "own.toml"]
    old = [{"prompt": "q", "responses": [{"text": "x", "rationales": {"brevity": "old"}}, {"text": "yy"}]}]
    (record,), stderr = panel(tmp_path, *words, records=old)
    assert [response["score"] for response in record["responses"]] == [3.5, 3.5]
    assert record["responses"][0] == {"text": "x", "score": 3.5, "ratings": {"brevity": 3.5}}
    assert [(each["scores"], each["rationales"][0]) for each in record["verdicts"]] == [
        ([2.0, 2.0], {"brevity": "f2"}),
        ([5.0, 5.0], {"brevity": "f5"}),
    ]
    assert record["agreement"] == 1.0
    assert "1 judged by a panel of 2; 1 of 1 verdict unanimous" in stderr


def test_scores_that_were_repaired_are_counted_for_all_judges(tmp_path, serve):
    """A top overall score beside the lowest aspects is UltraFeedback's 1 that was written as 10."""

    def script(request):
        if "overall" in request.words.lower() and "response_format" in request.body:
            schema = json.dumps(request.body["response_format"])
            if '"ratings"' not in schema:
                return says(json.dumps({"feedback": "f", "score": 10}))
        rows = [{"response": number, "rationale": "", "rating": 1} for number in (1, 2)]
        return says(json.dumps({"ratings": rows}))

    url = serve(script).url
    words = ["-m", "a", "-m", "b", "--endpoint", url, "--rubric", "ultrafeedback"]
    _, alone = panel(tmp_path, "-m", "a", *words[4:], records=PAIRS[:1])
    assert "; 2 overall scores repaired; " in alone
    _, together = panel(tmp_path, *words, records=PAIRS[:1])
    assert "; 4 overall scores repaired; " in together


def test_three_independent_judges_are_better_than_each_by_what_theory_says(tmp_path, serve):
    """Right with p, they are together right with p^3 + 3 p^2 (1 - p), which is better by p (1 - p) (2 p - 1)."""
    number, p = 240, 0.8
    theory, gain = p**3 + 3 * p**2 * (1 - p), p * (1 - p) * (2 * p - 1)
    server = serve(right_with(p, seed=0))
    pairs = [{"prompt": f"q{n}", "responses": [{"text": "bad"}, {"text": "good"}]} for n in range(number)]
    words = [word for name in "abc" for word in ("-m", name)]
    labeled, _ = panel(tmp_path, *words, "--endpoint", server.url, "--concurrency", "16", records=pairs)
    assert len(labeled) == number
    assert len(server.requests) == 6 * number
    together = np.array([row["chosen"] == "good" for row in labeled])
    each = np.array([[vote["verdict"] == "A" for vote in row["verdicts"]] for row in labeled]) == together[:, None]
    assert abs(together.mean() - theory) < 1.96 * math.sqrt(theory * (1 - theory) / number)
    for alone in each.T:
        assert abs(alone.mean() - p) < 2.4 * math.sqrt(p * (1 - p) / number)  # three of them
        gains = together.astype(float) - alone
        half_width = 1.96 * gains.std(ddof=1) / math.sqrt(number)
        assert gains.mean() - half_width > 0
        assert abs(gains.mean() - gain) < half_width


# A dear judge


def test_the_dear_judge_is_asked_about_what_the_cheap_one_is_unsure_of(tmp_path, serve):
    """The cheap one names a place for q0 and q3, and is content with length elsewhere."""
    wavers = always("B")
    cheap = serve(lambda request: (wavers if prompt_of(request) in ("q0", "q3") else prefers_longer)(request))
    dear = serve(prefers_longer)
    words = ["-m", f"cheap@{cheap.url}", "--escalate-to", f"dear@{dear.url}", "--escalate-below", "0.6"]
    labeled, stderr = panel(tmp_path, *words, "--price", "1000,1000:2000,3000", "--ties", "keep")
    # Lengths 1 and 2 and 3 against 2, twice: q1 and q4 are ties, of which a judge is as unsure as can be.
    assert sorted(set(map(prompt_of, dear.requests))) == ["q0", "q1", "q3", "q4"]
    assert [row.get("chosen") for row in labeled] == ["yy", None, "xxx", "yy", None, "xxx"]
    assert [row["judge"].get("escalated_to") for row in labeled] == ["dear", "dear", None, "dear", "dear", None]
    assert [each["model"] for each in labeled[0]["verdicts"]] == ["cheap", "dear"]
    assert (labeled[0]["prob_chosen"], labeled[0]["agreement"]) == (1.0, 0.5)
    # 7 and 3 tokens a call at 2,000 and 3,000 dollars a million: 0.023 each.
    assert "4 of 6 pairs put to dear: 4 questions saved, about $0.0920" in stderr
    assert "dear: 8 calls (0 answers known), 56 + 24 tokens, $0.1840" in stderr


def test_the_dear_judge_is_asked_about_single_pairs_of_many(tmp_path, serve):
    record = {"prompt": "q", "responses": [{"text": "aaa"}, {"text": "bb"}, {"text": "cc"}]}
    dear = serve(lambda request: verdict("A") if "# Response A\n\nbb" in request.words else verdict("B"))
    words = ["-m", f"cheap@{serve(prefers_longer).url}", "--escalate-to", f"dear@{dear.url}", "--escalate-below", "1"]
    (judged,), stderr = panel(tmp_path, *words, records=[record])
    assert len(dear.requests) == 2
    assert judged["preferences"] == [[0.5, 1.0, 1.0], [0.0, 0.5, 1.0], [0.0, 0.0, 0.5]]
    assert [each["responses"] for each in judged["verdicts"][1]["pairs"]] == [[2, 3]]
    assert "1 of 3 pairs put to dear: 4 questions saved" in stderr


def test_without_an_answer_of_the_dear_judge_a_record_is_rejected(tmp_path, serve):
    words = ["-m", f"cheap@{serve(always('A')).url}", "--escalate-to", f"dear@{serve(lambda request: fails(400)).url}"]
    labeled, stderr = panel(tmp_path, *words, "--escalate-below", "0.9", records=PAIRS[:1], status=3)
    assert labeled == []
    assert stderr.splitlines()[0] == "real: <stdin>:1: dear: the server answered 400: no"
    assert "dear has no answer to 1 record" in stderr


# Probabilities


def with_odds(word, **odds):
    """An answer whose verdict token has these probabilities; JSON around it, in tokens as a server cuts them."""
    likeliest = [{"token": token, "logprob": math.log(value)} for token, value in odds.items()]
    tokens = [{"token": '{"verdict":', "logprob": 0.0, "top_logprobs": []}]
    tokens += [{"token": f' "{word}', "logprob": 0.0, "top_logprobs": likeliest}, {"token": '"}', "top_logprobs": []}]
    text = json.dumps({"verdict": word})
    return Reply(json.dumps(completion(text, logprobs={"content": tokens})).encode())


def test_token_probabilities_say_how_sure_a_judge_is_and_are_kept(tmp_path, serve):
    """0.6 of 0.8 for A in one order; for B 0.7 of 1, where A is 0.1 and a tie 0.2: the mean of 0.75 and 0.8."""
    server = serve(servers.in_turn(with_odds("A", A=0.6, B=0.2), with_odds("B", A=0.1, B=0.7, tie=0.2)))
    words = ["-m", "m", "--endpoint", server.url, "--concurrency", "1", "--logprobs"]
    first, stderr = panel(tmp_path, *words, records=PAIRS[:1])
    assert (first[0]["chosen"], first[0]["prob_chosen"]) == ("x", pytest.approx(0.775))
    assert all(request.body["logprobs"] is True and request.body["top_logprobs"] == 20 for request in server.requests)
    assert "without probabilities" not in stderr
    again, _ = panel(tmp_path, *words, records=PAIRS[:1])
    assert again == first
    assert len(server.requests) == 2


def test_a_server_that_refuses_logprobs_is_told_once_and_asked_without(tmp_path, serve):
    def script(request):
        return fails(400, "logprobs are not supported") if "logprobs" in request.body else prefers_longer(request)

    server = serve(script)
    labeled, stderr = panel(tmp_path, "-m", "m", "--endpoint", server.url, "--concurrency", "1", "--logprobs")
    assert stderr.count("the server gives no 'logprobs': probabilities come from verdicts alone") == 1
    assert {row["prob_chosen"] for row in labeled} == {1.0}
    assert len(server.requests) == 13
    assert all("top_logprobs" not in request.body for request in server.requests[1:])
    assert all("response_format" in request.body for request in server.requests)
    assert "12 answers without probabilities: their verdicts count" in stderr


# A batch, an estimate, a limit


def test_batches_of_each_model_give_what_a_live_run_does(tmp_path, serve):
    live, _ = panel(tmp_path / "live", "-m", "a", "-m", "b", "--endpoint", serve(prefers_longer).url)
    results = []
    for name in "ab":
        panel(tmp_path, "-m", name, "--emit-requests", tmp_path / "asked")
        for line in map(json.loads, (tmp_path / "asked").read_text().splitlines()):
            body = json.loads(prefers_longer(servers.Request("", {}, line["body"])).body)
            results.append({"custom_id": line["custom_id"], "response": {"status_code": 200, "body": body}})
    (tmp_path / "done").write_bytes(lines(results))
    applied, stderr = panel(tmp_path, "-m", "a", "-m", "b", "--apply-results", tmp_path / "done")
    assert applied == live
    assert len(applied) == 4
    assert "answer no question" not in stderr


def test_an_estimate_counts_every_judge_and_the_dear_one_at_most(tmp_path, serve):
    server = serve(prefers_longer)
    words = ["-m", "a", "-m", "b", "--endpoint", server.url, "--escalate-below", "0.9", "--escalate-to", "dear"]
    (summary,), _ = panel(tmp_path, *words, "--dry-run", "--price", "1,1:1,1:100,100")
    assert server.requests == []
    assert (summary["models"], summary["num_calls"], summary["num_questions"]) == (["a", "b", "dear"], 24, 36)
    assert summary["most_calls"] == 72
    assert summary["dollars_high"] > 50 * summary["dollars_low"]
    assert "dear: asked where the others are unsure, at most about everything" in summary["notes"]


def test_a_limit_on_the_cost_is_that_of_all_judges_and_the_run_goes_on_from_the_cache(tmp_path, serve):
    """At 100 dollars a million, 2,000 tokens read are 0.20 a call."""
    reply = {"usage": {"prompt_tokens": 2000, "completion_tokens": 3}}
    server = serve(lambda request: Reply(json.dumps(json.loads(prefers_longer(request).body) | reply).encode()))
    words = ["-m", "a", "-m", "b", "--endpoint", server.url, "--price", "100,100", "--concurrency", "1"]
    labeled, stderr = panel(tmp_path, *words, "--max-cost", "1", status=1)
    assert stderr.splitlines()[-1].startswith("real: --max-cost 1: ")
    before = len(server.requests)
    assert 0 < before < 24
    whole, _ = panel(tmp_path, *words)
    assert len(server.requests) == 24
    assert whole[: len(labeled)] == labeled


# The command line


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["-m", "a", "-m", "a"], "--model 'a': is named twice; answers are kept by the model's name"),
        (["-m", " @http://x/v1"], "--model ' @http://x/v1': names no model; give NAME, or NAME@URL"),
        (
            ["-m", "a@http://x/v1#a key"],
            "--model 'a': behind '#' the name of the environment variable that holds the key",
        ),
        (["-m", "a@http://k:s@x/v1"], "--endpoint: no key in the address; put it into the variable REAL_API_KEY"),
        (
            ["-m", "a@http://k:s@x/v1", "-m", "b@http://y/v1"],
            "--endpoint: no key in the address; put it into the variable that NAME@URL#VARIABLE names",
        ),
        *(
            (
                ["-m", "a@http://x/v1", "-m", "b@http://x/v1", "--price", "1,1", "--max-cost", limit],
                f"--max-cost {limit}: ",
            )
            for limit in ("nan", "inf", "-1", "0")
        ),
        (
            ["-m", "a@http://x/v1", "--endpoint", "http://y/v1"],
            "--endpoint: each model names its own server; leave it out",
        ),
        (
            ["-m", "a@http://x/v1", "-m", "b@http://y/v1", "--key-variable", "K"],
            "--key-variable: each server names its own, as NAME@URL#VARIABLE; leave it out",
        ),
        (["-m", "a", "-m", "b", "--quorum", "3"], "--quorum 3: there are 2 --model"),
        (["-m", "a", "--escalate-below", "0.8"], "--escalate-below and --escalate-to: one needs the other"),
        (["-m", "a", "--escalate-to", "b"], "--escalate-below and --escalate-to: one needs the other"),
        (
            ["-m", "a", "--escalate-to", "b", "--escalate-below", "nan"],
            "--escalate-below nan: a number above 0.5 and at most 1 is needed",
        ),
        (["-m", "a", "--escalate-to", "a", "--escalate-below", "1"], "--model 'a': is named twice"),
        (["-m", "a", "-m", "b", "--emit-requests", "x"], "--emit-requests: a batch is for one model; "),
        (["-m", "a", "-m", "b", "--rubric", "magpie"], "--model: the rubric 'magpie' asks about the prompt"),
        (
            ["-m", "a", "-m", "b", "--rubric", "ultrafeedback", "--vote", "majority"],
            "--vote majority: the rubric 'ultrafeedback' rates, and ratings are averaged; leave it out",
        ),
        (
            ["-m", "a", "--rubric", "ultrafeedback", "--logprobs", "--escalate-below", "1", "--escalate-to", "b"],
            "--logprobs, --escalate-below, --escalate-to: the rubric 'ultrafeedback' compares no two responses",
        ),
        (["-m", "a", "--logprobs"], "--logprobs: 'a' runs on this machine, and no server gives any; leave it out"),
        (
            ["-m", "a@http://x/v1", "--logprobs", "--thinks"],
            "--logprobs: a model that --thinks gives no probabilities; leave one out",
        ),
        (
            ["-m", "a@http://x/v1", "-m", "b", "--price", "1,1:1,1:1,1"],
            "--price '1,1:1,1:1,1': 3 prices for 2 models; IN,OUT for all of them is needed, or IN,OUT:IN,OUT",
        ),
        (
            ["-m", "a@http://x/v1", "-m", "b@http://x/v1", "--device", "cpu"],
            "--device: not read where a server answers; leave it out",
        ),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line(tmp_path, words, reason):
    labeled, stderr = panel(tmp_path, *words, status=2)
    assert labeled == []
    assert stderr.startswith(f"real: {reason}")
    assert stderr.count("\n") == 1
