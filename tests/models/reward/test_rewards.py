"""Reward models against transformers run one sequence at a time, and against CrossEncoder.predict."""

import json
import shutil
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.errors import ModelError, RecordError, UsageError
from real_cli.models.reward import rewards as rewards_module
from real_cli.models.reward.reward_models import RewardModel, load_reward_model
from real_cli.models.reward.reward_texts import RewardInput, check_template, places_to_keep, template_writer
from real_cli.models.reward.rewards import PairwiseRewards, PointwiseRewards, SequenceScorer, difference_matrix
from real_cli.relabel.reward.scores import antisymmetrize
from tests.reward_folders import CHAT_TEMPLATE, TOKENS, save_reward_model

pytestmark = pytest.mark.filterwarnings("default")

PAIRS = [
    ("the cat", "sat on the mat"),
    ("why", "no"),
    ("the big red dog", "ran and ran on the log and then it saw the cat but no dog saw it"),
    ("how big", "small"),
    ("", "yes"),
    ("he saw", "she heard it"),
    ("it", "it it it it"),
    ("no no no no no no no no", "then"),
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory, tiny_reward):
    """A Llama without a padding token, the same with a chat template, one with its end token as padding, a BERT."""
    make = tmp_path_factory.mktemp
    return {
        "llama": tiny_reward,
        "chat": save_reward_model(make("chat"), chat_template=CHAT_TEMPLATE),
        "padded": save_reward_model(make("padded"), chat_template=CHAT_TEMPLATE, pad_token_id=1),
        "bert": save_reward_model(make("bert"), "bert", pad_token_id=0),
        "labels": save_reward_model(make("labels"), num_labels=3),
    }


def scorer(folder, *, batch_tokens=64, **settings):
    return SequenceScorer(
        lambda: load_reward_model(str(folder), device="cpu", **settings),
        batch_tokens=batch_tokens,
        tell=lambda line: None,
    )


def candidates(prompt, *texts):
    return {"prompt": prompt, "responses": [{"text": text} for text in texts]}


def scores_of(folder, records, *, chat_template=True, **settings):
    score = scorer(folder, **settings)
    pointwise = PointwiseRewards(score, chat_template=chat_template)
    return [scores for _, _, scores in score(("", pointwise.read(record)) for record in records)], pointwise


@cache
def theirs(folder):
    """The model as transformers loads it; a pass of ours must not change it."""
    from transformers import AutoModelForSequenceClassification

    return AutoModelForSequenceClassification.from_pretrained(folder).eval()


def alone(folder, ids, label=0, **more):
    """Transformers itself, one sequence without padding."""
    import torch

    given = {name: torch.tensor([row]) for name, row in more.items()}
    with torch.no_grad():
        return theirs(folder)(torch.tensor([ids]), **given).logits[0, label].item()


@cache
def tokenizer_of(folder):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("kind", ["llama", "padded", "bert"])
def test_a_sequence_in_a_batch_gets_what_it_gets_alone(folders, kind):
    """Lengths 1 to 20, ends in every token: the padding token, the end token, token 0. transformers itself refuses a
    batch for the Llama without a padding token, and would read the wrong place if any token were set for it."""
    draw = np.random.default_rng(0)
    rows = [tuple(draw.integers(0, len(TOKENS), length).tolist()) for length in range(1, 21)]
    rows += [(5, 6, end) for end in range(len(TOKENS))]
    model = load_reward_model(str(folders[kind]), device="cpu")
    result = model.logits([RewardInput(row, ()) for row in rows])
    np.testing.assert_allclose(result, [alone(folders[kind], row) for row in rows], atol=1e-5)
    assert np.std(result) > 0.1
    ones = [model.logits([RewardInput(row, ())])[0] for row in rows]
    np.testing.assert_allclose(result, ones, atol=1e-5)


