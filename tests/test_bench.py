"""Benchmarks are not judged by the clock here: they run, do the same work, and fill README and manual."""

import argparse
import json

import pytest

from tests.bench import __main__ as bench
from tests.bench import figure, hh_like, write_rows
from tests.bench.soup import measure
from tests.bench.train_whole import short_pairs, whole_ours, whole_trl


@pytest.mark.parametrize(
    ("path", "mark"), [(bench.README, "speed"), (bench.MANUAL, "performance"), (bench.SCALE, "scale")]
)
def test_the_tables_are_those_of_the_kept_figures(path, mark):
    """Renew them with: python -m tests.bench --table."""
    text = path.read_text(encoding="utf-8")
    figures = bench.read_figures()
    assert {"pair", "embed", "train_dpo", "soup"} <= {line["stage"] for line in figures} <= set(bench.STAGES)
    assert f"<!-- {mark}: made by {bench.RENEW} -->" in text
    assert bench.renewed(text, figures) == text, f"renew with: {bench.RENEW}"
    changed = [line | {name: 99 for name in ("ratio", "cpu_us") if name in line} for line in figures]
    assert "99" in bench.renewed(text, changed)


def goal_row(goal, **figure):
    """Make the README's line of a goal from one figure."""
    line = {"figure": goal.figure, "peer_name": goal.peer, **figure}
    rows = bench.goals([line]).splitlines()[2:]
    assert len(rows) == len(bench.GOALS)
    return rows[bench.GOALS.index(goal)]


def goal_of(figure):
    """Find a goal by the name of its figure."""
    return next(goal for goal in bench.GOALS if goal.figure == figure)


def test_a_goal_is_missed_by_speed_or_by_memory_and_says_why():
    """The README says so in so many words."""
    goal = goal_of("train-dpo, whole process")

    def verdict(**figure):
        return goal_row(goal, **figure).rpartition(": ")[2]

    assert verdict(ratio=3.5, ours_peak_mb=4, peer_peak_mb=10) == "met |"
    assert verdict(ratio=3.4, ours_peak_mb=4, peer_peak_mb=10) == f"**missed**, {goal.why} |"
    assert verdict(ratio=3.5, ours_peak_mb=5, peer_peak_mb=10) == f"**missed**, {goal.why} |"
    assert bench.goals([]).count("unmeasured |") == len(bench.GOALS)


def test_a_goal_without_a_ratio_is_what_the_benchmark_calls_met():
    """Help has no peer to be compared with: how long it may take is a number of seconds."""
    goal = goal_of("every --help, the slowest")
    assert goal_row(goal, ours=0.1, peer=0.4, met=False).endswith(f"| 4 | {goal.words}: **missed**, {goal.why} |")
    assert goal_row(goal, ours=0.1, peer=None, met=True).endswith(f"|  | {goal.words}: met |")


def test_every_goal_is_that_of_a_stage():
    """Each figure of a goal is printed by some benchmark, under that name and with that peer."""
    sources = "".join((bench.ROOT / "tests" / "bench" / f"{stage}.py").read_text() for stage in bench.STAGES)
    assert bench.GOALS
    for goal in bench.GOALS:
        assert f'"{goal.figure}"' in sources, goal
        assert f'"{goal.peer}"' in sources


def test_records_have_the_lengths_of_hh_and_the_seed_decides_them():
    """Mean tokens of HH's prompts, chosen and rejected are 120, 37 and 47; a word is about a token."""
    rows = hh_like(3000)
    means = [sum(len(row[name].split()) for row in rows) / len(rows) for name in ("prompt", "chosen", "rejected")]
    assert means == pytest.approx([120, 37, 47], rel=0.1)
    assert rows[:5] == hh_like(5)


