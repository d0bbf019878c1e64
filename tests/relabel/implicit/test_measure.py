"""A policy's own opinion, against log-softmax in a few lines, one response at a time."""

import json
import shutil
from functools import cache

import numpy as np
import pytest

from real_cli.errors import ModelError, RecordError
from real_cli.models.score.model_pair import ModelPair
from real_cli.models.score.scoring import Scorer
from real_cli.records.choices import Attention, Precision, TokenLayout
from real_cli.relabel.implicit import measure as opinions_module
from real_cli.relabel.implicit.measure import ContrastMeter, RecordTokenizer, ReferenceMeter

CHAT = (
    "{% for m in messages %}{{ m['role'] }} {{ m['content'] }} <end> {% endfor %}"
    "{% if add_generation_prompt %}assistant {% endif %}"
)
RECORDS = [
    {"prompt": "the cat", "responses": [{"text": text} for text in (" sat on the mat", " ran", " no", " it saw")]},
    {"prompt": "why", "chosen": " the dog ran on the log", "rejected": " yes"},
    {"prompt": "how big", "responses": []},
    {"prompt": "the cat", "responses": [{"text": " ran"}, {"text": " big"}]},
    {"prompt": "no", "responses": [{"text": " small"}]},
]


@pytest.fixture(scope="module")
def folders(make_tiny_policy):
    return {
        "policy": make_tiny_policy(),
        "reference": make_tiny_policy(seed=1),
        "chat": make_tiny_policy(chat_template=CHAT),
    }


def models_of(policy, reference=None, *, layout=TokenLayout.auto, batch_tokens=64, max_length=64):
    return ModelPair(
        str(policy), str(reference) if reference else None, device="cpu", precision=Precision.float32,
        attention=Attention.auto, layout=layout, batch_tokens=batch_tokens, max_length=max_length,
        tell=lambda line: None,
    )  # fmt: skip


def judge(opinions, records=RECORDS):
    scored = list(opinions((str(number), opinions.read(record)) for number, record in enumerate(records)))
    assert [(place, record) for place, record, _ in scored] == [(str(n), record) for n, record in enumerate(records)]
    return [rewards for _, _, rewards in scored]


def texts_of(record):
    if "chosen" in record:
        return [record["chosen"], record["rejected"]]
    return [response["text"] for response in record["responses"]]


@cache
def theirs(folder):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    return AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)


def plain_logp(folder, prompt, response, *, end=" <end>", max_length=64):
    """The sum of log-softmax at the response's tokens: one sequence, no padding, the end token counted."""
    import torch

    model, tokenizer = theirs(folder)
    start = len(tokenizer(prompt)["input_ids"])
    ids = torch.tensor(tokenizer(f"{prompt}{response}{end}")["input_ids"][:max_length])
    with torch.no_grad():
        logps = model(ids[None]).logits[0].log_softmax(-1)
    return sum(logps[position - 1, ids[position]].item() for position in range(start, len(ids)))


@pytest.mark.parametrize("layout", [TokenLayout.shared, TokenLayout.plain])
@pytest.mark.parametrize("batch_tokens", [1, 512])
def test_rewards_are_beta_times_the_log_ratio_in_every_layout_and_batch(folders, layout, batch_tokens):
    models = models_of(folders["policy"], folders["reference"], layout=layout, batch_tokens=batch_tokens)
    scored = judge(ReferenceMeter(models, beta=0.25))
    for record, rewards in zip(RECORDS, scored, strict=True):
        wanted = [
            0.25
            * (
                plain_logp(folders["policy"], record["prompt"], text)
                - plain_logp(folders["reference"], record["prompt"], text)
            )
            for text in texts_of(record)
        ]
        np.testing.assert_allclose(rewards, wanted, atol=1e-4)
    assert np.ptp(scored[0]) > 0.1