@pytest.mark.slow
def test_a_cross_encoder_gives_its_raw_logit(folders, tmp_path):
    """CrossEncoder.predict of sentence-transformers 6.2 with the identity for its activation; it was saved with a
    sigmoid, as the library does by default."""
    import torch
    from sentence_transformers import CrossEncoder

    CrossEncoder(str(folders["bert"]), device="cpu").save_pretrained(str(tmp_path / "saved"))
    library = CrossEncoder(str(tmp_path / "saved"), device="cpu")
    wanted = library.predict(PAIRS, activation_fn=torch.nn.Identity(), show_progress_bar=False)
    result, _ = scores_of(tmp_path / "saved", [candidates(prompt, text) for prompt, text in PAIRS])
    np.testing.assert_allclose(np.ravel(result), wanted, atol=1e-5)
    assert (np.abs(wanted - library.predict(PAIRS, show_progress_bar=False)) > 1e-2).any()


def test_token_types_reach_the_model(folders):
    """The same ids with other types are another score."""
    model = load_reward_model(str(folders["bert"]), device="cpu")
    ids = (3, 8, 4, 9, 10, 4)
    types = (0, 0, 0, 1, 1, 1)
    longer = RewardInput((*ids, 9), (*types, 1))
    result = model.logits([RewardInput(ids, types), longer])
    assert result[0] == pytest.approx(alone(folders["bert"], ids, token_type_ids=types), abs=1e-5)
    assert result[1] == pytest.approx(alone(folders["bert"], longer.ids, token_type_ids=longer.types), abs=1e-5)
    assert abs(result[0] - alone(folders["bert"], ids)) > 1e-3


def test_a_chat_template_renders_plain_texts_as_user_and_assistant(folders):
    records = [candidates(prompt, text) for prompt, text in PAIRS]
    conversations = [
        {
            "prompt": [{"role": "user", "content": prompt}],
            "chosen": [{"role": "assistant", "content": text}],
            "rejected": [{"role": "assistant", "content": "no"}],
        }
        for prompt, text in PAIRS
    ]
    tokenizer = tokenizer_of(folders["chat"])
    result, _ = scores_of(folders["chat"], records)
    for (prompt, text), (score,) in zip(PAIRS, result, strict=True):
        ids = tokenizer(f"<cls> <user> {prompt} <end> <assistant> {text} <end>")["input_ids"]
        assert score == pytest.approx(alone(folders["chat"], ids), abs=1e-5)
    pairs, _ = scores_of(folders["chat"], conversations)
    np.testing.assert_allclose([chosen for chosen, _ in pairs], np.ravel(result), atol=1e-5)


def test_without_the_chat_template_prompt_and_response_are_a_text_pair(folders):
    result, pointwise = scores_of(folders["chat"], [candidates("the cat", "sat")], chat_template=False)
    ids = tokenizer_of(folders["chat"])("the cat", "sat")["input_ids"]
    assert result[0][0] == pytest.approx(alone(folders["chat"], ids), abs=1e-5)
    assert pointwise.sentence() == "1 response scored (1 distinct in their windows)"


def test_a_conversation_without_a_template_loses_its_roles_and_that_is_told(folders):
    asked = {"role": "user", "content": "the cat"}
    turns = [asked, {"role": "assistant", "content": "ran"}, asked]
    result, pointwise = scores_of(folders["llama"], [candidates(turns, "sat", "no"), candidates(turns[:1], "sat")])
    words = tokenizer_of(folders["llama"])("the cat ran the cat sat")["input_ids"]
    assert result[0][0] == pytest.approx(alone(folders["llama"], words), abs=1e-5)
    assert pointwise.sentence().endswith("; 1 conversations read without their roles")


def test_what_is_too_long_loses_the_beginning_of_its_prompt(folders):
    """Seven tokens, <cls> and two <sep> among them, leave four: the response's last, and what fits of the prompt's."""
    record = candidates("the cat sat on", "the mat", "he", "he saw the cat", "a big red dog ran under it")
    left = [("sat on", "the mat"), ("cat sat on", "he"), ("", "he saw the cat"), ("", "dog ran under it")]
    result, pointwise = scores_of(folders["bert"], [record], max_length=7)
    for score, (prompt, text) in zip(result[0], left, strict=True):
        both = tokenizer_of(folders["bert"])(prompt, text)
        assert len(both["input_ids"]) == 7
        wanted = alone(folders["bert"], both["input_ids"], token_type_ids=both["token_type_ids"])
        assert score == pytest.approx(wanted, abs=1e-5)
    assert pointwise.sentence() == (
        "4 responses scored (4 distinct in their windows); 4 cut to 7 tokens, at the prompt's beginning; "
        "1 of them at a response's too"
    )


