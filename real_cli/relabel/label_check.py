"""How far new scores agree with the labels of a record."""

from collections.abc import Sequence
from dataclasses import dataclass

from real_cli.records.messages import is_number
from real_cli.records.record import Record, is_preference
from real_cli.records.response_fields import responses_of


@dataclass
class LabelCheck:
    """Counts how far new scores agree with the labels of records: chosen and rejected, or ranks.

    Attributes:
        num_labeled: Records with a label.
        num_against: Of these, records whose preferred response does not get the best score; a tie agrees.
        num_replaced: Earlier values of the field.
    """

    num_labeled: int = 0
    num_against: int = 0
    num_replaced: int = 0

    def add(self, record: Record, scores: Sequence[float], field: str | None = None) -> None:
        """Count a record as it was before, and its new scores; `field` is None where they are not written.

        >>> check = LabelCheck()
        >>> check.add({"prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": 4}, [1.0, 2.0], "score")
        >>> check.sentence()
        '1 of 1 labels disagree; 1 earlier scores replaced'
        """
        responses = responses_of(record)
        if field is not None:
            names = (f"{field}_chosen", f"{field}_rejected")
            is_pair = is_preference(record)
            self.num_replaced += (
                sum(name in record for name in names) if is_pair else sum(field in response for response in responses)
            )
        ranks = [response.get("rank") for response in responses]
        if len(ranks) > 1 and all(map(is_number, ranks)):
            best = [score for score, rank in zip(scores, ranks, strict=True) if rank == min(ranks)]  # type: ignore[type-var]
            self.num_labeled += 1
            self.num_against += max(best) < max(scores)

    def sentence(self) -> str:
        """Report the counts in one line; empty where there is nothing to report."""
        parts = []
        if self.num_labeled:
            parts.append(f"{self.num_against:,} of {self.num_labeled:,} labels disagree")
        if self.num_replaced:
            parts.append(f"{self.num_replaced:,} earlier scores replaced")
        return "; ".join(parts)