def test_windows_change_nothing(folders, monkeypatch):
    models = models_of(folders["policy"], folders["reference"])
    whole = judge(ReferenceMeter(models, beta=1))
    monkeypatch.setattr(opinions_module, "WINDOW_RESPONSES", 2)
    for rewards, wanted in zip(judge(ReferenceMeter(models, beta=1)), whole, strict=True):
        np.testing.assert_allclose(rewards, wanted, atol=1e-4)


def test_a_response_that_occurs_twice_is_scored_once(folders, monkeypatch):
    """`the cat` + ` ran` stands in two records: 8 distinct of 9, under each of two models."""
    scored = []
    score = Scorer._score
    monkeypatch.setattr(Scorer, "_score", lambda self, answers: scored.append(len(answers)) or score(self, answers))
    judge(ReferenceMeter(models_of(folders["policy"], folders["reference"]), beta=1))
    assert sum(scored) == 2 * 8


def test_a_policy_that_is_its_own_reference_has_no_opinion(folders):
    assert judge(ReferenceMeter(models_of(folders["policy"], folders["policy"]), beta=1))[0] == [0, 0, 0, 0]


def test_reference_log_probabilities_of_the_record_are_used_where_no_reference_is_named(folders):
    pair = RECORDS[1] | {"ref_chosen_logps": -3, "ref_rejected_logps": -4.5}
    candidate = {"prompt": "why", "responses": [{"text": " yes", "ref_logps": -4.5}]}
    scored = judge(ReferenceMeter(models_of(folders["policy"]), beta=1), [pair, candidate])
    wanted = [plain_logp(folders["policy"], "why", text) for text in texts_of(pair)]
    np.testing.assert_allclose(scored[0], [wanted[0] + 3, wanted[1] + 4.5], atol=1e-4)
    np.testing.assert_allclose(scored[1], [wanted[1] + 4.5], atol=1e-4)


def test_a_named_reference_wins_over_what_the_record_carries(folders):
    models = models_of(folders["policy"], folders["reference"])
    plain, carrying = judge(
        ReferenceMeter(models, beta=1),
        [RECORDS[1], RECORDS[1] | {"ref_chosen_logps": -3, "ref_rejected_logps": -4.5}],
    )
    assert plain == carrying


@pytest.mark.parametrize("record", [RECORDS[1], RECORDS[0], RECORDS[1] | {"ref_chosen_logps": -3}])
def test_without_a_reference_and_without_its_numbers_a_record_is_refused(folders, record):
    with pytest.raises(RecordError, match="^no ref_chosen_logps and ref_rejected_logps .*--reference$"):
        judge(ReferenceMeter(models_of(folders["policy"]), beta=1), [record])


def test_a_reference_that_reads_other_tokens_is_refused(folders, tmp_path):
    folder = shutil.copytree(folders["reference"], tmp_path / "other")
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    vocab = tokenizer["model"]["vocab"]
    vocab["cat"], vocab["dog"] = vocab["dog"], vocab["cat"]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(ModelError, match="its tokenizer is not the policy's, 2 tokens differ"):
        judge(ReferenceMeter(models_of(folders["policy"], folder), beta=1))


def test_long_responses_are_cut_and_a_prompt_that_fills_the_limit_is_left_out(folders):
    """Six tokens: `the cat` leaves four, ` sat on the mat <end>` is five. `the cat the cat the cat` leaves none."""
    models = models_of(folders["policy"], folders["reference"], max_length=6)
    opinions = ReferenceMeter(models, beta=1)
    long = {"prompt": "the cat the cat the cat", "responses": [{"text": " sat"}]}
    scored = judge(opinions, [RECORDS[0], long])
    policy, reference = (
        plain_logp(folders[name], "the cat", " sat on the mat", max_length=6) for name in ("policy", "reference")
    )
    assert scored[0][0] == pytest.approx(policy - reference, abs=1e-4)
    assert scored[1] is None
    assert opinions.sentence() == "4 responses scored; 1 cut to --max-length 6"


def test_an_empty_stream_needs_no_model():
    opinions = ReferenceMeter(models_of("/nowhere", "/nowhere"), beta=1)
    assert list(opinions([])) == []
    assert judge(opinions, [RECORDS[2]]) == [[]]
    assert opinions.sentence() == "0 responses scored"