def test_a_conversation_that_is_too_long_keeps_its_first_token_and_the_response(folders):
    """<cls> <user> the cat sat <end> <assistant> no <end>, 9 tokens of which 5 may stay."""
    result, pointwise = scores_of(folders["chat"], [candidates("the cat sat", "no")], max_length=5)
    ids = tokenizer_of(folders["chat"])("<cls> <end> <assistant> no <end>")["input_ids"]
    assert result[0][0] == pytest.approx(alone(folders["chat"], ids), abs=1e-5)
    assert pointwise.sentence().endswith("1 cut to 5 tokens, at the prompt's beginning")


def test_what_just_fits_is_not_cut(folders):
    """<cls> the cat <sep> sat <sep>: six tokens."""
    for limit, is_cut in ((6, False), (5, True)):
        _, pointwise = scores_of(folders["bert"], [candidates("the cat", "sat")], max_length=limit)
        assert ("1 cut to" in pointwise.sentence()) == is_cut


def test_the_models_own_limit_holds_where_a_larger_one_is_asked_for(folders):
    assert load_reward_model(str(folders["llama"]), device="cpu", max_length=1000).max_length == 64


def test_a_robertas_positions_begin_behind_its_padding_token(tmp_path):
    """64 positions, padding token 1: positions 2 to 63 are words', 62 of them."""
    folder = save_reward_model(tmp_path / "roberta", "roberta", pad_token_id=1, num_labels=1)
    assert load_reward_model(str(folder), device="cpu").max_length == 62
    (result,), pointwise = scores_of(folder, [candidates("the cat " * 50, "sat")], chat_template=False)
    assert len(result) == 1
    assert "1 cut to 62 tokens" in pointwise.sentence()


def test_what_is_cut_is_told_by_us_alone(folders, caplog):
    import logging

    logger = logging.getLogger("transformers")
    logger.propagate, before = True, logger.propagate
    with caplog.at_level(logging.WARNING, "transformers"):
        scores_of(folders["chat"], [candidates("the cat " * 50, "sat")])
    logger.propagate = before
    assert "longer than the specified maximum" not in caplog.text


@given(st.lists(st.integers(-1, 2), min_size=1, max_size=30), st.integers(1, 30))
def test_only_beginnings_go_and_the_prompts_first(owners, limit):
    if owners.count(-1) >= limit:
        return
    kept = places_to_keep(owners, limit) if len(owners) > limit else list(range(len(owners)))
    assert len(kept) == min(limit, len(owners))
    assert kept == sorted(set(kept))
    left = {owner: [place for place in kept if owners[place] == owner] for owner in (-1, 0, 1, 2)}
    had = {owner: [place for place, ours in enumerate(owners) if ours == owner] for owner in (-1, 0, 1, 2)}
    assert left[-1] == had[-1]
    for owner in (0, 1, 2):
        assert left[owner] == had[owner][len(had[owner]) - len(left[owner]) :]
    if left[0]:
        assert (left[1], left[2]) == (had[1], had[2])
    lost = [owner for owner in (1, 2) if left[owner] != had[owner]]
    if lost:
        assert max(len(left[owner]) for owner in lost) >= max(map(len, (left[1], left[2]))) - 1


def test_a_limit_below_the_tokens_between_the_texts_is_refused(folders):
    with pytest.raises(UsageError, match="^--max-length 3: 3 tokens are not the prompt's or a response's; give more$"):
        scores_of(folders["bert"], [candidates("the cat", "sat")], max_length=3)


def test_equal_sequences_are_scored_once_and_all_get_their_score(folders, monkeypatch):
    seen = []
    logits = RewardModel.logits
    monkeypatch.setattr(RewardModel, "logits", lambda self, batch: seen.append(len(batch)) or logits(self, batch))
    records = [candidates("the cat", "sat", "ran", "sat"), candidates("the cat", "ran"), candidates("why", "ran")]
    result, pointwise = scores_of(folders["llama"], records)
    assert sum(seen) == 3
    assert result[0][0] == result[0][2] != result[0][1] == result[1][0] != result[2][0]
    assert pointwise.sentence() == "5 responses scored (3 distinct in their windows)"


