"""From one forward pass to what an objective is given."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from real_cli.models.score.forward import ResponseScores, backbone, target_logps
from real_cli.train.logps import Logps, TokenLogps


def gather(scores: ResponseScores, inputs: dict[str, Any], forward: dict[str, Any], **known: Any) -> Logps:
    """Put a pass's log-probabilities in the order of its examples.

    Args:
        scores: What the model said of the responses of the pass.
        inputs: The collator's batch.
        forward: The pass.
        **known: Further attributes of `Logps`; `decoupled` in the order of the pass's responses.

    Returns:
        The examples of the pass, with as many columns as the batch has.
    """
    rows, columns = forward["examples"], forward["responses"]
    present = inputs["present"][rows]
    # A response that is not there points to the first; it must not carry a gradient there.
    logps = torch.where(present, scores.logps[columns], 0.0)
    degrees = scores.degree_logits
    if known.get("decoupled") is not None:
        known["decoupled"] = torch.where(present, known["decoupled"][columns], 0.0)
    return Logps(
        policy=logps,
        reference=inputs["ref_logps"][rows],
        lengths=inputs["lengths"][rows],
        present=present,
        marks=inputs["marks"][rows],
        columns={name: values[rows] for name, values in inputs["columns"].items()},
        batch_lengths=inputs.get("step_lengths", inputs["lengths"]),
        tokens=_token_logps(scores, inputs, forward) if "differs" in inputs else None,
        degree_logits=None if degrees is None else degrees.float()[columns],
        **known,
    )


def _token_logps(scores: ResponseScores, inputs: dict[str, Any], forward: dict[str, Any]) -> TokenLogps:
    counts = forward["batch"]["owners"].bincount(minlength=forward["batch"]["num_responses"]).tolist()
    pieces = scores.token_logps.split(counts)
    shape = forward["responses"].shape
    policy: list[Tensor] = []
    reference: list[Tensor] = []
    differs: list[Tensor] = []
    for example, numbers in zip(forward["examples"].tolist(), forward["responses"].tolist(), strict=True):
        known, marks = inputs["ref_token_logps"][example], inputs["differs"][example]
        for column, number in enumerate(numbers):
            there = column < len(marks)
            policy.append(pieces[number] if there else pieces[number][:0])
            reference.append(known[column] if there else policy[-1])
            # Without a prompt nothing predicts the first token.
            differs.append(marks[column][-len(policy[-1]) :] if len(policy[-1]) else policy[-1].bool())
    return TokenLogps(*(_stacked(values, shape) for values in (policy, reference, differs)))


def _stacked(values: Sequence[Tensor], shape: Sequence[int]) -> Tensor:
    return pad_sequence(list(values), batch_first=True).unflatten(0, (shape[0], shape[1]))


def decoupled_logps(policy: Any, reference: Any, batch: dict[str, Any], extrapolate: float) -> Tensor:
    """Score responses under the policy extrapolated away from the reference: softmax of (1 + l) policy - l reference.

    Args:
        policy: Prepared by `attach_scorer`; an adapter may be around it.
        reference: Likewise, with the same vocabulary.
        batch: Of `lay_out`.
        extrapolate: l; 0 is the policy itself.

    Returns:
        Log-probability of each response in nats, no gradient, shape (responses,).

    References:
        SPA, arXiv:2406.04412: the de-coupled noise detection.
    """
    sums = torch.zeros(batch["num_responses"], dtype=torch.float32, device=batch["owners"].device)
    with torch.no_grad():
        ahead, behind = (_predicting(model, batch) for model in (policy, reference))
        # A few positions at a time: logits are as wide as the vocabulary.
        for chunk in torch.arange(len(batch["targets"]), device=sums.device).split(64):
            logits = (1 + extrapolate) * ahead(chunk) - extrapolate * behind(chunk)
            sums.index_add_(0, batch["owners"][chunk], target_logps(logits, batch["targets"][chunk], None))
    return sums


def _predicting(model: Any, batch: dict[str, Any]) -> Any:
    """Return what gives the logits at some predictors of a batch."""
    model = model.get_base_model() if hasattr(model, "get_base_model") else model  # peft's; its layers stay in place
    states, logits = backbone(model, batch)
    if logits is not None:
        return lambda chunk: logits[chunk].float()
    head = model.get_output_embeddings()
    return lambda chunk: head(states[batch["predictors"][chunk]]).float()
