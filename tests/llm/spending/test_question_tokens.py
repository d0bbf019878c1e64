"""Estimated tokens against real tokenizers, and counted ones against the model's own rendering."""

import pytest

from real_cli.llm.spending.tokens import CountedTokens, EstimatedTokens, choose_counter, estimate_tokens
from real_cli.records.questions import Question

PROSE = (
    "The museum opens at nine. Visitors who come early find the halls empty, and the guards are glad to talk about the "
    "paintings; by noon there is a queue at every door, and nobody hears a word. "
)
TEXTS = {
    "prose": PROSE,
    "code": "def area(width, height):\n"
    "    if width < 0:\n"
    "        raise ValueError('width')\n"
    "    return width * height\n",
    "rows": '{"id": 17, "prompt": "Which is larger?", "score": 0.125, "tags": ["size", "plain"]}\n',
    "numbers": "3, 14, 159, 2653, 58979, 323846, 2643383, 27950288\n",
    "capitals": "PLEASE READ THE WHOLE TEXT BEFORE YOU ANSWER. ",
    "German": "Das Museum öffnet um neun Uhr; wer früh kommt, findet die großen Säle noch fast leer vor. ",
    "Turkish": "Müze saat dokuzda açılıyor; erken gelen ziyaretçiler salonları neredeyse boş buluyor. ",  # noqa: RUF001
    "Russian": "Музей открывается в девять часов, и ранние посетители видят пустые залы. ",
    "Arabic": "يفتح المتحف أبوابه في التاسعة صباحا، ومن يأتي مبكرا يجد القاعات فارغة. ",
    "Hindi": "संग्रहालय सुबह नौ बजे खुलता है और जल्दी आने वालों को कमरे खाली मिलते हैं। ",
    "Chinese": "博物馆九点开门，早来的游客会看到空荡荡的展厅。",  # noqa: RUF001
    "Japanese": "美術館は九時に開きます。早く来た人は静かな部屋を見ることができます。",
    "Korean": "박물관은 아홉 시에 문을 열고 일찍 온 손님은 빈 방을 보게 됩니다. ",
    "signs": "😀 ok 👍🏽 !!! ??? --- *** ",
}


@pytest.fixture(scope="module")
def smollm2():
    pytest.importorskip("gguf")
    from real_cli.models.load.loading import load_tokenizer
    from real_cli.models.load.resolve import resolve_model

    return load_tokenizer("smollm2", resolve_model("smollm2"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", TEXTS)
def test_a_real_tokenizer_counts_within_the_range(smollm2, kind):
    """SmolLM2's is of few tokens, 49,152: what others count lies lower."""
    text = TEXTS[kind] * 20
    count = len(smollm2(text)["input_ids"])
    estimate = estimate_tokens(text)
    assert estimate.low <= count <= estimate.high


@pytest.mark.slow
def test_of_english_the_likeliest_is_near(smollm2):
    for text in (PROSE * 20, TEXTS["rows"] * 20):
        assert estimate_tokens(text).value == pytest.approx(len(smollm2(text)["input_ids"]), rel=0.3)


# Of 20 times each text, counted once by the published encodings of GPT-4o, Llama 3 and Qwen 3.
PUBLISHED = {
    "prose": (841, 841, 841),
    "code": (520, 500, 500),
    "rows": (620, 620, 680),
    "numbers": (600, 600, 1020),
    "capitals": (221, 221, 221),
    "German": (441, 501, 481),
    "Turkish": (462, 402, 562),
    "Russian": (441, 481, 501),
    "Arabic": (461, 601, 581),
    "Hindi": (383, 761, 1381),
    "Chinese": (400, 440, 320),
    "Japanese": (520, 420, 380),
    "Korean": (521, 541, 620),
    "signs": (181, 222, 181),
}


@pytest.mark.parametrize(("kind", "counts"), PUBLISHED.items())
def test_the_tokenizers_of_well_known_models_count_within_the_range(kind, counts):
    estimate = estimate_tokens(TEXTS[kind] * 20)
    assert estimate.low <= min(counts)
    assert max(counts) <= estimate.high


def question(text, **changes):
    return Question([{"role": "system", "content": "Judge."}, {"role": "user", "content": text}], str, **changes)


def test_a_range_grows_with_text_messages_and_schema():
    estimate = EstimatedTokens()
    short, long = estimate(question("a")), estimate(question("a" * 90))
    assert [high - low for low, high in zip(short, long, strict=True)] == pytest.approx([16, 20, 41], abs=1)
    held = estimate(question("a", schema={"type": "object"}))
    assert held[:2] == short[:2]
    assert held.high > short.high
    assert estimate(Question("a", str)).high < short.high


@pytest.mark.slow
def test_a_tokenizer_at_hand_counts_as_the_model_reads(smollm2):
    counter = choose_counter("smollm2", is_local=True)
    messages = question(PROSE).messages
    rendered = smollm2.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    count = len(smollm2(rendered, add_special_tokens=False)["input_ids"])
    assert set(counter(question(PROSE))) == {count}
    assert set(counter(Question("Once upon", str))) == {len(smollm2("Once upon")["input_ids"])}


def test_a_served_folder_counts_by_its_template_and_other_names_are_looked_up_in_no_network(make_tiny_policy, tmp_path):
    template = "{% for m in messages %}{{ m.content }} {% endfor %}"
    folder = make_tiny_policy(chat_template=template)
    counter = choose_counter(str(folder), is_local=False)
    assert isinstance(counter, CountedTokens)
    assert set(counter(Question("the cat sat", str))) == {3}
    for name in ("gpt-4o-mini", "nobody/has-this-model", str(tmp_path), "."):
        assert isinstance(choose_counter(name, is_local=False), EstimatedTokens)