# Contrast


def contrast(folder, positive, negative, **settings):
    return ContrastMeter(models_of(folder, **settings), positive=positive, negative=negative)


@pytest.mark.parametrize("layout", [TokenLayout.shared, TokenLayout.plain])
def test_dlma_a_reward_is_the_log_probability_after_one_prompt_minus_that_after_the_other(folders, layout):
    scored = judge(contrast(folders["policy"], "big big", "{prompt} but then no", layout=layout))
    for record, rewards in zip(RECORDS, scored, strict=True):
        positive, negative = f"big big\n\n{record['prompt']}", f"{record['prompt']} but then no"
        wanted = [
            plain_logp(folders["policy"], positive, text) - plain_logp(folders["policy"], negative, text)
            for text in texts_of(record)
        ]
        np.testing.assert_allclose(rewards, wanted, atol=1e-4)
    assert np.ptp(scored[0]) > 0.1


def test_dlma_equal_prompts_have_no_opinion(folders):
    """Methods 9(f)."""
    assert judge(contrast(folders["policy"], "big", "big"))[:2] == [[0, 0, 0, 0], [0, 0]]


def test_dlma_exchanging_the_prompts_negates_the_rewards(folders):
    scored = judge(contrast(folders["policy"], "big", "no no no"))
    swapped = judge(contrast(folders["policy"], "no no no", "big"))
    for rewards, opposite in zip(scored, swapped, strict=True):
        np.testing.assert_allclose(rewards, np.negative(opposite), atol=1e-4)


def test_dlma_swapping_chosen_and_rejected_swaps_their_rewards(folders):
    """Methods 9(f): so the offset, their difference, is negated."""
    pair = RECORDS[1]
    swapped = pair | {"chosen": pair["rejected"], "rejected": pair["chosen"]}
    (first, second), (other_first, other_second) = judge(contrast(folders["policy"], "big", "no"), [pair, swapped])
    assert (first, second) == (other_second, other_first)
    assert abs(first - second) > 1e-3


def test_a_conversation_gets_a_system_message(folders):
    prompt = [{"role": "user", "content": "the cat"}]
    (rewards,) = judge(contrast(folders["chat"], "big", "no no"), [{"prompt": prompt, "responses": [{"text": "sat"}]}])
    positive, negative = (f"system {words} <end> user the cat <end> assistant" for words in ("big", "no no"))
    wanted = plain_logp(folders["chat"], positive, " sat") - plain_logp(folders["chat"], negative, " sat")
    assert rewards == pytest.approx([wanted], abs=1e-4)


def test_after_both_prompts_the_same_part_of_a_response_counts(folders):
    """Of 8 tokens `no no no the cat` leaves three, so after `big the cat` three count too, though five would fit."""
    opinions = contrast(folders["policy"], "big", "no no no", max_length=8)
    (rewards,) = judge(opinions, RECORDS[:1])
    positive = plain_logp(folders["policy"], "big\n\nthe cat", " sat on the mat", max_length=6)
    negative = plain_logp(folders["policy"], "no no no\n\nthe cat", " sat on the mat", max_length=8)
    assert rewards[0] == pytest.approx(positive - negative, abs=1e-4)
    assert opinions.sentence() == "4 responses scored; 1 cut to --max-length 8"


def test_where_one_of_the_prompts_fills_the_limit_the_record_is_left_out(folders):
    assert judge(contrast(folders["policy"], "big", "no " * 20, max_length=20), RECORDS[:1]) == [None]


def test_conversations_keep_what_their_template_wants(folders):
    """The record goes to the template with its other fields, under another prompt."""
    tokenize = RecordTokenizer(models_of(folders["chat"]))
    record = {"prompt": [{"role": "user", "content": "the cat"}], "responses": [{"text": "sat"}]}
    with pytest.raises(RecordError, match="cannot be rendered"):
        tokenize(record | {"chat_template_kwargs": {"messages": None}}, [record["prompt"]])
