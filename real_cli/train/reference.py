"""Where reference log-probabilities come from."""

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from real_cli.errors import ModelError
from real_cli.models.load.device import default_batch_tokens
from real_cli.models.load.policies import Policy, check_vocabulary, load_resolved
from real_cli.models.load.resolve import resolve_model
from real_cli.models.score.probe import settle_layout
from real_cli.models.score.scoring import Scorer
from real_cli.records.choices import Attention, TokenLayout
from real_cli.text.phrases import say_count
from real_cli.train.logps import NEXT_TO_NEVER
from real_cli.train.mixture import Mixture
from real_cli.train.objective import Need
from real_cli.train.tokenized import ExampleSet, fill_scores
from real_cli.train.world import ALONE, World


@dataclass
class Reference:
    """What the policy is compared with.

    Attributes:
        name: The model the user named; None is the policy as it is before training.
        mixture: Says whether anything is needed of a reference.
        layout: How its sequences are to be laid out; the policy's are settled already.
        attention: How attention is computed.
        batch_tokens: Most tokens of one forward pass; chosen by the device if None.
        max_length: Most tokens of prompt and response.
        tell: Gets a line when the device runs out of memory, or the model cannot take the layout.
        world: The processes that share the work, each some windows.
    """

    name: str | None
    mixture: Mixture
    layout: TokenLayout
    attention: Attention
    batch_tokens: int | None
    max_length: int
    tell: Callable[[str], None]
    world: World = ALONE

    @property
    def is_needed(self) -> bool:
        """Whether the objective compares with a reference at all."""
        return Need.reference in self.mixture.needs

    def describe(self, example_sets: Iterable[ExampleSet], policy_name: str) -> str:
        """Describe the reference in a few words."""
        if not self.is_needed:
            return f"none; {self.mixture.name} reads no reference"
        if self.name is not None:
            return self.name
        scores = [score for examples in example_sets for score in examples.scores]
        num_given = len(scores) - scores.count(None)
        before = f"{policy_name} before training"
        if not num_given:
            return before
        given = f"log-probabilities that {num_given:,} of {len(scores):,} records carry"
        return given if num_given == len(scores) else f"{given}; {before} for the others"

    def load(self, policy: Policy) -> Policy:
        """Load the reference; it may be the policy itself, before its first step."""
        if self.name is None or resolve_model(self.name) == policy.path:
            return policy
        model = load_resolved(self.name, resolve_model(self.name), policy.place, self.attention)
        self._check_vocabulary(model, policy)
        return settle_layout(model, self.name, self.layout, max_length=self.max_length, tell=self.tell)

    def _check_vocabulary(self, model: Policy, policy: Policy) -> None:
        check_vocabulary(str(self.name), model, policy)
        widths = [item.model.get_output_embeddings().weight.shape[0] for item in (model, policy)]
        if Need.decoupled in self.mixture.needs and widths[0] != widths[1]:
            raise ModelError(f"--reference {self.name}: {widths[0]:,} logits, the policy has {widths[1]:,}")

    def load_apart(self, policy: Policy) -> Policy:
        """Load the reference as a separate model without gradients, for objectives that query it every step."""
        loaded = self.load(policy)
        if loaded.layout is not policy.layout:
            raise ModelError(
                f"--reference {self.name}: it takes the {loaded.layout} layout and the policy the {policy.layout} one; "
                f"{self.mixture.name} asks both at every step, so add --layout plain"
            )
        model = copy.deepcopy(loaded.model) if loaded is policy else loaded.model
        return loaded._replace(model=model.requires_grad_(False).eval())

    def fill(
        self,
        example_sets: Iterable[ExampleSet],
        policy: Policy,
        done: Callable[[int], None],
        indices: Sequence[int] | None = None,
    ) -> None:
        """Compute missing reference log-probabilities, then free the model; `done` counts examples."""
        todo = [examples for examples in example_sets if None in examples.scores]
        if not todo or not self.is_needed:
            return
        model = self.load(policy)
        scorer = Scorer(model, self.batch_tokens or default_batch_tokens(model.place.device), self.tell)
        tokens = Need.tokens in self.mixture.needs
        for examples in todo:
            for num_examples in fill_scores(examples, scorer, tokens=tokens, indices=indices, world=self.world):
                done(num_examples)
        filled = [score for examples in todo for scores in examples.scores for score in scores or ()]
        if impossible := filled.count(-math.inf):
            self.tell(
                f"{say_count(impossible, 'response')} of {len(filled):,} have no probability under the reference: each "
                f"counts as {NEXT_TO_NEVER:g} nats"
            )
