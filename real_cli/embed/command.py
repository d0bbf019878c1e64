"""real embed: add an embedding to each response."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.completion_values import model_names
from real_cli.cli.option_sets import BaseOption
from real_cli.cli.server_options import ServerOptions
from real_cli.cli.shard_options import ShardOptions
from real_cli.cli.spread_options import SpreadOptions
from real_cli.cli.typed_command import typed_command
from real_cli.embed.choices import LAST_LAYER, MAX_LENGTH, Backend, Field, Pooling, check_backend
from real_cli.errors import Status, UsageError
from real_cli.records.choices import Encoding

if TYPE_CHECKING:
    from real_cli.embed.embed_filter import EmbedFilter
    from real_cli.embed.served_filter import ServedEmbedFilter


# What a server decides for itself.
LOCAL = ("max_length", "pooling", "layer", "backend", "base", "batch_tokens", "device", "dtype", "devices", "on")


@dataclass(frozen=True, kw_only=True)
class EmbedOptions(SpreadOptions, BaseOption, ServerOptions, ShardOptions):
    """What to embed, by which model, and how it is written."""

    LOCAL = LOCAL
    OF_SERVER = ("dimensions",)

    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            autocompletion=model_names,
            help="A sentence-transformers encoder or a causal language model: a folder, a .gguf file, a hub name, "
            "minilm or smollm2; with --endpoint a model's name there.",
        ),
    ] = "minilm"
    field: Annotated[Field, typer.Option("--field", help="What to embed; of a prompt all but its system messages.")] = (
        Field.responses
    )
    max_length: Annotated[
        int | None,
        typer.Option(
            "--max-length",
            metavar="N",
            min=1,
            show_default=f"the encoder's own; {MAX_LENGTH} for a language model",
            help="Tokens of a text that count. Longer texts are cut, counted and told.",
        ),
    ] = None
    pooling: Annotated[
        Pooling | None,
        typer.Option(
            "--pooling", show_default=Pooling.mean, help="Language models: mean of all tokens, or the last one."
        ),
    ] = None
    layer: Annotated[
        int | None,
        typer.Option(
            "--layer",
            metavar="N",
            show_default=str(LAST_LAYER),
            help="Language models: the hidden layer to read; -1 is the last.",
        ),
    ] = None
    backend: Annotated[
        Backend,
        typer.Option(
            "--backend",
            help="What runs an encoder: torch, or openvino, an extra, which on a CPU with bfloat16 units is about "
            "three times as fast: its --dtype auto is bfloat16 there, which moves vectors a little.",
        ),
    ] = Backend.torch
    encoding: Annotated[
        Encoding,
        typer.Option(
            "--encoding",
            help="How an embedding is written: JSON numbers, or base64 (less than half the size; float16 a quarter).",
        ),
    ] = Encoding.array
    dimensions: Annotated[
        int | None,
        typer.Option(
            "--dimensions",
            metavar="N",
            min=1,
            show_default="the model's own",
            help="With --endpoint: have the server cut its vectors to N numbers.",
        ),
    ] = None
    resume: Annotated[
        Path | None,
        typer.Option(
            "--resume",
            metavar="FILE",
            show_default=False,
            help="Append to FILE what is not in it yet: go on after a run that was killed. What a server failed to "
            "embed before comes last, but for numbered records, which are put in order.",
        ),
    ] = None

    @property
    def appends_to(self) -> Path | None:
        """The file that --resume goes on with."""
        return self.resume

    def record_filter(self) -> "EmbedFilter | ServedEmbedFilter":
        """Set up the work, without a model yet."""
        if self.endpoint is not None:
            from real_cli.embed.served_filter import ServedEmbedFilter

            return ServedEmbedFilter(self)
        from real_cli.embed.embed_filter import EmbedFilter

        self.check_server(self.model)
        return EmbedFilter(self)


@typed_command
def embed(options: EmbedOptions) -> Status:
    """Add an embedding to each response.

    Reads candidates or pairs of any known layout, writes candidates. A causal language model is read as REAL does:
    the response alone (no prompt, no chat template), last hidden layer, mean over its tokens.

    With --endpoint a server embeds, by OpenAI's /v1/embeddings, which vLLM and Text Embeddings Inference speak too.
    Its vectors are written as they come. A text that it does not embed costs its own record only, which goes to
    --rejects, and the status is 3. Vectors are stored: run the same command again and only missing ones are asked for.

    Streams, in windows of about 4,000 texts, or as a server answers: memory does not grow with the input.

    \b
    Examples:
      real embed hh.jsonl | real pair --strategy easy --keep 50% > easy.jsonl
      real embed --model smollm2 --max-length 512 --encoding base64 shp.jsonl.gz -o embedded.jsonl
      real embed --resume embedded.jsonl candidates.jsonl
      real embed --endpoint http://localhost:8000/v1 --model bge --encoding base64 hh.jsonl -o embedded.jsonl
    """
    from real_cli.cluster.line_filter import LineFilter
    from real_cli.cluster.open_crew import open_crew
    from real_cli.cluster.spread import Spread
    from real_cli.io.resume import put_in_order

    if options.resume is not None and options.output is not None:
        raise UsageError("--resume FILE appends to FILE; leave out --output")
    check_backend(options.backend, options.device)
    job = options.job()
    lines = LineFilter(options)
    work = lines.work
    with job, open_crew(options, lines) as crew:
        located = work.left(job, options.resume)
        if crew is not None:
            Spread(job, work, crew)(located)
        else:
            work.run(job, located)
            job.summary = work.sentence()
    if options.resume is not None and options.endpoint is not None:  # what failed before was appended last
        put_in_order(options.resume)
    return job.status