def test_batches_and_windows_change_nothing_and_the_order_stays(folders, monkeypatch):
    records = [candidates(prompt, text, "no", "the mat") for prompt, text in PAIRS]
    whole, _ = scores_of(folders["llama"], records, batch_tokens=10_000)
    small, _ = scores_of(folders["llama"], records, batch_tokens=1)
    monkeypatch.setattr(rewards_module, "WINDOW_SEQUENCES", 4)
    windows, _ = scores_of(folders["llama"], records)
    np.testing.assert_allclose(small, whole, atol=1e-5)
    np.testing.assert_allclose(windows, whole, atol=1e-5)
    for (prompt, text), ours in zip(PAIRS, whole, strict=True):
        ids = tokenizer_of(folders["llama"])(prompt, text)["input_ids"]
        assert ours[0] == pytest.approx(alone(folders["llama"], ids), abs=1e-5)


def test_a_window_is_written_before_the_next_is_read(folders, monkeypatch):
    monkeypatch.setattr(rewards_module, "WINDOW_SEQUENCES", 2)
    read = []
    score = scorer(folders["llama"])
    pointwise = PointwiseRewards(score, chat_template=True)
    stream = score(("", read.append(n) or pointwise.read(candidates("the cat", "sat", "ran"))) for n in range(9))
    next(stream)
    assert read == [0]


def test_an_empty_stream_and_records_without_responses_need_no_model():
    def load():
        raise AssertionError("nothing needs a model")

    score = SequenceScorer(load, batch_tokens=None, tell=lambda line: None)
    pointwise, pairwise = PointwiseRewards(score, chat_template=True), PairwiseRewards(score, template=None)
    assert list(score([])) == []
    assert list(score([("a", pointwise.read(candidates("q"))), ("b", pairwise.read(candidates("q", "one")))])) == [
        ("a", candidates("q"), []),
        ("b", candidates("q", "one"), []),
    ]
    assert pointwise.sentence() == "0 responses scored (0 distinct in their windows)"


def test_prompt_and_response_without_a_token_are_refused(folders):
    with pytest.raises(RecordError, match="no token of prompt and response; they need a word"):
        scores_of(folders["llama"], [candidates("", "")])


def test_a_label_is_named_where_there_are_several(folders):
    ids = tokenizer_of(folders["labels"])("the cat", "sat")["input_ids"]
    for label in range(3):
        result, _ = scores_of(folders["labels"], [candidates("the cat", "sat")], label=label)
        assert result[0][0] == pytest.approx(alone(folders["labels"], ids, label), abs=1e-5)
    names = "0 LABEL_0, 1 LABEL_1, 2 LABEL_2"
    with pytest.raises(UsageError, match=f"has several labels; say with --label which is the score: {names}"):
        load_reward_model(str(folders["labels"]), device="cpu")
    with pytest.raises(UsageError, match=f"^--label 3: is no label of the model; .*{names}"):
        load_reward_model(str(folders["labels"]), device="cpu", label=3)


def test_a_model_without_a_trained_head_is_refused(tiny_policy):
    """transformers would fill the head with random numbers, and only warn."""
    with pytest.raises(ModelError, match=r"is no trained sequence classifier, its weights lack 'score.weight'"):
        load_reward_model(str(tiny_policy), device="cpu")


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        ("adapter_config.json", {}, "is a LoRA adapter; merge it"),
        ("modules.json", [{"type": "x.Transformer"}, {"type": "x.Dense"}], r"adds to it \(Transformer, Dense\)"),
        ("config_sentence_transformers.json", {"default_prompt_name": "query"}, r"\(Transformer, a default prompt\)"),
    ],
)
def test_a_folder_that_says_more_than_a_classifier_is_refused(folders, tmp_path, file, content, problem):
    folder = shutil.copytree(folders["bert"], tmp_path / "copy")
    (folder / "modules.json").write_text(json.dumps([{"type": "x.Transformer"}]))
    load_reward_model(str(folder), device="cpu")
    (folder / file).write_text(json.dumps(content))
    with pytest.raises(ModelError, match=problem):
        load_reward_model(str(folder), device="cpu")


