"""real embed: add an embedding to each response."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from real_cli.cli.guard import guarded
from real_cli.cli.options import (
    Base,
    BatchTokens,
    Device,
    Dtype,
    Files,
    InputFormatOption,
    MaxLineBytes,
    OnErrorOption,
    Output,
    Quiet,
    Rejects,
)
from real_cli.embed.choices import Field, Pooling
from real_cli.errors import Status, UsageError
from real_cli.io.job import Job
from real_cli.io.jsonl import MAX_LINE_BYTES
from real_cli.io.progress import speaker
from real_cli.io.sources import SourceOptions
from real_cli.records.choices import Encoding, OnError, Precision


@guarded
def embed(
    files: Files = None,
    *,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            help="A sentence-transformers encoder or a causal language model: a folder, a .gguf file, a hub name, "
            "minilm or smollm2.",
        ),
    ] = "minilm",
    field: Annotated[
        Field, typer.Option("--field", help="What to embed; of a prompt all but its system messages.")
    ] = Field.responses,
    max_length: Annotated[
        int | None,
        typer.Option(
            "--max-length",
            metavar="N",
            min=1,
            show_default="the encoder's own; 512 for a language model",
            help="Tokens of a text that count. Longer texts are cut, counted and told.",
        ),
    ] = None,
    pooling: Annotated[
        Pooling | None,
        typer.Option("--pooling", show_default="mean", help="Language models: mean of all tokens, or the last one."),
    ] = None,
    layer: Annotated[
        int | None,
        typer.Option(
            "--layer", metavar="N", show_default="-1", help="Language models: the hidden layer to read; -1 is the last."
        ),
    ] = None,
    encoding: Annotated[
        Encoding,
        typer.Option(
            "--encoding",
            help="How an embedding is written: JSON numbers, or base64 (a third of the size; float16 a sixth).",
        ),
    ] = Encoding.array,
    shard: Annotated[
        str | None,
        typer.Option(
            "--shard",
            metavar="I/N",
            show_default=False,
            help="Embed the I-th of N shards, split by prompt; `cat` merges them; the last "
            "digits may differ from those of one run.",
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            "--resume",
            metavar="FILE",
            show_default=False,
            help="Append to FILE what is not in it yet: go on after a run that was killed.",
        ),
    ] = None,
    batch_tokens: BatchTokens = None,
    device: Device = "auto",
    dtype: Dtype = Precision.auto,
    base: Base = None,
    output: Output = None,
    on_error: OnErrorOption = OnError.fail,
    rejects: Rejects = None,
    input_format: InputFormatOption = None,
    max_line_bytes: MaxLineBytes = MAX_LINE_BYTES,
    quiet: Quiet = False,
) -> Status:
    """Add an embedding to each response.

    Reads candidates or pairs of any known layout, writes candidates. A causal language model is read as REAL does:
    the response alone (no prompt, no chat template), last hidden layer, mean over its tokens.

    Streams, in windows of about 4,000 texts: memory does not grow with the input.

    \b
    Examples:
      real embed hh.jsonl | real pair --strategy easy --keep 50% > easy.jsonl
      real embed --model smollm2 --max-length 512 --encoding base64 shp.jsonl.gz -o embedded.jsonl
      real embed --resume embedded.jsonl candidates.jsonl
    """
    from real_cli.embed.embedder import Embedder
    from real_cli.embed.encoders import load_encoder
    from real_cli.io.resume import remaining
    from real_cli.records.layouts import adapt, adapt_prompt
    from real_cli.records.shards import in_shard, parse_shard

    if resume is not None and output is not None:
        raise UsageError("--resume FILE appends to FILE; leave out --output")
    part = parse_shard(shard)
    job = Job(
        files or [],
        output=resume or output,
        append=resume is not None,
        on_error=on_error,
        rejects=rejects,
        quiet=quiet,
        max_line_bytes=max_line_bytes,
        reading=SourceOptions(input_format),
    )
    load = partial(
        load_encoder, model, device=device, precision=dtype, max_length=max_length, pooling=pooling, layer=layer
    )
    embedder = Embedder(load, field=field, encoding=encoding, batch_tokens=batch_tokens, told=speaker(quiet))
    with job:
        located = job.records(adapt_prompt if field is Field.prompt else adapt)
        wanted = (item for item in located if in_shard(item.record, part))
        for record in embedder(remaining(wanted, resume, embedder.before.check)):
            job.write(record)
        job.summary = embedder.sentence()
    return job.status
