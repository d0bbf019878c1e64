"""real sample: let policies answer prompts."""

import typer

from real_cli.cli import llm_options as asked
from real_cli.cli.guard import guarded
from real_cli.cli.options import (
    Base,
    Device,
    Dtype,
    Files,
    InputFormatOption,
    MaxLineBytes,
    OnErrorOption,
    Output,
    Quiet,
    Rejects,
    Seed,
)
from real_cli.errors import Status
from real_cli.io.jsonl import MAX_LINE_BYTES
from real_cli.records.choices import OnError, Precision
from real_cli.sample import options as own


@guarded
def sample(
    context: typer.Context,
    files: Files = None,
    *,
    policy: own.Policies,
    num_responses: own.NumResponses = None,
    temperature: own.Temperature = None,
    top_p: own.TopP = None,
    top_k: own.TopK = None,
    greedy: own.Greedy = False,
    max_tokens: own.MaxTokens = 512,
    stop: own.Stop = None,
    system: own.System = None,
    chat: own.Chat = False,
    append: own.Append = False,
    seed: Seed = 0,
    per_row_reference: own.PerRowReference = False,
    principles: own.Principles = None,
    contrast: own.Contrast = None,
    improve: own.Improve = False,
    template: own.Template = None,
    lowest_score: own.LowestScore = None,
    max_retries: own.MaxRetries = None,
    pre_query: own.PreQuery = False,
    response_temperature: own.ResponseTemperature = None,
    shard: own.Shard = None,
    resume: own.Resume = None,
    endpoint: asked.EndpointOption = None,
    key_variable: asked.KeyVariable = asked.KEY_VARIABLE,
    concurrency: asked.Concurrency = asked.CONCURRENCY,
    retries: asked.Retries = asked.RETRIES,
    timeout: asked.TimeoutOption = asked.TIMEOUT_SECONDS,
    thinks: asked.Thinks = False,
    cache: asked.CacheFolder = None,
    no_cache: asked.NoCacheOption = False,
    emit_requests: asked.EmitRequests = None,
    apply_results: asked.ApplyResults = None,
    price: asked.PriceOption = None,
    batch_tokens: own.GenerationTokens = None,
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
    """Let policies answer prompts.

    Reads records with 'prompt', writes candidates: each response has 'text', 'model' and 'is_cut'. A prompt that is a
    string is continued as it is; a conversation goes through the model's chat template. A server is sent strings as a
    user message, and all responses of a prompt are asked for in one request where it can.

    A response of a model at hand is drawn by a seed of its own, made of --seed, the prompt, the policy's name and the
    response's number: shards, batches, restarts and other prompts change nothing (up to rounding, in float32).

    Streams, in windows of 64 records where the model is at hand: records are written in their order.
    --lowest-score buffers on disk, because the lowest scores are known at the end.

    \b
    Examples:
      real sample --policy smollm2 -n 8 prompts.jsonl | real embed | real pair --strategy easy > pairs.jsonl
      real sample --endpoint http://localhost:8000/v1 -p qwen -p llama -n 2 --temperature 0.7 --chat prompts.jsonl
      real sample -p ./sft --contrast 'Be kind.' 'Be rude.' prompts.jsonl | real pair --strategy all
    """
    values = {**locals()}  # the parameters by their names, and nothing else yet
    from real_cli.sample.run import SamplingRun

    given = {name for name in values if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"}
    return SamplingRun(values, given).run()
