"""Pairs as token ids: TRL's own tokenization, and a count for everything that is cut."""

import pytest

from real_cli.errors import RecordError
from real_cli.models.score.token_counts import LeftOut
from real_cli.models.score.tokens import ExampleTokenizer
from tests.models.score.folders import change_tokenizer

TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }} {{ m['content'] }} <end> {% endfor %}"
    "{% if add_generation_prompt %}assistant {% endif %}"
)


@pytest.fixture(scope="module")
def tokenizer(tiny_policy):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_policy)


def trl_ids(tokenizer, record, max_length, tmp_path):
    """What TRL 1.16's trainer makes of a record: its prepared columns, cut as its collator cuts them."""
    from datasets import Dataset
    from transformers import AutoConfig, AutoModelForCausalLM
    from trl import DPOConfig, DPOTrainer

    model = AutoModelForCausalLM.from_config(
        AutoConfig.for_model("llama", vocab_size=64, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
                             num_attention_heads=1, num_key_value_heads=1)
    )  # fmt: skip
    args = DPOConfig(output_dir=str(tmp_path), use_cpu=True, bf16=False, report_to="none", max_length=max_length)
    trainer = DPOTrainer(
        model, ref_model=AutoModelForCausalLM.from_config(model.config), args=args,
        train_dataset=Dataset.from_list([record]), processing_class=tokenizer,
    )  # fmt: skip
    if not len(trainer.train_dataset):
        return None
    batch = trainer.data_collator([trainer.train_dataset[0]])
    rows = zip(
        batch["input_ids"].tolist(), batch["completion_mask"].tolist(), batch["attention_mask"].tolist(), strict=True
    )
    return [[(token, part) for token, part, seen in zip(*row, strict=True) if seen] for row in rows]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("max_length", [4, 6, 100])
@pytest.mark.parametrize("form", ["text", "text with its end token", "conversation"])
def test_token_ids_are_those_that_trl_makes(form, max_length, tokenizer, tmp_path):
    """The same ids, the same split, the same cut."""
    record = {"prompt": "the cat", "chosen": " sat on the mat", "rejected": " ran"}
    tokenizer.chat_template = None
    if form == "text with its end token":
        record["chosen"] += "<end>"
    if form == "conversation":
        tokenizer.chat_template = TEMPLATE
        record = {
            name: [{"role": "user" if name == "prompt" else "assistant", "content": text}]
            for name, text in record.items()
        }
    pair = ExampleTokenizer(tokenizer, max_length)(record)
    ours = None
    if not isinstance(pair, LeftOut):
        ours = [[(token, 0) for token in pair.prompt] + [(token, 1) for token in ids] for ids in pair.responses]
    assert ours == trl_ids(tokenizer, record, max_length, tmp_path)


@pytest.mark.slow
def test_what_is_cut_is_counted(tokenizer):
    """A response beyond the limit, a prompt that fills it, and one that fits."""
    tokenizer.chat_template = None
    tokenize = ExampleTokenizer(tokenizer, 4)
    assert tokenize({"prompt": "the cat", "chosen": " sat on the mat", "rejected": " ran"}).prompt == [3, 5]
    assert tokenize({"prompt": "the cat sat on the mat", "chosen": " yes", "rejected": " no"}) is LeftOut.too_long
    assert tokenize({"prompt": "the", "chosen": " yes", "rejected": " no"}).prompt == [3]
    counts = tokenize.counts
    assert (counts.num_pairs, counts.num_truncated, counts.num_too_long) == (3, 1, 1)
    assert counts.sentence(4) == "1 pair cut to --max-length 4; 1 left out: the prompt alone fills 4 tokens"


@pytest.mark.slow
def test_a_conversation_without_a_chat_template_is_a_bad_record(tokenizer):
    """One line that says what is wrong, not a traceback of the library."""
    tokenizer.chat_template = None
    turn = [{"role": "user", "content": "why"}]
    with pytest.raises(RecordError, match="no chat template"):
        ExampleTokenizer(tokenizer, 9)({"prompt": turn, "chosen": turn, "rejected": turn})


@pytest.mark.slow
def test_a_copy_that_cannot_be_told_from_the_response_any_more_is_left_out_and_counted(tokenizer):
    """Cut to three tokens both are "the sat on"; one that ends sooner stays, with its degree."""
    tokenizer.chat_template = None
    record = {"prompt": "the", "chosen": " sat on the mat", "rejected": " ran"}
    tokenize = ExampleTokenizer(tokenizer, 3)
    texts = [record["chosen"], record["rejected"], " sat on the", " sat"]
    tokens, degrees = tokenize.with_copies(record, texts, [0, 0, 1, 2])
    assert degrees == [0, 0, 2]
    assert tokens.responses[:2] == tokenize(record).responses
    assert len(tokens.responses) == 3
    assert tokenize.counts.num_copies_left_out == 1
    assert "1 degraded copies left out" in tokenize.counts.sentence(3)


@pytest.mark.slow
@pytest.mark.parametrize("adds", ["nothing", "first", "last", "both"])
@pytest.mark.parametrize("end", ["", "<end>", "<end><end>", "<end>\n"])
@pytest.mark.parametrize("begin", ["", "<unk>", "<unk><unk>"])
def test_first_and_end_tokens_stand_once_whoever_brings_them(begin, end, adds, make_tiny_policy):
    """A tokenizer that puts nothing before a text leaves out what the text does not bring."""
    from transformers import AutoTokenizer

    folder = make_tiny_policy()
    change_tokenizer(
        folder,
        lambda tokenizer: setattr(tokenizer, "bos_token", "<unk>"),
        begins="<unk>" if adds in ("first", "both") else None,
        ends="<end>" if adds in ("last", "both") else None,
    )
    tokenizer = AutoTokenizer.from_pretrained(folder)
    record = {"prompt": f"{begin}the cat", "chosen": f" sat{end}", "rejected": f" ran{end}"}
    example = ExampleTokenizer(tokenizer, 9)(record)
    words = [tokenizer.convert_ids_to_tokens(ids) for ids in (example.prompt, *example.responses)]
    first = ["<unk>"] if begin or adds in ("first", "both") else []
    assert words == [[*first, "the", "cat"], ["sat", "<end>"], ["ran", "<end>"]]
