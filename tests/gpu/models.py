"""Random models, made where they are tested: large enough to be worth a GPU there, tiny on a CPU."""

import math
import os
import shutil
from typing import NamedTuple

from tests.gpu.assets import asset, leave_out

# Heads of 64 numbers, as flex attention and every fused kernel want them; half as many for keys and values.
LARGE = dict(hidden_size=512, intermediate_size=1408, num_hidden_layers=8, num_attention_heads=8, num_key_value_heads=4)
TINY = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2)
LARGE_ENCODER = dict(hidden_size=384, intermediate_size=1536, num_hidden_layers=6, num_attention_heads=12)
TINY_ENCODER = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4)
# Deviation of the logits: as a trained model's, so that a draw is rarely a matter of the last digits.
LOGITS = 4.0


def on_cuda():
    """Whether the tests run on a GPU."""
    import torch

    return torch.cuda.is_available()


def is_large():
    """Whether models are as large as on a GPU; REAL_GPU_LARGE=1 asks for that elsewhere, to try the bounds."""
    return on_cuda() or bool(os.environ.get("REAL_GPU_LARGE"))


class Case(NamedTuple):
    """A device and a number format, as the command line names them, and the tolerances that go with them."""

    device: str
    dtype: str

    @property
    def words(self):
        """The options that ask for it."""
        return ["--device", self.device, "--dtype", self.dtype]

    @property
    def is_exact(self):
        """Whether numbers differ from a CPU's float32 by the order of sums alone."""
        return self.dtype == "float32"

    def __str__(self):
        return f"{self.device}-{self.dtype}"


def scale_weights(model, seed):
    """Give each matrix a gain of 1, so that signal and rounding errors neither die out nor explode with depth."""
    import torch

    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 2:
                gain = LOGITS if "lm_head" in name else 1.0
                noise = torch.randn(parameter.shape, generator=draw)
                parameter.copy_(noise * gain / math.sqrt(parameter.shape[1]))


def word_tokenizer():
    """A tokenizer of the words that the pairs are made of: it loads at once, where SmolLM2's takes a second."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    from tests.bench import WORDS

    vocab = {token: index for index, token in enumerate(dict.fromkeys(["<pad>", "<end>", "<unk>", *WORDS]))}
    inner = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", eos_token="<end>", unk_token="<unk>", model_max_length=512
    )


def make_llama(folder, *, seed=0, large=False, scaled=True, dtype="float32", **changes):
    """Save a random Llama; a large one with SmolLM2's tokenizer and chat template. Returns its folder."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig

    tokenizer = AutoTokenizer.from_pretrained(asset("smollm2")) if large else word_tokenizer()
    torch.manual_seed(seed)
    sizes = {"tie_word_embeddings": False, "max_position_embeddings": 2048} | (LARGE if large else TINY) | changes
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        **sizes,
    )
    with torch.device("cpu" if scaled or not on_cuda() else "cuda"):
        model = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype))
    if scaled:
        scale_weights(model, seed)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_encoder(folder, *, large=False):
    """Save a random BERT as a sentence-transformers folder like MiniLM's; returns it."""
    import torch
    from transformers import BertConfig, BertModel

    shutil.copytree(asset("minilm"), folder, ignore=leave_out)
    torch.manual_seed(0)
    model = BertModel(BertConfig(**(LARGE_ENCODER if large else TINY_ENCODER)))
    scale_weights(model, 0)
    model.save_pretrained(folder)
    return folder