# Two responses in one sequence


def differences_of(folder, record, template=None, **settings):
    score = scorer(folder, **settings)
    pairwise = PairwiseRewards(score, template=template)
    ((_, _, logits),) = score([("", pairwise.read(record))])
    return difference_matrix(len(record["responses"]), logits), pairwise


def test_a_pairwise_model_is_asked_about_every_ordered_pair(folders):
    """The default for a tokenizer with a separator: prompt <sep> a <sep> b, each ordered pair alone by transformers."""
    texts = ["sat on the mat", "ran", "no dog"]
    result, pairwise = differences_of(folders["bert"], candidates("the cat", *texts))
    tokenizer = tokenizer_of(folders["bert"])
    for i, first in enumerate(texts):
        for j, second in enumerate(texts):
            ids = tokenizer(f"the cat <sep> {first} <sep> {second}")["input_ids"]
            assert result[i, j] == (pytest.approx(alone(folders["bert"], ids), abs=1e-5) if i != j else 0)
    assert pairwise.sentence() == "6 ordered pairs scored (6 distinct in their windows)"
    assert np.abs(result + result.T).max() > 1e-2, "a model that is antisymmetric itself would test nothing"


def test_permuting_the_responses_permutes_the_margins(folders):
    texts = ["sat on the mat", "ran", "no dog"]
    order = [2, 0, 1]
    result, _ = differences_of(folders["bert"], candidates("the cat", *texts))
    permuted, _ = differences_of(folders["bert"], candidates("the cat", *(texts[i] for i in order)))
    np.testing.assert_allclose(antisymmetrize(permuted), antisymmetrize(result)[np.ix_(order, order)], atol=1e-6)


def test_equal_responses_have_no_margin_and_are_asked_about_once(folders):
    result, pairwise = differences_of(folders["bert"], candidates("the cat", "ran", "ran"))
    assert antisymmetrize(result)[0, 1] == 0
    assert pairwise.sentence() == "2 ordered pairs scored (1 distinct in their windows)"


def test_a_template_puts_the_three_where_it_says_and_reads_no_hole_in_a_text(folders):
    tokenizer = tokenizer_of(folders["llama"])
    write = template_writer(tokenizer, "the {response_b} big {prompt} red {response_a}")
    draft = write({"prompt": "cat {response_a}"}, ("sat", "ran"))
    assert draft.ids == tokenizer("the ran big cat {response_a} red sat")["input_ids"]
    marks = [owner for owner in draft.owners() if owner != -1]
    assert marks == [2, *[0] * (len(marks) - 2), 1]


def test_without_a_separator_the_default_is_in_words(folders):
    tokenizer = tokenizer_of(folders["llama"])
    draft = template_writer(tokenizer, None)({"prompt": "cat"}, ("sat", "ran"))
    assert draft.ids == tokenizer("cat\n\nResponse A: sat\n\nResponse B: ran")["input_ids"]


def test_a_long_pair_loses_the_prompt_and_then_the_longer_response(folders):
    """<cls> the cat <sep> he saw it <sep> no <sep>: of ten tokens seven stay, then six."""
    tokenizer = tokenizer_of(folders["bert"])
    for limit, words in ((8, "<sep> he saw it <sep> no"), (7, "<sep> saw it <sep> no")):
        result, pairwise = differences_of(folders["bert"], candidates("the cat", "he saw it", "no"), max_length=limit)
        ids = tokenizer(words)["input_ids"]
        assert len(ids) == limit
        assert result[0, 1] == pytest.approx(alone(folders["bert"], ids), abs=1e-5)
    assert pairwise.sentence().endswith("2 cut to 7 tokens, at the prompt's beginning; 2 of them at a response's too")


@pytest.mark.parametrize("template", ["{prompt} {response_a}", "{prompt} {response_a} {response_b} {prompt}", ""])
def test_a_template_needs_its_three_holes_once(template):
    with pytest.raises(UsageError, match="write {prompt}, {response_a}, {response_b} once each"):
        check_template(template)
