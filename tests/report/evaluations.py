"""The evaluations' reports on invented data, as their commands write them; only the margins are drawn."""

import json
import random

import numpy as np
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.cli.option_sets import StreamOptions
from real_cli.evaluate.evaluation import run_evaluation
from real_cli.evaluate.margin.margins import PairMargin
from real_cli.evaluate.margin.run import MarginRun
from real_cli.records.messages import text_key
from real_cli.train.curves import read_curves

NOUNS = [
    "river",
    "lamp",
    "ladder",
    "orchard",
    "kettle",
    "bridge",
    "harbor",
    "mirror",
    "valley",
    "engine",
    "basket",
    "comet",
]
VERBS = ["explain", "describe", "compare", "list", "repair", "paint", "measure", "translate", "summarize", "plan"]
POLICIES = ["runs/aligned-on-easy-pairs", "runs/aligned-on-random-pairs"]


def sentence(draws, count):
    return " ".join(draws.choice(NOUNS + VERBS) for _ in range(count)).capitalize() + "."


def prompts(draws, count):
    return [f"{draws.choice(VERBS).capitalize()} the {draws.choice(NOUNS)} no. {number}." for number in range(count)]


def labeled_pairs(count=120, seed=1):
    """Pairs with scores, similarities and strategies; a fifth against their scores."""
    draws = random.Random(seed)
    rows = []
    for number, prompt in enumerate(prompts(draws, count)):
        low = draws.randrange(1, 8)
        high = low + draws.randrange(1, 4)
        scores = (low, high) if number % 5 == 0 else (high, low)
        rows.append(
            {
                "prompt": prompt,
                "chosen": sentence(draws, draws.randrange(5, 90)),
                "rejected": sentence(draws, draws.randrange(5, 70)),
                "score_chosen": scores[0],
                "score_rejected": scores[1],
                "similarity": round(draws.uniform(0.05, 0.98), 4),
                "strategy": ("easy", "hard", "random")[number % 3],
            }
        )
    return rows


def candidates(count=80, seed=2):
    """Four scored and embedded responses a prompt."""
    draws = random.Random(seed)
    return [
        {
            "prompt": prompt,
            "responses": [
                {
                    "text": sentence(draws, draws.randrange(4, 40)),
                    "score": draws.randrange(1, 11),
                    "embedding": [round(draws.gauss(0, 1), 3) for _ in range(6)],
                }
                for _ in range(4)
            ],
        }
        for prompt in prompts(draws, count)
    ]


def verdicts(count=120, seed=3, models=("aligned-with-real", "baseline")):
    """What a judge answers in both orders of two models' responses; a tie now and then."""
    draws = random.Random(seed)
    rows = []
    for number, prompt in enumerate(prompts(draws, count)):
        texts = [sentence(draws, draws.randrange(5, 60)) for _ in models[:2]]
        first, second = draws.sample(models, 2)
        answers = draws.choice([["A", "A"], ["B", "B"], ["A", "B"], ["A", "A"], ["tie", "tie"]])
        row = {
            "prompt": prompt,
            "task": ("code", "prose")[number % 2],
            "judge": {"verdicts": answers, "verdict": answers[0]},
        }
        if answers[0] == answers[1] and answers[0] != "tie":
            winner = answers[0] == "A"
            names = {"model_chosen": first if winner else second, "model_rejected": second if winner else first}
            row |= {"chosen": texts[not winner], "rejected": texts[winner], **names}
        else:
            row["judge"]["verdict"] = "tie"
            row["responses"] = [
                {"text": text, "model": name} for text, name in zip(texts, (first, second), strict=True)
            ]
        rows.append(row)
    return rows


