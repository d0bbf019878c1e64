"""`real eval margin` as a user runs it, on tiny random policies."""

import json
import tempfile

import pytest

from real_cli.errors import Terminated
from real_cli.records.messages import text_key
from tests.train.training import run, write_rows

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def policies(make_tiny_policy):
    """Three models of one tokenizer."""
    return [make_tiny_policy(seed=seed) for seed in (1, 2, 3)]


@pytest.fixture(scope="module")
def many_rows(pair_rows):
    """Twenty-four pairs with ids and similarities; no prompt repeats."""
    return [
        {"id": number, **row, "prompt": f"{'the ' * (number // 8)}{row['prompt']}", "similarity": number * 7 % 24 / 24}
        for number, row in enumerate(pair_rows * 3)
    ]


def measure(*words, rows=None, status=0):
    lines, messages = run("eval", "margin", *words, rows=rows, status=status)
    return (lines[0] if lines else None), messages


def read(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def is_same(first, other):
    """Equal but for the last digits of floats."""
    if isinstance(first, dict):
        return first.keys() == other.keys() and all(is_same(first[name], other[name]) for name in first)
    if isinstance(first, list):
        return len(first) == len(other) and all(map(is_same, first, other))
    return first == (pytest.approx(other, abs=1e-9) if isinstance(first, float) else other)


def test_the_numbers_are_those_that_transformers_gives(tiny_policy, policies, pair_rows, tmp_path):
    """One pass a text through both models, without batches, padding or a shared prompt."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_policy)
    models = [AutoModelForCausalLM.from_pretrained(path) for path in (policies[0], tiny_policy)]

    def logps(model, row, name):
        prompt = tokenizer(row["prompt"])["input_ids"]
        ids = torch.tensor([tokenizer(row["prompt"] + row[name] + "<end>")["input_ids"]])
        with torch.no_grad():
            scores = model(ids).logits[0].log_softmax(-1)[:-1].gather(1, ids[0, 1:, None])[:, 0]
        return float(scores[len(prompt) - 1 :].sum()), ids.shape[1] - len(prompt)

    summary, _ = measure("-p", policies[0], "-r", tiny_policy, "--rows", tmp_path / "rows", rows=pair_rows)
    rows = read(tmp_path / "rows")
    for row, match in zip(pair_rows, rows, strict=True):
        (chosen, size), (rejected, other_size) = (logps(models[0], row, name) for name in ("chosen", "rejected"))
        (known, _), (other_known, _) = (logps(models[1], row, name) for name in ("chosen", "rejected"))
        assert match["margin"] == pytest.approx(chosen - known - rejected + other_known, abs=1e-4)
        assert match["likelihood_margin"] == pytest.approx(chosen - rejected, abs=1e-4)
        assert (match["num_tokens_chosen"], match["num_tokens_rejected"]) == (size, other_size)
        expected = (chosen - known) / size - (rejected - other_known) / other_size
        assert match["margin_per_token"] == pytest.approx(expected, abs=1e-4)
    assert summary["margin"] == pytest.approx(sum(row["margin"] for row in rows) / 8)
    assert summary["num_correct"] == sum(row["is_correct"] for row in rows)


def test_rows_stand_in_the_order_of_the_input_with_id_and_place(tiny_policy, policies, pair_rows, tmp_path):
    """A pair whose prompt fills the limit has no numbers and no row; the summary counts it."""
    rows = [pair_rows[0] | {"id": "a", "similarity": 0.5}, pair_rows[1] | {"prompt": "the " * 40}, pair_rows[2]]
    words = ["-p", policies[0], "-r", tiny_policy, "--max-length", "30", "--beta", "0.5"]
    summary, messages = measure(*words, "--rows", tmp_path / "rows", rows=rows)
    result = read(tmp_path / "rows")
    assert [(row.get("id"), row["place"], row["similarity"]) for row in result] == [
        ("a", "<stdin>:1", 0.5),
        (None, "<stdin>:3", None),
    ]
    assert {row["policy"] for row in result} == {str(policies[0])}
    assert all(row["margin_beta"] == pytest.approx(row["margin"] / 2) for row in result)
    assert (summary["num_pairs"], summary["num_too_long"]) == (2, 1)
    assert "1 left out: the prompt alone fills 30 tokens" in messages


def test_rows_carry_the_tags_and_a_key_of_the_prompt(tiny_policy, policies, pair_rows, tmp_path):
    """Each line of each policy; the key stands for the prompt, whose text is nowhere in the file."""
    words = ["-p", policies[0], "-p", policies[1], "-r", tiny_policy, "--rows", tmp_path / "rows"]
    measure(*words, "--tag", "strategy=easy", "--tag", "budget=320", "--tag", "seed=01", rows=pair_rows)
    result = read(tmp_path / "rows")
    assert len(result) == 2 * len(pair_rows)
    assert {(row["strategy"], row["budget"], row["seed"]) for row in result} == {("easy", 320, "01")}
    assert [row["prompt_key"] for row in result] == 2 * [text_key(row["prompt"])[:8].hex() for row in pair_rows]
    assert pair_rows[0]["prompt"] not in (tmp_path / "rows").read_text()


def test_several_policies_say_what_each_says_alone(tiny_policy, policies, many_rows, tmp_path):
    """The summaries, the rows and the exported log-probabilities are those of separate runs; a pair that is too long
    is left out of all. The reference is a policy too: it ties with itself."""
    rows = [*many_rows, many_rows[0] | {"prompt": "the " * 40}]
    names = [*policies[:2], tiny_policy]
    words = [word for name in names for word in ("-p", name)]
    files = ["--rows", tmp_path / "rows", "--export-logps", tmp_path / "export"]
    common = ["-r", tiny_policy, "--max-length", "30"]
    together, _ = measure(*words, *common, *files, rows=rows)
    written = read(tmp_path / "rows")
    for number, name in enumerate(names):
        alone, _ = measure("-p", name, *common, "--rows", tmp_path / "own", "--export-logps", tmp_path / "o", rows=rows)
        assert is_same(together["policies"][number], {"policy": str(name), **alone})
        assert is_same(written[24 * number : 24 * number + 24], read(tmp_path / "own"))
        assert is_same(read(tmp_path / "export"), read(tmp_path / "o"))
    assert (len(written), together["policies"][0]["num_too_long"]) == (72, 1)
    assert together["policies"][2]["num_ties"] == 24
    margins = [ours["margin"] for ours in together["policies"]]
    assert [ours["policy"] for ours in together["differences"]] == [str(policies[1]), str(tiny_policy)]
    for ours, margin in zip(together["differences"], margins[1:], strict=True):
        assert ours["minus"] == str(policies[0])
        assert ours["margin"] == pytest.approx(margin - margins[0])
        assert ours["margin_low"] < ours["margin"] < ours["margin_high"]
        assert ours["num_pairs"] == 24


def test_several_policies_take_the_reference_from_the_records(tiny_policy, policies, many_rows, tmp_path):
    words = ["-p", policies[0], "-p", policies[1]]
    named, _ = measure(*words, "-r", tiny_policy, "--export-logps", tmp_path / "known", rows=many_rows)
    known, _ = measure(*words, tmp_path / "known")
    assert is_same(named, known)


def test_one_model_is_in_memory_beside_the_reference(tiny_policy, policies, pair_rows, monkeypatch):
    """Of three policies the two earlier ones are gone when the next is loaded, and the reference with the first."""
    import weakref

    from real_cli.models.score import model_pair

    alive, counts = weakref.WeakSet(), []
    load = model_pair.load_policy

    def counted(name, **place):
        policy = load(name, **place)
        alive.add(policy.model)
        counts.append(len(alive))
        return policy

    monkeypatch.setattr(model_pair, "load_policy", counted)
    words = [word for name in policies for word in ("-p", name)]
    measure(*words, "-r", tiny_policy, rows=pair_rows)
    assert counts == [1, 2, 1, 1]


def test_one_policy_spools_nothing(tiny_policy, pair_rows, monkeypatch):
    from real_cli.evaluate.margin import run as margin_run

    monkeypatch.setattr(margin_run, "RecordSpool", None)
    summary, _ = measure("-p", tiny_policy, "-r", tiny_policy, rows=pair_rows)
    assert summary["num_ties"] == 8
    assert "policies" not in summary


def test_policies_of_other_tokens_are_refused_by_name(tiny_policy, make_tiny_policy, pair_rows, tmp_path):
    """Its tokenizer ends a text with another token."""
    from transformers import AutoTokenizer

    other = make_tiny_policy(seed=4)
    tokenizer = AutoTokenizer.from_pretrained(other)
    tokenizer.eos_token = "no"
    tokenizer.save_pretrained(other)
    words = ["-p", tiny_policy, "-p", other, "-r", tiny_policy, "--rows", tmp_path / "rows"]
    _, messages = measure(*words, rows=pair_rows, status=1)
    assert f"real: <stdin>:1: --policy {other} reads other tokens than {tiny_policy}; compare" in messages
    assert not list(tmp_path.iterdir())


def test_a_policy_that_says_no_numbers_is_told_with_its_place(tiny_policy, make_tiny_policy, pair_rows, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM

    broken = make_tiny_policy(seed=5)
    model = AutoModelForCausalLM.from_pretrained(broken)
    with torch.no_grad():
        model.model.norm.weight.fill_(3e38)  # finite, and what is made of it is not
    model.save_pretrained(broken)
    notes = f"<stdin>:1: the log-probabilities are no finite numbers under {broken}; try --dtype float32\n"
    for words in (["-p", broken], ["-p", tiny_policy, "-p", broken]):
        _, messages = measure(*words, "-r", tiny_policy, rows=pair_rows[:2], status=1)
        assert messages.endswith(notes)
    words = ["--on-error", "skip", "--rejects", tmp_path / "rejects"]
    summary, messages = measure("-p", broken, "-r", tiny_policy, *words, rows=pair_rows[:2], status=3)
    assert summary["num_pairs"] == 0
    assert len(read(tmp_path / "rejects")) == 2


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-p", "a", "-p", "a"], "--policy a: is named twice; name other policies to compare"),
        (["-p", "r.html", "-p", "./r.html"], "--policy r.html: is named twice; name other policies to compare"),
        (["-p", "a", "--beta", "0"], "--beta 0.0: must be greater than 0, and finite"),
        (["-p", "a", "--beta", "nan"], "--beta nan: must be greater than 0, and finite"),
        (["-p", "a", "--training", "x"], "--training: its curves are drawn in a report; name one with --report"),
        (["-p", "a", "--training", "-", "--report", "r.html"], "--training -: the pairs come from standard input; "),
        (["-p", "a", "--training", "r.html", "--report", "r.html"], "r.html: is what --training reads; name another"),
        (["-p", "a", "--training", "t", "--report", "r.html", "-o", "t"], "t: is what --training reads; name another"),
        (["-p", "a", "--rows", "x", "--export-logps", "x"], "x: is named for two outputs; name another file"),
        (["-p", "a", "--tag", "seed=1"], "--tag: tags go to the lines of --rows; name a file with it"),
        (["-p", "a", "--rows", "x", "--tag", "seed"], "--tag 'seed'; NAME=VALUE, such as strategy=easy"),
        (["-p", "a", "--rows", "x", "--tag", "margin=1"], "each row has a field 'margin' already; choose another name"),
    ],
)
def test_what_does_not_fit_together_is_a_mistake_on_the_command_line(
    words, complaint, pair_rows, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.html").write_text("")
    _, messages = measure(*words, "-r", "b", rows=pair_rows, status=2)
    assert messages.startswith("real: ")
    assert complaint in messages


def test_the_report_has_every_part(tiny_policy, policies, many_rows, tmp_path, monkeypatch):
    """What is drawn is tested where it is drawn; here, what is handed over."""
    reports = []
    monkeypatch.setattr("real_cli.report.html.write_report", lambda path, report: reports.append(report))
    training = write_rows(tmp_path / "training", [{"step": 1, "loss": 0.7}, {"step": 2, "loss": 0.6}, {"x": 1}])
    training.write_bytes(training.read_bytes() + b"no JSON\n")
    words = ["-p", policies[0], "-p", policies[1], "-r", tiny_policy]
    _, messages = measure(*words, "--report", tmp_path / "r.html", "--training", training, rows=many_rows)
    (report,) = reports
    assert [section.title for section in report.sections] == [
        "The answer", "Comparison", "Margins", "By similarity", "By length", "Calibration", "Chosen against rejected",
        "Training", "Pairs to look at",
    ]  # fmt: skip
    assert len(report.sections[-1].items) == 8
    assert dict(report.facts)["reference"].startswith(f"{tiny_policy}: weights sha256 ")
    assert "--training: 2 lines that are no step of a training run were passed over" in messages


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt, 130), (Terminated, 143)])
def test_a_run_that_is_interrupted_leaves_nothing_behind(
    error, status, tiny_policy, policies, pair_rows, tmp_path, monkeypatch
):
    """In its second pass, with the pairs on disk and three files half written."""
    from real_cli.evaluate.margin import run as margin_run

    records, places = margin_run.RecordSpool.records, (tmp_path / "temporary", tmp_path / "out")
    for place in places:
        place.mkdir()

    def interrupted(self):
        yield next(records(self))
        raise error

    monkeypatch.setattr(margin_run.RecordSpool, "records", interrupted)
    monkeypatch.setattr(tempfile, "tempdir", str(places[0]))
    monkeypatch.chdir(places[1])
    words = ["-p", tiny_policy, "-p", policies[0], "-r", tiny_policy, "-o", "summary"]
    measure(*words, "--rows", "rows", "--export-logps", "export", rows=pair_rows, status=status)
    assert not [path for place in places for path in place.rglob("*") if path.is_file()]
