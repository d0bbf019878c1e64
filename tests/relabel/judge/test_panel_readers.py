"""What reads a panel's records: `eval winrate`, `eval judge`, and a person who labels them anew."""

import json

import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.errors import RecordError
from real_cli.records.judgments import judgments_of
from real_cli.relabel.human.choices import Shown, Verdict
from real_cli.relabel.human.pair import PairAnswer, answered_record, make_question
from tests.relabel.judge.panels import always, lines, panel
from tests.servers import Server, prefers_longer

TEXTS = [{"text": "a long answer", "model": "new"}, {"text": "short", "model": "old"}]
RECORDS = [{"prompt": f"q{n}", "responses": TEXTS[:: (-1) ** n]} for n in range(12)]
MODELS = ("-m", "new", "-m", "sound", "-m", "placed")


def three(request):
    """Two judges prefer the longer response; the third names the first place."""
    return (always("A") if request.body["model"] == "placed" else prefers_longer)(request)


def evaluate(metric, records, *words):
    result = CliRunner().invoke(app, ["eval", metric, *words], input=lines(records))
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    with Server(three) as server:
        records, _ = panel(tmp_path_factory.mktemp("panel"), "--endpoint", server.url, *MODELS, records=RECORDS)
    assert len(records) == 12
    return records


@pytest.mark.parametrize("metric", ["winrate", "judge"])
def test_each_judge_of_a_panel_counts_for_flips_and_places(judged, metric):
    summary = evaluate(metric, judged)
    assert (summary["num_both_orders"], summary["num_flips"], summary["num_flips_to_first"]) == (36, 12, 12)
    assert (summary["num_place_verdicts"], summary["share_first_place"]) == (72, pytest.approx(2 / 3))


def test_both_orders_of_two_models_are_counted_by_pair(judged):
    (row,) = evaluate("winrate", judged)["by_pair"]
    assert (row["num_comparisons"], row["num_both_orders"], row["num_flips"]) == (12, 36, 12)


def test_a_panel_is_one_judge_with_the_names_of_all_and_each_has_its_model(judged):
    summary = evaluate("judge", judged)
    assert summary["judges"] == ["new + sound + placed"]
    assert (summary["num_own"], summary["judge_prefers_own"]) == (12, 1.0)
    assert evaluate("judge", judged, "--model", "placed")["num_own"] == 0


def test_a_judge_that_failed_or_rates_says_nothing_of_places(judged):
    says = [{"model": "a", "problem": "gone"}, {"model": "b", "scores": [1, 2]}, {"model": "c", "orders": ["A", "tie"]}]
    summary = evaluate("winrate", [judged[0] | {"verdicts": says}])
    assert (summary["num_both_orders"], summary["num_flips"]) == (1, 0)


def test_the_pairs_of_a_matrix_have_the_judgments_of_the_panel(tmp_path):
    record = {"prompt": "q", "responses": [{"text": text, "model": text} for text in ("aaa", "bb", "c")]}
    with Server(three) as server:
        (judged,), _ = panel(tmp_path, "--endpoint", server.url, *MODELS, records=[record])
    assert [len(verdicts) for verdicts in judgments_of(judged).values()] == [3, 3, 3]
    for metric in ("winrate", "judge"):
        summary = evaluate(metric, [judged])
        assert (summary["num_both_orders"], summary["num_flips"]) == (9, 3)


def test_a_field_of_the_user_s_that_is_named_verdicts_is_none_of_a_panel(judged):
    pair = {name: value for name, value in judged[0].items() if name not in ("judge", "verdicts")}
    for foreign in ([{"model": "x", "orders": "A"}], "A", [1]):
        assert evaluate("winrate", [pair | {"verdicts": foreign}])["num_both_orders"] == 0


@pytest.mark.parametrize(
    ("verdicts", "wanted"),
    [
        ({"orders": ["A"]}, "judge 1: 'orders' is"),
        ({"orders": ["A", "first"]}, "judge 1: 'orders' is"),
        ({"pairs": [{"responses": [1, 3], "orders": ["A", "B"]}]}, "judge 1: 'responses' is"),
        ({"pairs": [{"responses": [2, 1], "orders": ["A", "B"]}]}, "judge 1: 'responses' is"),
    ],
)
def test_what_a_panel_cannot_have_written_is_refused(judged, verdicts, wanted):
    with pytest.raises(RecordError, match=wanted):
        judgments_of(judged[0] | {"verdicts": [{"model": "a"} | verdicts]})


@pytest.mark.parametrize("answer", [Verdict.first, Verdict.second, Verdict.tie])
def test_a_person_s_label_has_no_agreement_of_a_panel_beside_it(judged, answer):
    assert judged[0]["agreement"] == 2 / 3
    labeled = answered_record(make_question(judged[0], 0), PairAnswer(answer, Shown.as_is, 1.0))
    assert not {"verdicts", "agreement"} & labeled.keys()
    of_itself = {name: value for name, value in judged[0].items() if name not in ("judge", "verdicts")}
    kept = answered_record(make_question(of_itself, 0), PairAnswer(answer, Shown.as_is, 1.0))
    assert kept["agreement"] == 2 / 3, "a field of that name that no panel left"
