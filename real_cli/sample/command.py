"""real sample: let policies answer prompts."""

from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status
from real_cli.sample.options import SampleOptions


@typed_command
def sample(options: SampleOptions) -> Status:
    """Let policies answer prompts.

    Reads records with 'prompt', or 'question', 'instruction' and the like (real-records(5) lists them), and writes
    candidates: each response has 'text', 'model' and 'is_cut'. A prompt that is a string is continued as it is; a
    conversation goes through the model's chat template. A server is sent strings as a user message, and all responses
    of a prompt are asked for in one request where it can.

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
    from real_cli.sample.run import SamplingRun

    return SamplingRun(options).run()
