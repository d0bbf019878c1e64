"""`real sample` against a plain loop of `model.generate` with the same rows in a batch: tokens a second.

Ours is the whole of what the command does to records (parsing, batches by length, drawing by seeds, decoding, writing
JSON); the peer pads the prompts of one batch in the order of the input and lets the library draw. Both write as long
as the policy wants, up to a limit; tokens are counted as they are. The clock starts when the model is loaded.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import alternate, figure, hh_like, parser, write_rows


def sample_ours(job):
    """What `real sample` does with its records."""
    from real_cli.io.job import Job
    from real_cli.llm.ask import Opened, WindowInquirer
    from real_cli.llm.cache import NoCache
    from real_cli.llm.cost import Ledger
    from real_cli.models.generate.generation import LocalAnswerer
    from real_cli.records.choices import Precision
    from real_cli.records.prompts import PromptReader
    from real_cli.records.questions import Question, Sampling
    from real_cli.sample.modes import sample_responses
    from real_cli.sample.responses import Plan

    local = LocalAnswerer(
        job["model"],
        device=job["device"],
        precision=Precision(job.get("dtype", "float32")),
        batch_tokens=job["batch_tokens"],
        tell=lambda words: print(words, file=sys.stderr),
    )
    local([Question("warm", str, Sampling(2))])
    ledger = Ledger(job["model"], NoCache())
    plan = Plan(job["model"], job["responses"], Sampling(job["max_tokens"], 1.0, job["top_p"]))
    started = time.perf_counter()
    with Job([job["input"]], output=Path(job["output"]), quiet=True) as run:
        begun = run.apply(lambda record: (record, sample_responses(record, plan)), run.records(PromptReader()))
        inquire = WindowInquirer(local, ledger)
        for closed in inquire(Opened(place, record, inquiry) for place, (record, inquiry) in begun):
            run.write(closed.outcome.record)
    seconds = time.perf_counter() - started
    return {"tokens": ledger.num_completion_tokens, "seconds": seconds * job["amount"] / ledger.num_completion_tokens}


def sample_peer(job):
    """A loop over batches of prompts."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from real_cli.models.load.device import choose_device
    from real_cli.models.load.resolve import resolve_model

    path = resolve_model(job["model"])
    tokenizer = AutoTokenizer.from_pretrained(path, padding_side="left")
    dtype = getattr(torch, job.get("dtype", "float32"))
    model = AutoModelForCausalLM.from_pretrained(path, dtype=dtype).to(choose_device(job["device"])).eval()
    rows = [json.loads(line) for line in Path(job["input"]).read_text().splitlines()]
    prompts = [row["prompt"] for row in rows for _ in range(job["responses"])]
    torch.manual_seed(0)
    model.generate(**tokenizer("warm", return_tensors="pt").to(model.device), max_new_tokens=2)
    num_tokens, result = 0, []
    started = time.perf_counter()
    for start in range(0, len(prompts), job["rows"]):
        batch = tokenizer(prompts[start : start + job["rows"]], return_tensors="pt", padding=True).to(model.device)
        with torch.inference_mode():
            output = model.generate(
                **batch,
                do_sample=True,
                temperature=1.0,
                top_p=job["top_p"],
                top_k=0,
                max_new_tokens=job["max_tokens"],
                pad_token_id=tokenizer.pad_token_id,
            )
        new = output[:, batch["input_ids"].shape[1] :]
        num_tokens += int((new != tokenizer.eos_token_id).sum())
        result += tokenizer.batch_decode(new, skip_special_tokens=True)
    seconds = time.perf_counter() - started
    return {"tokens": num_tokens, "seconds": seconds * job["amount"] / num_tokens}


def print_speed(folder, options):
    """Measure ours against the peer."""
    from transformers import AutoTokenizer

    from real_cli.models.load.resolve import resolve_model

    tokenizer = AutoTokenizer.from_pretrained(resolve_model(options.model))
    records = [{"id": row["id"], "prompt": row["prompt"]} for row in hh_like(options.records)]
    write_rows(Path(folder) / "in.jsonl", records)
    lengths = [len(ids) for ids in tokenizer([row["prompt"] for row in records])["input_ids"]]
    mean = sum(lengths) / len(lengths) + options.max_tokens
    amount = options.records * options.responses * options.max_tokens
    job = {"model": options.model, "device": options.device, "top_p": options.top_p, "rows": options.rows}
    job |= {"input": f"{folder}/in.jsonl", "output": f"{folder}/out.jsonl", "max_tokens": options.max_tokens}
    # As many rows in a batch as the peer has, on average.
    job |= {
        "dtype": options.dtype,
        "responses": options.responses,
        "batch_tokens": round(options.rows * mean),
        "amount": amount,
    }
    ours, peer = alternate("tests.bench.sample", ["ours", "generate"], job, options).values()
    figure(
        "sample" if options.dtype == "float32" else f"sample --dtype {options.dtype}",
        ours,
        peer,
        amount=amount,
        unit="tokens/s",
        peer_name="a loop of model.generate, the same rows a batch",
        bar="as fast at least",
        met=lambda ratio: ratio >= 1,
        options=options,
        model=options.model,
        rows=options.rows,
        responses=options.responses,
        max_tokens=options.max_tokens,
        top_p=options.top_p,
        prompt_tokens=sum(lengths),
    )


def main():
    """Measure ours against a plain loop."""
    options = parser(records=24, rounds=2)
    options.add_argument("--model", default="smollm2")
    options.add_argument("--device", default="cpu")
    options.add_argument("--responses", type=int, default=4)
    options.add_argument("--rows", type=int, default=16, help="rows of the peer's batches")
    options.add_argument("--max-tokens", type=int, default=64)
    options.add_argument("--dtype", default="float32")
    options.add_argument("--top-p", type=float, default=1.0)
    options = options.parse_args()
    if options.side:
        sides = {"ours": sample_ours, "generate": sample_peer}
        print(json.dumps(sides[options.side](json.loads(options.job.read_text()))), file=sys.__stdout__)
        return
    with tempfile.TemporaryDirectory() as folder:
        print_speed(folder, options)


if __name__ == "__main__":
    main()
