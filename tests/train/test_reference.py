"""What the reference gives no probability to is told, with what it counts as."""

from types import SimpleNamespace

from real_cli.records.choices import Attention, TokenLayout
from real_cli.train import reference
from real_cli.train.mixture import Mixture


def test_responses_without_probability_are_counted_and_told(monkeypatch):
    filled = [[float("-inf"), -3.0], [-1.0, -2.0], [float("-inf"), float("-inf")]]

    def fill(examples, scorer, **options):
        examples.scores[:] = filled
        yield len(filled)

    monkeypatch.setattr(reference, "Scorer", lambda *words: None)
    monkeypatch.setattr(reference, "fill_scores", fill)
    notes = []
    asked = reference.Reference(None, Mixture(["dpo"]), TokenLayout.plain, Attention.auto, 64, 32, notes.append)
    asked.fill([SimpleNamespace(scores=[None] * 3)], None, lambda count: None)
    assert notes == ["3 responses of 6 have no probability under the reference: each counts as -1e+07 nats"]
    notes.clear()
    filled[:] = [[-1.0, -2.0]] * 3
    asked.fill([SimpleNamespace(scores=[None] * 3)], None, lambda count: None)
    assert notes == []