def rewards(count=60, seed=6):
    """Two reward models' scores of one right and three wrong responses, and of questions with several right ones."""
    draws = random.Random(seed)
    rows = []
    for number, prompt in enumerate(prompts(draws, count)):
        kinds = {"id": f"{('ref', 'tied')[number % 2]}:{number // 2}", "subset": "Ties"} if number < 24 else {}
        num_right = 3 if number < 24 and number % 2 else 1
        responses = [
            {
                "text": sentence(draws, draws.randrange(4, 40)),
                "rank": 1 if place < num_right else 2,
                "score": draws.gauss(1.5 if place < num_right else 0, 1),
                "rival": draws.gauss(0.5 if place < num_right else 0, 1),
            }
            for place in range(num_right + 3)
        ]
        rows.append({"prompt": prompt, "subset": ("Math", "Focus")[number % 2], "responses": responses} | kinds)
    return rows


class DrawnMargins(MarginRun):
    """Margins of no model: longer responses are preferred a little, chosen ones more."""

    draws = np.random.default_rng(4)

    def add(self, record, place=""):
        tokens = [len(record[side].split()) for side in ("chosen", "rejected")]
        for number, tally in enumerate(self.tallies):
            gain = 0.6 / (number + 1) + 0.02 * (tokens[0] - tokens[1])
            chosen, rejected, likelihood = self.draws.normal((gain, 0.0, 2 * gain), (1.0, 1.0, 9.0))
            pair = PairMargin(chosen, rejected, likelihood, record["similarity"], *tokens)
            tally.add(pair, text_key(record["prompt"]))
            if self._examples:
                self._examples[number].offer(place, record, pair)
        return ()

    def finish(self):
        self._counts = {"num_truncated": 2, "num_too_long": 0, "num_same_tokens": 1, "num_is_cut": 0}
        return iter(())


def training_log():
    """Forty logged steps, the held-out pairs measured at every tenth."""
    draws = random.Random(5)
    lines = []
    for step in range(5, 205, 5):
        gain = step / 200
        line = {"step": step, "loss": 0.69 - 0.2 * gain + draws.gauss(0, 0.03), "rewards/margins": gain + 0.1}
        line |= {"rewards/accuracies": 0.5 + 0.3 * gain, "rewards/chosen": 0.2 * gain, "rewards/rejected": -gain}
        lines.append(
            line | ({f"eval_{name}": line[name] + 0.02 for name in line if name != "step"} if step % 50 == 0 else {})
        )
    return lines


def write_rows(path, rows):
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def write_reports(folder):
    """Write each evaluation's report into a folder; returns their paths by name."""
    pairs = write_rows(folder / "pairs.jsonl", labeled_pairs())
    pool = write_rows(folder / "candidates.jsonl", candidates())
    judged = write_rows(folder / "judged.jsonl", verdicts())
    rewarded = write_rows(folder / "rewarded.jsonl", rewards())
    many = write_rows(folder / "many.jsonl", verdicts(models=("aligned", "baseline", "third", "fourth")))
    heldout = write_rows(folder / "heldout.jsonl", labeled_pairs(30, seed=9))
    words = {
        "labels": ["labels", pairs],
        "strategies": ["labels", "--compare", "easy,random,hard", "--budget", "10%,35%,100%", pool],
        "pairs": ["pairs", "--against", heldout, "--limit", "share_chosen_longer<=0.6", pairs],
        "reward": ["reward", "--by", "subset", "--field", "score", "--field", "rival", rewarded],
        "winrate": ["winrate", "--by", "task", judged],
        "ranking": ["winrate", many],
        "judge": ["judge", "--label", "score", pairs],
    }
    paths = {name: folder / f"{name}.html" for name in (*words, "margin", "policies")}
    for name, given in words.items():
        command = ["eval", *map(str, given), "--report", str(paths[name])]
        result = CliRunner().invoke(app, command, prog_name="real", catch_exceptions=False)
        assert result.exit_code == 0, result.output
    for name, policies in (("margin", POLICIES[:1]), ("policies", POLICIES)):
        curves = read_curves(training_log())
        run = DrawnMargins(policies, "smollm2", lambda *_: None, beta=0.1, curves=curves, has_examples=True)
        job = StreamOptions(files=[str(pairs)], output=folder / f"{name}.json").job()
        run_evaluation(run, job, paths[name])
    return paths
