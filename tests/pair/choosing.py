"""The pairs of one prompt, all at once."""

from real_cli.pair.choose import begin_pairs


def choose_pairs(record, settings, comparison=None):
    """What `begin_pairs` gives, its rest worked out: all records to write, all reasons for what is left out."""
    outcome = begin_pairs(record, settings, comparison)
    for row in outcome.rest:
        (outcome.dropped if isinstance(row, str) else outcome.records).append(row)
    outcome.rest = ()
    return outcome
