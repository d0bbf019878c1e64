"""real train-dpo: align a policy with the chosen pairs."""

from dataclasses import replace

from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status, UsageError
from real_cli.train.options import TrainOptions


@typed_command
def train_dpo(options: TrainOptions) -> Status:
    """Align a policy with labeled pairs, by DPO and its kin.

    Reads pairs (prompt, chosen, rejected), or what the objective wants beside them, and writes a checkpoint folder that
    transformers loads, with a manifest, real.json. Standard output gets one JSON object for each logged step, in TRL's
    names, then one for the result; standard error says in words how the margin moved. Reference log-probabilities are
    computed once, before training, or read from the records.

    A conversation goes through the policy's chat template, and every message of it must be in what the template
    renders. What tools and users say inside a response is read and not trained. Pairs whose responses became the same
    tokens are left out. All of that, and what a template or --max-length changes, is counted on standard error.

    Buffers: the input is spooled to disk, because training reads it more than once. During training, SIGINT, SIGTERM
    and SIGHUP leave a checkpoint from which --resume goes on.

    \b
    Examples:
      real train-dpo --policy smollm2 -o aligned pairs.jsonl > training.jsonl
      real pair --keep 2000 embedded.jsonl | real train-dpo -p ./sft -o aligned --loss ipo | jq .loss
      real train-dpo --policy smollm2 --estimate pairs.jsonl
      real train-dpo --preset drift --learning-rate 1e-6 --show-config | jq .
    """
    policy, output, reference = options.policy, options.output, options.reference
    if options.estimate and (clash := options.flags_given("show_config", "resume")):
        raise UsageError(f"--estimate, {clash[0]}: choose one of them")
    if options.estimate and policy is None:
        raise UsageError("--policy is needed: the model to train")
    if not (options.show_config or options.estimate) and (policy is None or output is None):
        raise UsageError("--policy and --output are needed: the model to train, and the folder to write")
    from real_cli.io.output import write_stdout
    from real_cli.train.folder import Workspace
    from real_cli.train.run import TrainingRun
    from real_cli.train.settings import check_settings, describe_settings, settings_from

    settings = settings_from(options)
    check_settings(settings, options)
    if options.show_config:
        write_stdout(describe_settings(settings, options.preset) | {"reference": reference})
        return Status.done
    assert policy is not None
    reads = [("--policy", policy), ("--reference", reference)]
    if options.estimate:
        from real_cli.train.estimate.run import estimate

        if output is not None:
            Workspace(output, resume=False, reads=reads)  # refuses what the run would refuse, and makes nothing
        return estimate(options, settings, policy)
    assert output is not None
    workspace = Workspace(output, resume=options.resume, reads=reads)
    # The log lines go to standard output; --output is the folder.
    job = replace(options, output=None).job(
        numbers=settings.number_fields,
        also_writes=[options.export_logps, options.dump],
        also_reads=[("--eval-file", options.eval_file)],
        what="pairs",
    )
    with job, workspace:
        status = TrainingRun(job, workspace, settings, options, policy).train()
    return status or job.status
