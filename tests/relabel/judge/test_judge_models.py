"""relabel judge with real weights: a model at hand, and SmolLM2 behind an OpenAI-compatible server."""

import json
from types import SimpleNamespace
from typing import ClassVar

import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.errors import ModelError, RecordError
from real_cli.models.generate.completions import CompletionDecoder
from real_cli.models.generate.generation import LocalAnswerer
from real_cli.records.choices import Precision
from real_cli.records.questions import Completion, Question, Sampling
from tests.relabel.judge.test_judge import judge, lines, rows
from tests.servers import free_port

TEMPLATE = "{% for m in messages %}{{ m['content'] }} {% endfor %}"
PAIRS = [
    {
        "id": 1,
        "prompt": "What is the capital of France?",
        "responses": [{"text": "Paris."}, {"text": "I like cheese."}],
    },
    {"id": 2, "prompt": "Say hello.", "chosen": "Hello!", "rejected": "No."},
]
PICKS = """
name = "picks"
max_tokens = 8
[[question]]
asks = "pair"
text = \"\"\"Which response is better? Answer with the letter A or B only.
Prompt: {prompt}
A: {response_a}
B: {response_b}\"\"\"
"""
TINY = [
    {"prompt": "the cat", "responses": [{"text": "sat on the mat"}, {"text": "ran"}]},
    {"prompt": "a dog", "responses": [{"text": "no no"}, {"text": "he saw it and ran"}]},
]


def answerer(folder, batch_tokens=None):
    return LocalAnswerer(
        str(folder), device="cpu", precision=Precision.float32, batch_tokens=batch_tokens, tell=lambda words: None
    )


def question(words, limit=6, temperature=0.0):
    return Question([{"role": "user", "content": words}], str, Sampling(limit, temperature))


@pytest.fixture(scope="module")
def talker(make_tiny_policy):
    return make_tiny_policy(chat_template=TEMPLATE)


# A model at hand


def test_a_batch_answers_as_one_by_one_does(talker):
    asked = [question("the cat"), question("why the big red dog sat", 3), question("no", 12)]
    together, alone = answerer(talker)(asked), [answerer(talker, 1)([asking])[0] for asking in asked]
    assert together == alone
    assert len({completion.text for completion in together}) > 1
    assert [completion.num_prompt_tokens for completion in together] == [2, 6, 1]
    assert all(
        completion.num_completion_tokens <= each.sampling.max_tokens
        for completion, each in zip(together, asked, strict=True)
    )


class Words:
    eos_token_id = 1
    added_tokens_decoder: ClassVar[dict] = {}

    @staticmethod
    def decode(ids, **options):
        return " ".join(map(str, ids))


@pytest.mark.parametrize(
    ("new", "limit", "text", "is_cut"),
    [
        ([5, 6, 1, 0], 3, "5 6", False),
        ([5, 6, 7, 1], 3, "5 6 7", True),  # alone it would have stopped before its end was written
        ([5, 6, 7, 8], 3, "5 6 7", True),
        ([5, 6, 7], 3, "5 6 7", True),
        ([1, 0, 0], 3, "", False),
    ],
)
def test_an_answer_is_cut_where_it_would_be_alone(new, limit, text, is_cut):
    model = SimpleNamespace(generation_config=SimpleNamespace(eos_token_id=1))
    completion = CompletionDecoder(model, Words)(new, Sampling(limit), [9] * 9, continues=False)
    assert completion == Completion(text, is_cut, 9, len(text.split()))


def test_a_question_that_leaves_no_room_is_told_and_the_others_are_answered(talker):
    long, short = answerer(talker)([question("the " * 510), question("the cat")])
    assert isinstance(long, RecordError)
    assert str(long) == "the question has 510 tokens; with 6 for the answer the model holds 512"
    assert short.num_prompt_tokens == 2


def test_a_template_that_refuses_a_question_is_told(make_tiny_policy):
    folder = make_tiny_policy(chat_template="{{ raise_exception('') }}")
    (error,) = answerer(folder)([question("the cat")])
    assert str(error).startswith("the conversation cannot be rendered: ")


