"""What models read under ten chat templates: the exact text of training, scoring, sampling and judging.

`chat/NAME/template.jinja` is a template in the manner of a family of models, written for these tests. The golden files
beside it hold what is read: `▮` stands where the prompt ends, `⟪ ⟫` around what is read and not scored, `⊣` at the end.
After a change that is right, this writes them anew; read them with `git diff` before you believe them:

    python -m tests.models.score.test_chat_templates --populate
"""

import sys
import tempfile
from pathlib import Path

import pytest

from real_cli.errors import RecordError
from real_cli.io.job import Located

CHAT = Path(__file__).parent / "chat"
POPULATE = "python -m tests.models.score.test_chat_templates --populate"
# First token, end token, whether the tokenizer puts the first one before a text, and the special tokens.
FAMILIES = {
    "llama3": ("<|begin|>", "<|eot_id|>", True, "<|start_header_id|> <|end_header_id|>"),
    "gemma": ("<bos>", "<end_of_turn>", True, "<start_of_turn>"),
    "mistral": ("<s>", "</s>", True, "[INST] [/INST] [TOOL_CALLS] [TOOL_RESULTS] [/TOOL_RESULTS] [AVAILABLE_TOOLS]"),
    "r1": ("<|begin|>", "<|end|>", True, "<|User|> <|Assistant|>"),
    "qwen3": (None, "<|im_end|>", False, "<|im_start|>"),
    "gpt-oss": ("<|startoftext|>", "<|return|>", False, "<|start|> <|message|> <|channel|> <|end|> <|call|>"),
    "chatml": ("<|im_start|>", "<|im_end|>", False, ""),
    "zephyr": ("<s>", "</s>", True, ""),
    "vicuna": ("<s>", "</s>", True, ""),
    "base": ("<s>", "</s>", True, ""),
}
USES = ("training", "scoring", "sampling", "judging")
CALL = {"type": "function", "function": {"name": "add", "arguments": {"a": 2, "b": 5}}}
RUBRIC = {
    "name": "short",
    "system": "You compare.",
    "question": [{"asks": "pair", "text": "P: {prompt}\nA: {response_a}\nB: {response_b}\nWhich?"}],
}


def say(role, content, **more):
    return {"role": role, "content": content, **more}


def pairs(first, end):
    """Records by what is doubtful in them."""
    yes, no = [say("assistant", "Yes.")], [say("assistant", "No.")]
    ask = [say("user", "Is tea hot?")]
    thought = [say("assistant", "<think>\nKettles boil.\n</think>\n\nYes.")]
    two = [say("assistant", "Yes."), say("user", "Sure?"), say("assistant", "Quite.")]
    tools = [{"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": {}}}]
    called = [say("assistant", "", tool_calls=[CALL]), say("tool", "7", name="add"), say("assistant", "It is 7.")]
    brief = say("system", "Be brief.")
    return {
        "a system message": {"prompt": [brief, *ask], "chosen": yes, "rejected": no},
        "several turns": {"prompt": [brief, *ask, *yes, say("user", "Why?")], "chosen": no, "rejected": yes},
        "a response of two turns": {"prompt": [brief, *ask], "chosen": two, "rejected": no},
        "thoughts": {"prompt": ask, "chosen": thought, "rejected": no},
        "a thought beside the words": {
            "prompt": ask,
            "chosen": [say("assistant", "Yes.", reasoning_content="Kettles boil.", thinking="Kettles boil.")],
            "rejected": no,
        },
        "thoughts alone differ": {"prompt": ask, "chosen": thought, "rejected": yes},
        "an earlier thought": {"prompt": [*ask, *thought, say("user", "Why?")], "chosen": yes, "rejected": no},
        "a tool's result": {
            "prompt": [say("user", "2 + 5?")], "chosen": called, "rejected": [say("assistant", "8.")], "tools": tools
        },
        "calls without content": {
            "prompt": ask,
            "chosen": [say("assistant", None, tool_calls=[CALL])],
            "rejected": [say("assistant", None, tool_calls=[CALL | {"function": CALL["function"] | {"name": "take"}}])],
        },
        "words beside a call": {
            "prompt": ask, "chosen": [say("assistant", "Let me see.", tool_calls=[CALL])], "rejected": no
        },
        "a user's response": {"prompt": ask, "chosen": [say("user", "Yes.")], "rejected": [say("user", "No.")]},
        "words with their own marks": {
            "prompt": [say("user", f"{first or ''}Is tea hot?")],
            "chosen": [say("assistant", f"Yes.{end}")],
            "rejected": [say("assistant", f"No.{end}\n")],
        },
        "another role": {
            "prompt": ask, "chosen": [say("poet", "Yes.")], "rejected": [say("poet", "No.")]
        },
        "an answer that is begun": {"prompt": [brief, *ask, say("assistant", "Well, ")], "chosen": yes, "rejected": no},
        "plain text": {"prompt": "Is tea hot?", "chosen": " Yes.", "rejected": " No."},
        "text with its own marks": {
            "prompt": f"{first or ''}Is tea hot?", "chosen": f" Yes.{end}", "rejected": f" No.{end}{end}"
        },
    }  # fmt: skip


def make_tokenizer(name):
    """Bytes and special tokens: what is decoded is the text, byte by byte."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    first, end, adds, others = FAMILIES[name]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(alphabet)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens([token for token in (first, end, *others.split()) if token])
    if adds:
        marks = [(first, inner.token_to_id(first))]
        inner.post_processor = processors.TemplateProcessing(single=f"{first} $A", special_tokens=marks)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, bos_token=first, eos_token=end, pad_token=end)
    path = CHAT / name / "template.jinja"
    tokenizer.chat_template = path.read_text(encoding="utf-8") if path.exists() else None
    return tokenizer


def shown(tokenizer, prompt, response=None):
    """Write ids as text."""
    parts = [tokenizer.decode(prompt)]
    if response is not None:
        parts.append("▮")
        inside = False
        run = []
        for value in [*response, None]:
            if value is None or (value < 0) != inside:
                text = tokenizer.decode([~token if inside else token for token in run])
                parts.append(f"⟪{text}⟫" if inside else text)
                inside, run = not inside, []
            run.append(value)
    return "".join(parts) + "⊣"


class Models:
    """A policy without a model: it keeps what it is asked to score."""

    names, max_length, num_passes = ("policy", "reference"), 10**6, 2

    def __init__(self, tokenizer):
        self._tokenizer = tokenizer
        self.asked = []

    def tokenizer(self, max_length):
        from real_cli.models.score.tokens import ExampleTokenizer

        return ExampleTokenizer(self._tokenizer, max_length)

    def score(self, examples):
        self.asked += examples
        return [[0.0] * len(example.responses) for example in examples]

    def refer(self, examples, scores):
        return scores


def read_training(tokenizer, record):
    """Through the trainer's own preparation, from the rows that it trains on."""
    from real_cli.models.score.tokens import ExampleTokenizer
    from real_cli.train.prepare import prepare
    from real_cli.train.settings import TrainingSettings

    settings = TrainingSettings()
    tokenize = ExampleTokenizer(tokenizer, 10**6)
    reasons = []

    def refuse(line, reason):
        reasons.append(f"refused: {reason}")

    def leave_out(line, reason):
        reasons.append(f"left out: {reason}")

    with tempfile.TemporaryDirectory() as folder:
        try:
            result = prepare(
                [Located("", record)], settings.reader(), tokenize, Path(folder) / "rows.arrow", settings,
                use_given=False, refuse=refuse, leave_out=leave_out,
            )  # fmt: skip
            rows = result.rows[:]
        except Exception:
            assert reasons
            rows = {"prompt_ids": [], "response_ids": []}
    texts = [
        shown(tokenizer, prompt, response)
        for prompt, responses in zip(rows["prompt_ids"], rows["response_ids"], strict=True)
        for response in responses
    ]
    notes = tokenize.counts.sentence(10**6)
    return [*texts, *reasons, *([f"told: {notes}"] if notes else [])]


def read_scoring(tokenizer, record):
    """Through `relabel implicit`, from what the policy is asked to score."""
    from real_cli.relabel.implicit.measure import ReferenceMeter

    models = Models(tokenizer)
    meter = ReferenceMeter(models, beta=0.1)
    try:
        list(meter([("place", meter.read(record))]))
    except RecordError as error:
        return [f"refused: {error}"]
    texts = [shown(tokenizer, item.prompt, response) for item in models.asked for response in item.responses]
    return [*texts, f"told: {meter.sentence()}"]


class Config:
    max_position_embeddings = None


def asker(tokenizer, notes):
    """A local model without a model: it renders questions."""
    from types import SimpleNamespace

    import torch

    from real_cli.models.generate.generation import LocalAnswerer
    from real_cli.records.choices import Precision

    table = torch.nn.Embedding(len(tokenizer), 1)
    model = SimpleNamespace(config=Config(), get_input_embeddings=lambda: table, get_output_embeddings=lambda: None)
    answerer = LocalAnswerer("policy", device="cpu", precision=Precision.auto, batch_tokens=None, tell=notes)
    answerer.__dict__["_loaded"] = model, tokenizer
    return answerer


def read_questions(tokenizer, inquiry):
    from real_cli.errors import ModelError

    notes = []
    answerer = asker(tokenizer, notes.append)
    try:
        result = [answerer._render(question) for question in next(inquiry)]
    except ModelError as error:
        return [f"no model for it: {error}"]
    texts = [f"refused: {ids}" if isinstance(ids, RecordError) else shown(tokenizer, ids) for ids in result]
    return [*texts, *(f"told: {line}" for line in notes)]


def read_sampling(tokenizer, record):
    """Through `sample`, from its question."""
    from real_cli.sample.modes import sample_responses
    from real_cli.sample.responses import Plan

    fields = {name: value for name, value in record.items() if name not in ("chosen", "rejected")}
    return read_questions(tokenizer, sample_responses(fields, Plan("policy")))


def read_judging(tokenizer, record):
    """Through `relabel judge` with a local model, from its first question."""
    from real_cli.llm.rubric import parse_rubric
    from real_cli.relabel.judge.pairwise import compare

    return read_questions(tokenizer, compare(record, parse_rubric(RUBRIC, "here"), {}))[:1]


READ = {"training": read_training, "scoring": read_scoring, "sampling": read_sampling, "judging": read_judging}


def read_all(name, use):
    """Make the content of a golden file."""
    tokenizer = make_tokenizer(name)
    first, end, *_ = FAMILIES[name]
    result = {title: READ[use](tokenizer, record) for title, record in pairs(first, end).items()}
    return "\n".join(f"## {title}\n\n" + "\n".join(lines) + "\n" for title, lines in result.items())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("name", FAMILIES)
def test_a_model_reads_what_it_did(name, use):
    path = CHAT / name / use
    wanted = path.read_text(encoding="utf-8") if path.exists() else ""
    assert read_all(name, use) == wanted, f"{path} differs; if that is right: {POPULATE}"


def test_there_are_ten_families_and_each_has_its_files():
    assert len(FAMILIES) == 10
    for name in FAMILIES:
        names = {path.name for path in (CHAT / name).iterdir()}
        assert names == {*USES, "template.jinja"} - ({"template.jinja"} if name == "base" else set())


if __name__ == "__main__":
    if sys.argv[1:] != ["--populate"]:
        sys.exit(f"usage: {POPULATE}")
    for family in FAMILIES:
        for what in USES:
            (CHAT / family / what).write_text(read_all(family, what), encoding="utf-8")
    print(f"{len(FAMILIES) * len(USES)} files written; read them: git diff {CHAT}")
