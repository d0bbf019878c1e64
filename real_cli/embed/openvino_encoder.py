"""Encoders compiled by OpenVINO: on a CPU with bfloat16 units about three times as fast as torch's float32.

The model is loaded, checked and tokenized for as always; OpenVINO compiles what torch traced of it, pooling included,
anew in each run. It is an extra, and only encoders that were seen to come through it whole are handed to it.
"""

import sys
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from real_cli.embed.encoders import Encoder, TransformerEncoder
from real_cli.errors import ModelError, UsageError
from real_cli.models.load.device import Place
from real_cli.models.load.loading import loading
from real_cli.records.choices import Precision

# Values of `model_type` whose vectors were compared with torch's. OpenVINO 2026.4 ends the whole process (SIGFPE) when
# it compiles rotary positions for bfloat16, as nomic_bert, eurobert, qwen3 and llama have them.
CONVERTIBLE = (
    "bert",
    "roberta",
    "xlm-roberta",
    "camembert",
    "distilbert",
    "mpnet",
    "albert",
    "electra",
    "deberta-v2",
)
# OpenVINO's names of a number format: as a hint for inference, and as a capability of the processor.
FORMATS = {torch.float32: ("f32", "FP32"), torch.bfloat16: ("bf16", "BF16"), torch.float16: ("f16", "FP16")}
# Embedded by both before anything else is: of several lengths, none of which the trace saw.
PROBES = ("yes", "a cat sat on the mat", "one two three four five six seven eight nine ten " * 30)
# MiniLM in bfloat16 has 0.9999; what a trace has frozen wrongly has far less.
LEAST_COSINE = 0.999


def check_convertible(name: str, model_type: str | None) -> None:
    """Refuse a kind of model that was not seen to work."""
    if model_type not in CONVERTIBLE:
        kind = f"is of the kind {model_type}" if model_type else "is a language model"
        known = f"encoders of the kinds {', '.join(CONVERTIBLE)}"
        raise ModelError(f"model '{name}': {kind}, and --backend openvino runs {known}; leave --backend out")


class OpenvinoEncoder:
    """An encoder of transformers, compiled: the same tokens, pooling and normalization."""

    def __init__(self, encoder: TransformerEncoder, place: Place) -> None:
        self.place = place
        self.max_length = encoder.max_length
        self.prepare = encoder.prepare
        self._padded = encoder.padded
        self._request = _compiled(encoder, place).create_infer_request()

    def encode(self, inputs: Sequence[list[int]]) -> NDArray[np.float32]:
        """Embed one batch of token ids; shape (batch, dim)."""
        result = self._request.infer(list(self._padded(inputs)), share_inputs=True)
        return np.array(result[0], dtype=np.float32)  # a copy: the next batch overwrites it


class PooledModel(torch.nn.Module):  # type: ignore[misc] # torch is not type-checked here
    """A model and its pooling, as one thing to trace."""

    def __init__(self, encoder: TransformerEncoder) -> None:
        super().__init__()
        self.model = encoder.model
        self._pooled = encoder.pooled

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:
        """Embed a padded batch; shape (batch, dim)."""
        return self._pooled(input_ids, attention_mask)


def compile_encoder(name: str, encoder: Encoder, precision: Precision) -> OpenvinoEncoder:
    """Compile a float32 encoder on the CPU, and see that its vectors stay what they are."""
    if not isinstance(encoder, TransformerEncoder):
        raise ModelError(f"model '{name}': only sentence-transformers runs it as it was made; leave --backend out")
    place = Place(torch.device("cpu"), _choose_format(precision))
    with loading(name):
        try:
            compiled = OpenvinoEncoder(encoder, place)
            inputs = encoder.prepare(list(PROBES)).inputs
            cosine = _least_cosine(encoder.encode(inputs), compiled.encode(inputs))
        except RuntimeError as error:  # its own have a trace of many lines
            raise ModelError(f"model '{name}': openvino cannot run it; leave --backend out") from error
    if not cosine >= LEAST_COSINE:  # NaN too
        raise ModelError(
            f"model '{name}': openvino's vectors are not torch's (cosine {cosine:.3f}); leave --backend out, or give "
            "--dtype float32"
        )
    return compiled


def _choose_format(precision: Precision) -> torch.dtype:
    """Choose a number format: bfloat16 where the processor computes in it, else float32."""
    native = _library().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if precision is Precision.auto:
        return torch.bfloat16 if FORMATS[torch.bfloat16][1] in native else torch.float32
    dtype: torch.dtype = getattr(torch, precision.value)
    if FORMATS[dtype][1] not in native:
        raise UsageError(f"--dtype {precision.value}: this processor does not compute in it by openvino; take float32")
    return dtype


def _compiled(encoder: TransformerEncoder, place: Place) -> Any:
    openvino = _library()
    example = tuple(map(torch.from_numpy, encoder.padded([[1, 2, 3, 4, 5], [1, 2, 3]])))
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing: what it froze shows in the vectors, which are compared
        graph = openvino.convert_model(PooledModel(encoder), example_input=example)
    settings = {
        "INFERENCE_PRECISION_HINT": FORMATS[place.dtype][0],
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,
    }
    return openvino.Core().compile_model(graph, "CPU", settings)


def _least_cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return float(((first * second).sum(axis=1) / lengths).min())


def _library() -> Any:
    """Import openvino without openvino_telemetry, which reports each import to a server; it can do without."""
    before = sys.modules.get("openvino_telemetry")
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment] # an import of it fails, and a stub steps in
    try:
        import openvino
    finally:
        if before is None:
            del sys.modules["openvino_telemetry"]
        else:
            sys.modules["openvino_telemetry"] = before
    return openvino
