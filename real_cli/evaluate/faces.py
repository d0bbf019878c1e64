"""The evaluations of `real eval`, for a help that loads none; made by `python -m real_cli.docs`."""

# By name: the module of its command, and the first sentence of its help.
FACES: dict[str, tuple[str, str]] = {
    "budget": (
        "real_cli.evaluate.budget.command",
        "Tell what labels buy: accuracy by strategy and budget, and the labels saved.",
    ),
    "compare": (
        "real_cli.evaluate.compare.command",
        "Compare methods of training on the same held-out pairs.",
    ),
    "judge": (
        "real_cli.evaluate.judge.command",
        "Measure how far a judge can be trusted.",
    ),
    "labels": (
        "real_cli.evaluate.labels.command",
        "Measure how often labels contradict the truth, and which strategy asks for labels that are right.",
    ),
    "margin": (
        "real_cli.evaluate.margin.command",
        "Measure how far a policy prefers the chosen responses, beyond what its reference does.",
    ),
    "pairs": (
        "real_cli.evaluate.pairs.command",
        "Measure the health of a set of pairs.",
    ),
    "reward": (
        "real_cli.evaluate.reward.command",
        "Measure how often a reward model is right, by subset, by length and by what it claims.",
    ),
    "winrate": (
        "real_cli.evaluate.winrate.command",
        "Count which model wins, and how much of it is length.",
    ),
}