def test_a_model_that_does_not_talk_is_refused(tiny_policy):
    with pytest.raises(ModelError, match="it has no chat template; a model that answers questions is needed"):
        answerer(tiny_policy)([question("the cat")])


@pytest.mark.filterwarnings("default")  # of the model's libraries
def test_what_a_model_said_once_needs_no_model(tmp_path, talker, monkeypatch):
    """A random model says nothing sensible: a rubric of its own words makes it so. Its answers come from the cache."""
    import real_cli.relabel.judge.pairwise as comparing

    monkeypatch.setattr(comparing, "read_verdict", lambda text, shown, template: "A")
    words = ["-m", talker, "--device", "cpu", "--ties", "keep", "--rubric", tmp_path / "picks.toml"]
    (tmp_path / "picks.toml").write_text(PICKS)
    first, stderr = judge(tmp_path, *words, records=TINY)
    assert "2 of 2 verdicts flipped with the order (100.0%)" in stderr
    assert "; 4 answers generated, " in stderr
    monkeypatch.setattr(LocalAnswerer, "__call__", None)
    second, stderr = judge(tmp_path, *words, records=TINY)
    assert second == first
    assert "; 0 answers generated (4 taken from the cache), 0 + 0 tokens" in stderr


# A real server


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of the model's libraries
def test_behind_a_real_server_every_record_is_judged_or_names_its_reason_and_none_is_asked_about_twice(
    tmp_path, served_smollm2
):
    (tmp_path / "picks.toml").write_text(PICKS)
    words = ["-m", served_smollm2.model, "--cache", tmp_path / "cache", "--rejects", tmp_path / "rejects"]
    words += ["--rubric", tmp_path / "picks.toml", "--ties", "keep"]
    labeled, stderr = finish("judge", PAIRS, *words, "--endpoint", served_smollm2.url)
    rejected = rows(tmp_path / "rejects")
    assert sorted(row["id"] for row in [*labeled, *(row["record"] for row in rejected)]) == [1, 2], served_smollm2.log
    assert all(row["reason"].startswith("the answer names no verdict (A, B or tie): ") for row in rejected), rejected
    assert all(len(row["judge"]["answers"]) == 2 for row in labeled)
    assert " 0 calls " not in stderr
    # Nobody listens there: an answer is known by its question and its model.
    nobody = f"http://127.0.0.1:{free_port()}/v1"
    judged = [row for row in PAIRS if row["id"] in {row["id"] for row in labeled}]
    again, stderr = finish("judge", judged, *words, "--endpoint", nobody)
    assert again == labeled
    assert " 0 calls " in stderr


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of the model's libraries
def test_behind_a_real_server_a_pair_is_bridged_or_names_its_reason(tmp_path, served_smollm2):
    text = "Improve B a little, after A. {prompt} A: {chosen} B: {rejected}"
    question = f'[[question]]\nasks = "edit"\ntext = "{text}"\n'
    (tmp_path / "own.toml").write_text(f'name = "own"\nmax_tokens = 12\n{question}')
    words = ["-m", served_smollm2.model, "--cache", tmp_path / "cache", "--rejects", tmp_path / "rejects"]
    words += ["--rubric", tmp_path / "own.toml"]
    bridged, stderr = finish("bridge", PAIRS[1:], *words, "--endpoint", served_smollm2.url)
    rejected = rows(tmp_path / "rejects")
    assert [row["id"] for row in [*bridged, *(row["record"] for row in rejected)]] == [2], served_smollm2.log
    assert all(row["reason"] for row in rejected)
    assert " 0 calls " not in stderr


def finish(command, records, *words):
    """Run a command that may reject records; returns its records, and what it said."""
    words = [str(word) for word in ["relabel", command, *words]]
    result = CliRunner().invoke(app, words, input=lines(records))
    assert result.exit_code in (0, 3), result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr
