"""What a model must not read wrongly, through the commands: ids, templates, equal tokens, tool results, batches."""

import shutil

import orjson
import pytest

from tests.models.score.folders import change_tokenizer
from tests.train.training import run, train

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

PLAIN = "{% for m in messages %}{{ m['role'] }} {{ m['content'] }} <end> {% endfor %}{% if add_generation_prompt %}"
CHAT = PLAIN + "assistant {% endif %}"
# Knows two roles; what others say is not rendered.
DEAF = CHAT.replace("%}{{ m['role']", "%}{% if m['role'] in ('user', 'assistant') %}{{ m['role']", 1).replace(
    "<end> {% endfor", "<end> {% endif %}{% endfor"
)
TEXT = {"prompt": "the cat", "chosen": " sat on the mat", "rejected": " ran"}
MARKED = {"prompt": "the <tool> cat", "chosen": " sat", "rejected": " ran"}


def turn(text, role="assistant", **more):
    return [{"role": role, "content": text, **more}]


def talk(prompt, chosen, rejected, role="assistant"):
    return {"prompt": turn(prompt, "user"), "chosen": turn(chosen, role), "rejected": turn(rejected, role)}


def measure(policy, *words, rows, reference=None, status=0):
    lines, messages = run("eval", "margin", "-p", policy, "-r", reference or policy, *words, rows=rows, status=status)
    return (lines[0] if lines else None), messages


@pytest.fixture(scope="module")
def more_tokens(make_tiny_policy):
    """A tokenizer to which two special tokens were added, one of them for padding, and a model that was not resized."""
    folder = make_tiny_policy()
    change_tokenizer(folder, lambda t: t.add_special_tokens({"additional_special_tokens": ["<tool>"]}))
    change_tokenizer(folder, lambda t: t.add_special_tokens({"pad_token": "<filler>"}))
    return folder


@pytest.mark.parametrize("command", ["eval margin", "train-dpo", "relabel implicit", "sample"])
def test_a_token_without_an_embedding_is_told_on_load_and_refused_where_it_is_used(command, more_tokens, tmp_path):
    words = {
        "eval margin": ["-p", more_tokens, "-r", more_tokens],
        "train-dpo": ["-p", more_tokens, "-o", tmp_path / "out", "--max-steps", "1", "--batch-size", "2"],
        "relabel implicit": ["-p", more_tokens, "-r", more_tokens],
        "sample": ["-p", more_tokens, "--max-tokens", "2", "--append"],
    }[command]
    words += ["--on-error", "skip", "--rejects", tmp_path / "rejects"]
    _, messages = run(*command.split(), *words, rows=[TEXT, MARKED, TEXT | {"chosen": " sat"}], status=3)
    assert "2 tokens of its tokenizer have no embedding" in messages
    (reject,) = [orjson.loads(line) for line in (tmp_path / "rejects").read_bytes().splitlines()]
    assert reject["place"] == "<stdin>:2"
    assert "'<tool>' has no embedding" in reject["reason"]


@pytest.mark.parametrize("command", ["eval margin", "train-dpo", "relabel implicit"])
def test_a_template_that_renders_nothing_of_a_response_is_told_with_the_role(command, make_tiny_policy, tmp_path):
    policy = make_tiny_policy(chat_template=DEAF)
    row = talk("the cat", "sat", "ran", role="poet")
    for rejected in (row["rejected"], turn("ran")):
        words = {"train-dpo": ["-o", tmp_path / "out"]}.get(command, ["-r", policy])
        _, messages = run(*command.split(), "-p", policy, *words, rows=[row | {"rejected": rejected}], status=1)
        assert "<stdin>:1: the chat template renders nothing of a message whose role is 'poet'" in messages


@pytest.mark.parametrize("command", ["eval margin", "sample"])
def test_a_system_message_that_a_template_leaves_out_is_refused(command, make_tiny_policy):
    policy = make_tiny_policy(chat_template=DEAF)
    row = talk("the cat", "sat", "ran")
    row["prompt"] = turn("big", "system") + row["prompt"]
    words = {"sample": ["--append"]}.get(command, ["-r", policy])
    status = 3 if command == "sample" else 1  # what is asked for goes on, as after a question without an answer
    _, messages = run(*command.split(), "-p", policy, *words, rows=[row], status=status)
    assert "renders nothing of a message whose role is 'system'" in messages


@pytest.mark.parametrize("order", [1, -1])
def test_eval_margin_refuses_a_reference_of_another_vocabulary(order, make_tiny_policy):
    policy, other = make_tiny_policy(), make_tiny_policy()

    def swap(content):
        vocab = content["model"]["vocab"]
        vocab["cat"], vocab["dog"] = vocab["dog"], vocab["cat"]

    path = other / "tokenizer.json"
    content = orjson.loads(path.read_bytes())
    swap(content)
    path.write_bytes(orjson.dumps(content))
    first, second = [policy, other][::order]
    _, stderr = measure(first, rows=[TEXT], reference=second, status=1)
    assert "its tokenizer is not the policy's, 2 tokens differ" in stderr
    _, stderr = run("eval", "margin", "-p", first, "-p", second, "-r", first, rows=[TEXT | {"prompt": "the"}], status=1)
    assert "its tokenizer is not that of" in stderr


def test_text_that_brings_its_own_first_and_last_token_has_one_of_each(make_tiny_policy, tmp_path):
    """A tokenizer that adds both; the numbers are those of the text without them."""
    policy = make_tiny_policy()
    change_tokenizer(policy, None, begins="<unk>", ends="<end>")
    bare = {"prompt": "the cat", "chosen": " sat on the mat", "rejected": " ran"}
    full = {"prompt": "<unk>the cat", "chosen": " sat on the mat<end>", "rejected": " ran<end>"}
    other = make_tiny_policy(seed=4)
    change_tokenizer(other, None, begins="<unk>", ends="<end>")
    ours, _ = measure(policy, "--rows", tmp_path / "a", rows=[bare], reference=other)
    theirs, _ = measure(policy, "--rows", tmp_path / "b", rows=[full], reference=other)
    assert ours["margin"] == pytest.approx(theirs["margin"], abs=1e-5)
    row = orjson.loads((tmp_path / "a").read_bytes())
    assert (row["num_tokens_chosen"], row["num_tokens_rejected"]) == (5, 2)
    words = ["sample", "-p", policy, "--greedy", "--max-tokens", "4"]
    texts = [run(*words, rows=[{"prompt": prompt}])[0][0]["responses"][0]["text"] for prompt in ("the", "<unk>the")]
    plain = make_tiny_policy()
    change_tokenizer(plain, None, begins="<unk>")
    (alone,), _ = run("sample", "-p", plain, "--greedy", "--max-tokens", "4", rows=[{"prompt": "the"}])
    assert texts == [alone["responses"][0]["text"]] * 2


@pytest.mark.parametrize("command", ["eval margin", "train-dpo"])
@pytest.mark.parametrize("why", ["cut", "thoughts", "calls"])
def test_pairs_that_became_the_same_tokens_are_counted_and_left_out(command, why, make_tiny_policy, tmp_path):
    template = CHAT.replace("{{ m['content'] }}", "{{ (m['content'] or '').split('</think>')[-1] }}")
    policy = make_tiny_policy(chat_template=template)
    row = {
        "cut": talk("the cat", "sat on the mat and then it ran", "sat on the mat and then it saw"),
        "thoughts": talk("the cat", "<think> yes </think> sat", "<think> no </think> sat"),
        "calls": talk("the cat", None, None),
    }[why]
    if why == "calls":
        for name in ("chosen", "rejected"):
            row[name][0]["tool_calls"] = [{"type": "function", "function": {"name": name, "arguments": {}}}]
    rows = [talk("the cat", "sat", "ran"), row]
    words = ["--max-length", "9"]
    if command == "eval margin":
        summary, messages = measure(policy, *words, rows=rows)
        assert (summary["num_pairs"], summary["num_same_tokens"]) == (1, 1)
    else:
        lines, messages = train(policy, tmp_path / "out", rows, *words)
        assert lines[-1]["num_pairs"] == 1
    assert "1 left out: chosen and rejected are the same tokens" in messages
    assert ("strips thoughts of 1 pair" in messages) == (why == "thoughts")
    assert ("renders no tool calls of 1 pair" in messages) == (why == "calls")


@pytest.mark.parametrize(
    ("changes", "role", "words"),
    [
        (("assistant {%", "assistant yes {%"), "assistant", "1 prompt ended sooner: the chat template asks for"),
        (("", ""), "she", "1 prompt ended sooner: the chat template asks for"),
        (
            ("{{ m['role'] }} {{", "{% if loop.last %}big {% endif %}{{ m['role'] }} {{"),
            "assistant",
            "1 prompt rendered otherwise",
        ),
        (("<end> {% endfor", "{% endfor"), "assistant", "never ends a turn: 1 pair"),
    ],
)
def test_each_trouble_of_a_template_has_its_own_words(changes, role, words, make_tiny_policy):
    policy = make_tiny_policy(chat_template=CHAT.replace(*changes))
    _, messages = measure(policy, rows=[talk("the cat", "sat on", "ran", role=role)])
    assert "merge" not in messages
    assert words in messages


def test_tool_results_inside_a_response_are_read_and_not_scored(make_tiny_policy, tmp_path):
    """The call and the answer count; what the tool said, and the headers around it, do not."""
    policy = make_tiny_policy(chat_template=CHAT)
    tool = turn("red log and blue mat", "tool")
    row = talk("the cat", "", "ran")
    row["chosen"] = turn("why the dog") + tool + turn("it ran")
    _, messages = measure(policy, "--rows", tmp_path / "rows", rows=[row])
    # "why the dog <end>" and "it ran <end>"; the rejected one is "ran <end>".
    scored = orjson.loads((tmp_path / "rows").read_bytes())
    assert (scored["num_tokens_chosen"], scored["num_tokens_rejected"]) == (7, 2)
    assert "tool results and other context inside the responses of 1 pair" in messages


def test_every_pair_of_a_step_weighs_the_same_in_every_split(tiny_policy, pair_rows, tmp_path):
    """Three pairs once, as two and one, and one by one: the same losses, the same weights in the end."""
    from safetensors.torch import load_file

    result = {}
    for size, steps in ((3, 1), (2, 2), (1, 3)):
        words = ["--batch-size", size, "--gradient-accumulation", steps, "--optimizer", "sgd", "--order", "given"]
        words += ["--epochs", "2", "--loss", "dpo,sft", "--learning-rate", "0.1"]
        lines, _ = train(tiny_policy, tmp_path / f"{size}", pair_rows[:3], *words)
        result[size] = [line["loss"] for line in lines], load_file(tmp_path / f"{size}" / "model.safetensors")
    shutil.rmtree(tmp_path / "1")
    for size in (2, 1):
        assert result[size][0] == pytest.approx(result[3][0], abs=1e-5)
        assert max(float((result[3][1][name] - value).abs().max()) for name, value in result[size][1].items()) < 1e-5


def test_every_held_out_pair_weighs_the_same_in_every_batch_size(tiny_policy, make_tiny_policy, pair_rows, tmp_path):
    held_out = tmp_path / "held.jsonl"
    held_out.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in pair_rows[:3]))
    losses = []
    for size in (3, 2, 1):
        words = ["--eval-file", held_out, "--batch-size", size, "--max-steps", "1", "--learning-rate", "1e-12"]
        lines, _ = train(tiny_policy, tmp_path / f"{size}", pair_rows[3:], *words, "--loss", "simpo")
        losses += [line["eval_loss"] for line in lines if "eval_loss" in line]
    assert losses == pytest.approx([losses[0]] * 3, abs=1e-5)


@pytest.mark.parametrize("command", ["eval margin", "train-dpo", "relabel implicit"])
def test_a_reference_without_an_embedding_that_the_policy_has_is_refused(
    command, make_tiny_policy, more_tokens, tmp_path
):
    policy = make_tiny_policy(vocab_size=64)
    change_tokenizer(policy, lambda t: t.add_special_tokens({"additional_special_tokens": ["<tool>"]}))
    change_tokenizer(policy, lambda t: t.add_special_tokens({"pad_token": "<filler>"}))
    words = ["-o", tmp_path / "out"] if command == "train-dpo" else []
    _, messages = run(*command.split(), "-p", policy, "-r", more_tokens, *words, rows=[TEXT], status=1)
    assert "it has 29 embeddings, and none for 2 tokens of the policy" in messages


def test_of_a_ranking_the_best_of_equal_tokens_stays(tiny_policy, tmp_path):
    """Cut to six tokens the second is the first; a ranking of which one is left is left out."""
    texts = [" sat on the mat and ran", " sat on the mat and then", " no"]
    rows = [
        {"prompt": "the", "responses": [{"text": text, "score": 3 - place} for place, text in enumerate(ours)]}
        for ours in (texts, texts[:2])
    ]
    lines, messages = train(tiny_policy, tmp_path / "out", rows, "--loss", "pro", "--max-length", "6")
    assert lines[-1]["num_pairs"] == 1
    assert "1 response of rankings left out: the same tokens as a better one" in messages
    assert "1 left out: chosen and rejected are the same tokens" in messages


def test_what_a_prompt_loses_in_a_template_is_told_once_where_a_model_answers(make_tiny_policy):
    template = CHAT.replace("{{ m['content'] }}", "{{ m['content'].split('</think>')[-1] }}")
    prompt = turn("why", "user") + turn("<think> red </think> yes") + turn("how", "user")
    rows = [{"prompt": prompt, "tools": [{"type": "function", "function": {"name": "add"}}]}] * 2
    words = ["sample", "-p", make_tiny_policy(chat_template=template), "--max-tokens", "2"]
    _, messages = run(*words, rows=rows)
    assert messages.count("the chat template strips thoughts of earlier turns") == 1
    assert messages.count("the chat template describes no tools; the policy does not know them") == 1


@pytest.mark.parametrize("command", ["relabel implicit", "eval margin"])
def test_a_context_that_a_response_holds_is_scored_as_if_it_stood_in_the_prompt(command, make_tiny_policy, tmp_path):
    """What follows a tool's result is as probable as a response to all before it, in both layouts."""
    policy, other = make_tiny_policy(chat_template=CHAT), make_tiny_policy(seed=3, chat_template=CHAT)
    tool, before, after = turn("red log", "tool"), turn("why the dog"), turn("it ran")
    prompt = turn("the cat", "user")
    rows = [
        {"prompt": prompt, "chosen": before + tool + after, "rejected": turn("no")},
        {"prompt": prompt, "chosen": before, "rejected": turn("no")},
        {"prompt": prompt + before + tool, "chosen": after, "rejected": turn("no")},
    ]
    for layout in ("shared", "plain"):
        words = ["-p", policy, "-r", other, "--layout", layout]
        if command == "eval margin":
            run("eval", "margin", *words, "--rows", tmp_path / layout, rows=rows)
            matches = [orjson.loads(line) for line in (tmp_path / layout).read_bytes().splitlines()]
            parts = [row["num_tokens_chosen"] for row in matches]
            assert parts == [7, 4, 3]
        else:
            output, _ = run("relabel", "implicit", *words, rows=rows)
            whole, first, last = (record["score_chosen"] for record in output)
            assert whole == pytest.approx(first + last, abs=1e-4)
            assert abs(last) > 1e-3