def test_a_figure_is_the_ratio_of_medians(capsys):
    """Ten records in 1, 2 and 9 seconds against 4: five a second over two and a half."""
    ours = [{"seconds": seconds, "peak_mb": 100} for seconds in (1, 2, 9)]
    peer = [{"seconds": 4, "peak_mb": 300}]
    options = argparse.Namespace(rounds=3, threads=2)
    figure("x", ours, peer, amount=10, unit="pairs/s", peer_name="p", bar="b", options=options)
    line = capsys.readouterr().out
    assert '"ours": 5.0, "peer": 2.5, "unit": "pairs/s", "ratio": 2.0' in line


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_both_sides_of_training_and_evaluation_do_the_same_work(tiny_policy):
    """Four pairs, a tiny policy: the losses agree, and so do the margins."""
    from tests.bench.eval_margin import make_reference, measure_ours, measure_trl
    from tests.bench.train_dpo import train_ours, train_trl

    job = {"policy": str(tiny_policy), "device": "cpu", "batch_size": 2, "max_length": 500, "layout": "auto"}
    job |= {"batch_tokens": None, "rows": hh_like(4)}
    ours, trl = train_ours(job), train_trl(job | {"output": str(tiny_policy.parent / "trl")})
    assert (tiny_policy.parent / "trl" / "model.safetensors").exists()
    assert ours["losses"] == pytest.approx(trl["losses"], abs=1e-4)
    assert 0 < ours["tokens"] < trl["tokens"]
    make_reference(tiny_policy, tiny_policy.parent / "moved")
    job["reference"] = str(tiny_policy.parent / "moved")
    ours, trl = measure_ours(job), measure_trl(job)
    assert ours["margin"] == pytest.approx(trl["margin"], abs=1e-4)
    assert abs(ours["margin"]) > 1e-4


@pytest.mark.slow
def test_both_sides_of_sampling_answer_every_prompt_as_often(tiny_policy, tmp_path):
    """Three prompts, four responses each, of at most eight tokens; both count what they wrote."""
    from tests.bench.sample import sample_ours, sample_peer

    write_rows(tmp_path / "in.jsonl", [{"id": row["id"], "prompt": row["prompt"]} for row in hh_like(3)])
    job = {"model": str(tiny_policy), "device": "cpu", "top_p": 1.0, "rows": 4, "max_tokens": 8, "responses": 4}
    job |= {"input": str(tmp_path / "in.jsonl"), "output": str(tmp_path / "out"), "batch_tokens": 512, "amount": 96}
    for side in (sample_ours, sample_peer):
        result = side(job)
        assert 12 <= result["tokens"] <= 96
        assert result["seconds"] > 0
    assert [len(json.loads(line)["responses"]) for line in (tmp_path / "out").read_text().splitlines()] == [4] * 3


def test_the_figures_of_a_gpu_need_one(monkeypatch):
    """On a CPU an 8B model would take days; where there is a GPU its own benchmark runs."""
    monkeypatch.setattr("tests.gpu.models.on_cuda", lambda: False)
    with pytest.raises(SystemExit, match="there is no CUDA device"):
        bench.main(["--device", "cuda"])
    ran = []
    monkeypatch.setattr("tests.gpu.models.on_cuda", lambda: True)
    monkeypatch.setattr("tests.gpu.bench.main", ran.append)
    bench.main(["--device", "cuda"])
    assert ran == [[]]


def test_short_pairs_are_those_whose_prompt_and_response_fit():
    """Fifteen hundred characters of both together are too many; too few pairs are told."""
    rows = [{"prompt": "p" * 1000, "chosen": "c" * size, "rejected": "r"} for size in (499, 500, 10)]
    assert short_pairs(rows, 2) == [rows[0], rows[2]]
    with pytest.raises(SystemExit, match="2 pairs under 1500 characters, not 3"):
        short_pairs(rows, 3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_whole_processes_train_the_same_pairs(tiny_policy, tmp_path):
    """Four pairs: the losses agree, and both leave a model."""
    write_rows(tmp_path / "in.jsonl", hh_like(4))
    job = {"policy": str(tiny_policy), "device": "cpu", "batch_size": 2, "max_length": 500}
    job["input"] = str(tmp_path / "in.jsonl")
    ours = whole_ours(job | {"output": str(tmp_path / "ours")}, [])
    trl = whole_trl(job | {"output": str(tmp_path / "trl")})
    assert len(ours["losses"]) == 2
    assert ours["losses"] == pytest.approx(trl["losses"], abs=1e-4)
    assert all((tmp_path / name / "model.safetensors").exists() for name in ("ours", "trl"))


@pytest.mark.slow
def test_both_sides_of_souping_make_the_same_model(tmp_path):
    """Bit by bit, in both formats; the benchmark itself refuses another outcome."""
    for dtype in ("float32", "bfloat16"):
        folder = tmp_path / dtype
        folder.mkdir()
        options = argparse.Namespace(rounds=1, threads=1, dtype=dtype)
        runs, model_bytes, _ = measure(folder, 16, options)
        assert model_bytes > 0
        assert set(runs) == {"ours", "script"}
