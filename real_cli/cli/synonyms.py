"""What users of other tools type for our options and values: their names, and the usual short ones.

Sources: the arguments of TRL's DPO script and of transformers' trainer and `generate`, OpenAI's and vLLM's parameters,
scikit-learn's splits; hyphens for underscores.
"""

from collections.abc import Mapping

# Each of our options, or the files that stand without one, with others' names for it. Of several that a name stands
# under, the first that the command has is meant.
OTHERS_OPTIONS: Mapping[str, str] = {
    "policy": "model model-name model-name-or-path model-path model-id base-model checkpoint adapter sft-model",
    "model": "policy model-name model-name-or-path model-path model-id base-model judge judge-model reward-model "
    "embedding-model encoder",
    "reference": "ref-model ref-model-name-or-path ref-policy reference-model reference-policy",
    "learning_rate": "lr rate step-size",
    "batch_size": "bs batch per-device-train-batch-size train-batch-size per-device-batch-size global-batch-size",
    "batch_tokens": "bs batch batch-size per-device-eval-batch-size max-batch-tokens",
    "gradient_accumulation": "grad-accum grad-acc gradient-accumulation-steps accumulate accumulation-steps",
    "gradient_checkpointing": "checkpointing grad-checkpointing grad-ckpt activation-checkpointing",
    "epochs": "num-train-epochs num-epochs n-epochs epoch",
    "max_steps": "steps num-steps max-iters iterations iters num-train-steps",
    "schedule": "lr-scheduler-type lr-scheduler scheduler lr-schedule",
    "warmup": "warmup-ratio warmup-steps num-warmup-steps",
    "optimizer": "optim",
    "weight_decay": "wd l2",
    "max_grad_norm": "grad-clip clip-grad gradient-clip gradient-clipping clip-norm",
    "loss": "loss-type loss-fn objective algorithm algo",
    "lora": "use-peft peft use-lora",
    "qlora": "load-in-4bit use-qlora 4bit",
    "lora_rank": "lora-r rank r",
    "max_length": "max-seq-length max-seq-len max-len max-prompt-length model-max-length cutoff-len ctx context-length",
    "max_tokens": "max-new-tokens max-completion-tokens max-length max-len num-tokens",
    "eval_file": "eval-dataset eval-data validation-file val-file validation-data dev-file test-file",
    "report_to": "wandb tracker trackers log-to",
    "save_steps": "save-every save-interval checkpoint-every",
    "logging_steps": "log-every log-interval log-steps",
    "resume": "resume-from-checkpoint resume-from continue",
    "attention": "attn attn-implementation use-flash-attention flash-attention flash-attn",
    "dtype": "torch-dtype precision bf16 fp16 fp32 half",
    "device": "gpu gpus cuda device-map cpu",
    "output": "output-dir output-file output-path out out-dir outdir outfile out-file save-dir save-to save dest "
    "destination write-to",
    "files": "dataset dataset-name dataset-path data data-path data-file data-files train-file train-data "
    "train-dataset input input-file input-path in infile file files prompts pairs",
    "num_responses": "n num-samples samples num-return-sequences num-generations num-candidates best-of k",
    "temperature": "temp t",
    "top_p": "nucleus",
    "greedy": "no-sample argmax deterministic",
    "system": "system-prompt system-message",
    "stop": "stop-sequences stop-strings stop-words stop-sequence",
    "endpoint": "base-url api-base api-url url host server server-url openai-base-url",
    "key_variable": "api-key openai-api-key key token api-token",
    "concurrency": "workers num-workers parallel parallelism max-concurrency max-concurrent num-procs num-proc threads "
    "jobs",
    "retries": "max-retries num-retries",
    "max_cost": "budget max-price cost-limit",
    "dry_run": "simulate preview no-op",
    "rubric": "criteria prompt-template judge-prompt template",
    "heldout": "test-size test-ratio test-share test-split eval-size eval-ratio val-size val-ratio holdout hold-out "
    "validation-split ratio fraction share",
    "keep": "budget fraction share ratio top top-k num-pairs n",
    "strategy": "method mode selection",
    "report": "html html-report output-html",
    "on_error": "skip-errors ignore-errors skip-bad skip-invalid continue-on-error",
    "rejects": "errors error-file bad-records failed",
    "input_format": "input-type file-type filetype",
    "seed": "random-seed random-state rng-seed",
    "quiet": "silent no-progress disable-tqdm",
    "weights": "coefficients ratios alpha",
}
# Options that some commands lack for a reason, with that reason.
ABSENT: Mapping[str, str] = {
    "shard": "it needs all records, so put the shards together first: real merge",
    "numbered": "it needs all records, so put the shards together first: real merge",
}
# Values of an option, each with the one that is ours.
OTHERS_VALUES: Mapping[str, Mapping[str, str]] = {
    "--recipe": {"dpo": "real"},
    "--dtype": {
        "bf16": "bfloat16",
        "fp16": "float16",
        "f16": "float16",
        "half": "float16",
        "fp32": "float32",
        "f32": "float32",
        "float": "float32",
        "full": "float32",
    },
    "--optimizer": {
        "adam": "adamw",
        "adamw_torch": "adamw",
        "adamw_torch_fused": "adamw",
        "adamw_8bit": "adamw-8bit",
        "adamw_bnb_8bit": "adamw-8bit",
        "paged_adamw_8bit": "adamw-8bit",
        "rms_prop": "rmsprop",
    },
    "--schedule": {"constant_with_warmup": "constant", "cosine_with_restarts": "cosine", "cos": "cosine"},
    "--attention": {"flash": "flash_attention_2", "fa2": "flash_attention_2", "flash_attn": "flash_attention_2"},
    "--on-error": {
        "ignore": "skip",
        "continue": "skip",
        "drop": "skip",
        "stop": "fail",
        "raise": "fail",
        "abort": "fail",
        "exit": "fail",
    },
    "--format": {"ndjson": "jsonl", "tab": "tsv"},
    "--part": {
        "test": "heldout",
        "eval": "heldout",
        "val": "heldout",
        "valid": "heldout",
        "validation": "heldout",
        "dev": "heldout",
    },
    "--ties": {"skip": "drop", "remove": "drop"},
    "--pooling": {"avg": "mean", "average": "mean", "last_token": "last"},
}


def others_option(name: str) -> list[str]:
    """List the fields that another tool's option may mean, the likeliest first.

    >>> others_option("per_device_train_batch_size")
    ['batch_size']
    """
    wanted = name.lower().replace("_", "-")
    return [field for field, names in OTHERS_OPTIONS.items() if wanted in names.split()]
