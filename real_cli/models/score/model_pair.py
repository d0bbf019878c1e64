"""A policy and its reference: loaded when needed, scored a window at a time."""

from collections.abc import Callable
from functools import cached_property

from real_cli.models.load.device import default_batch_tokens
from real_cli.models.load.loaded_checks import num_embeddings
from real_cli.models.load.policies import Policy, check_vocabulary, load_policy
from real_cli.models.score.probe import settle_layout
from real_cli.models.score.scoring import Scorer, Scores
from real_cli.models.score.tokens import ExampleTokenizer, TokenizedExample
from real_cli.records.choices import Attention, Precision, TokenLayout


class ModelPair:
    """A policy and its reference. Each is loaded at the first example that needs it: an empty stream needs no model.

    Attributes:
        names: Of the policy and of the reference, as the user gave them; None for no reference.
        max_length: Most tokens of prompt and response.
    """

    def __init__(
        self,
        policy: str,
        reference: str | None,
        *,
        device: str,
        precision: Precision,
        attention: Attention,
        layout: TokenLayout,
        batch_tokens: int | None,
        max_length: int,
        tell: Callable[[str], None],
    ) -> None:
        self.names = policy, reference
        self.max_length = max_length
        self._place = {"device": device, "precision": precision, "attention": attention}
        self._layout = layout
        self._batch_tokens = batch_tokens
        self._tell = tell
        self._scorers: dict[int, Scorer] = {}

    @cached_property
    def policy(self) -> Policy:
        """The policy."""
        return self._load(self.names[0])

    @cached_property
    def reference(self) -> Policy | None:
        """The reference; the policy itself if both have one name, None if none was named.

        It must read the policy's token ids.
        """
        name = self.names[1]
        if name is None or name == self.names[0]:
            return None if name is None else self.policy
        reference = self._load(name)
        check_vocabulary(name, reference, self.policy)
        return reference

    @property
    def num_passes(self) -> int:
        """How many models read each example."""
        policy, reference = self.names
        return 1 if reference in (None, policy) else 2

    def tokenizer(self, max_length: int) -> ExampleTokenizer:
        """Make a tokenizer of records into the policy's token ids, its counts at 0."""
        return ExampleTokenizer(self.policy.tokenizer, max_length, num_embeddings(self.policy.model))

    def _load(self, name: str) -> Policy:
        policy = load_policy(name, **self._place)  # type: ignore[arg-type]
        return settle_layout(policy, name, self._layout, max_length=self.max_length, tell=self._tell)

    def load(self) -> None:
        """Load both models now, not at the first example."""
        _ = self.policy, self.reference

    def score(self, examples: list[TokenizedExample]) -> list[Scores]:
        """Score a window of examples under the policy."""
        return self._score(self.policy, examples)

    def refer(self, examples: list[TokenizedExample], scores: list[Scores]) -> list[Scores] | None:
        """Score a window under the reference; None if none was named.

        `scores` are the policy's, which serve again if it is its own reference.
        """
        if self.reference is None:
            return None
        return scores if self.reference is self.policy else self._score(self.reference, examples)

    def _score(self, policy: Policy, examples: list[TokenizedExample]) -> list[Scores]:
        scorer = self._scorers.get(id(policy))
        if scorer is None:  # one for the whole run: its budget fits the device's memory in all windows
            tokens = self._batch_tokens or default_batch_tokens(policy.place.device)
            scorer = self._scorers[id(policy)] = Scorer(policy, tokens, self._tell)
        return scorer(examples)
