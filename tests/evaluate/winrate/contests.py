"""Contests written as the records that judges and people leave."""

WINNERS = {2: (0, 1), 0: (1, 0)}


def record_of(prompt, contest, **fields):
    """Write one contest as a labeled pair, or as two responses that tied."""
    judge = {"judge": {"verdicts": list(contest.comparisons[0].verdicts)}} if contest.comparisons else {}
    if contest.points == 1:
        responses = [{"text": text, "model": model} for text, model in zip(contest.texts, contest.models, strict=True)]
        mark = {"judge": {"verdict": "tie", **judge["judge"]}} if judge else {"annotation": {"verdict": "tie"}}
        return {"prompt": prompt, "responses": responses, **mark, **fields}
    chosen, rejected = WINNERS[contest.points]
    return {
        "prompt": prompt,
        "chosen": contest.texts[chosen],
        "rejected": contest.texts[rejected],
        "model_chosen": contest.models[chosen],
        "model_rejected": contest.models[rejected],
        **judge,
        **fields,
    }
