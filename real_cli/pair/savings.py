"""How many labels a choice of pairs saves."""

from dataclasses import dataclass

from real_cli.pair.choices import Emit
from real_cli.pair.choose import PromptOutcome
from real_cli.records.record import Record, is_preference
from real_cli.text.phrases import say_count


@dataclass
class Savings:
    """How many labels a choice of pairs saves.

    Attributes:
        num_prompts: Records read.
        num_possible: Pairs that the distinct responses of all prompts could form.
        num_given: Pairs that the input already was; None once a prompt came with another number of responses than two.
        num_chosen: Pairs that stay.
        num_paired: Pairs that were chosen before `--keep`.
        num_unlabeled: Those without a label.
    """

    num_prompts: int = 0
    num_possible: int = 0
    num_given: int | None = 0
    num_chosen: int = 0
    num_paired: int = 0
    num_unlabeled: int = 0

    def add(self, record: Record, outcome: PromptOutcome) -> None:
        """Count one prompt."""
        self.num_prompts += 1
        self.num_possible += outcome.possible
        is_pair = is_preference(record) or len(record.get("responses", ())) == 2
        self.num_given = self.num_given + 1 if self.num_given is not None and is_pair else None

    def add_pair(self, pair: Record) -> None:
        """Count a pair that was chosen."""
        self.num_paired += 1
        self.num_unlabeled += "responses" in pair

    def share_of_possible(self) -> float | None:
        """Work out 1 - chosen / all possible pairs.

        >>> Savings(num_prompts=2, num_possible=12, num_given=None, num_chosen=3).share_of_possible()
        0.75
        """
        return 1 - self.num_chosen / self.num_possible if self.num_possible else None

    def share_of_given(self) -> float | None:
        """Work out 1 - chosen / pairs of the input.

        >>> Savings(num_prompts=4, num_possible=4, num_given=4, num_chosen=2).share_of_given()
        0.5
        """
        return 1 - self.num_chosen / self.num_given if self.num_given else None

    def sentence(self, emit: Emit = Emit.pairs) -> str:
        """Tell the savings in one line.

        >>> Savings(num_prompts=4, num_possible=4, num_given=4, num_chosen=2).sentence()
        "2 pairs from 4 prompts; labels saved: 50.0% of the input's 4 pairs"
        >>> Savings(num_prompts=4, num_possible=4, num_given=4, num_chosen=2, num_paired=4, num_unlabeled=4).sentence()
        "2 pairs from 4 prompts; labels saved: 50.0% of the input's 4 pairs"
        """
        if emit is Emit.prompts:
            return say_count(self.num_chosen, "prompt")
        written = say_count(self.num_chosen, emit.value.removesuffix("s"))
        text = f"{written} from {say_count(self.num_prompts, 'prompt')}"
        if emit is Emit.ranking:
            return text
        if 0 < self.num_unlabeled < self.num_paired:
            before = "" if self.num_paired == self.num_chosen else f" of the {self.num_paired:,} before --keep"
            text += f" ({self.num_unlabeled:,}{before} chosen without a label)"
        possible, given = self.share_of_possible(), self.share_of_given()
        if possible is None or not self.num_chosen:
            return text  # where nothing is chosen, nothing is saved
        if given is not None and self.num_given == self.num_possible:  # then both shares are the same
            return f"{text}; labels saved: {given:.1%} of the input's {say_count(self.num_possible, 'pair')}"
        text += f"; labels saved: {possible:.1%} of the {say_count(self.num_possible, 'possible pair')}"
        return text if given is None else f"{text}, {given:.1%} of the input's {self.num_given:,}"
