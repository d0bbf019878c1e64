"""Scripts of prompts and responses, and pairs that mix them."""

from array import array
from collections import Counter
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from real_cli.stats.proportions import estimate_share
from real_cli.text.scripts import main_script

# As a byte, of a pair that tells nothing.
UNTOLD = -1
Scripts: TypeAlias = tuple[str | None, str | None, str | None]


class ScriptCount:
    """Scripts of prompts and responses, and pairs that mix them."""

    def __init__(self) -> None:
        self._prompts: Counter[str] = Counter()
        self._responses: Counter[str] = Counter()
        self._mixed, self._chosen_is_odd = array("b"), array("b")

    def add(self, prompt: str, texts: tuple[str, str], *, labeled: bool) -> Scripts:
        """Count one pair, the chosen response first; returns the scripts of prompt and responses."""
        script, (first, second) = main_script(prompt), map(main_script, texts)
        if script:
            self._prompts[script] += 1
        for other in (first, second):
            if other:
                self._responses[other] += 1
        odd = [other is not None and other != script for other in (first, second)]
        is_known = script is not None and (first is not None or second is not None)
        self._mixed.append(any(odd) if is_known else UNTOLD)
        self._chosen_is_odd.append(odd[0] if is_known and labeled and odd[0] != odd[1] else UNTOLD)
        return script, first, second

    def summary(self, prompts: ArrayLike) -> dict[str, Any]:
        """Sum up, `prompts` being a number for the prompt of each pair.

        `scripts` has a row a script, the most frequent first. `num_mixed_script` of `num_script_pairs`, which have a
        script on both sides, have a response that is mainly written in another script than its prompt. Of the labeled
        pairs with one such response, `share_other_script_chosen` tells how often it is the chosen one.
        """
        both = self._prompts + self._responses
        total = both.total()
        mixed, chosen = np.array(self._mixed), np.array(self._chosen_is_odd)
        rows = [
            {
                "script": script,
                "num_prompts": self._prompts[script],
                "num_responses": self._responses[script],
                "share_of_texts": count / total,
            }
            for script, count in sorted(both.items(), key=lambda item: (-item[1], item[0]))
        ]
        return {
            "scripts": rows,
            "num_script_pairs": int((mixed != UNTOLD).sum()),
            "num_mixed_script": int((mixed == 1).sum()),
            **estimate_share(np.where(mixed == UNTOLD, np.nan, mixed), prompts).fields("share_mixed_script"),
            "num_chosen_other_script": int((chosen == 1).sum()),
            "num_rejected_other_script": int((chosen == 0).sum()),
            **estimate_share(np.where(chosen == UNTOLD, np.nan, chosen), prompts).fields("share_other_script_chosen"),
        }
