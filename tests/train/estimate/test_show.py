"""An estimate at a terminal: the answer first, and no number cut at any width."""

import io

import pytest
from rich.console import Console

from real_cli.train.estimate.show import headline, print_estimate

GIB = 1 << 30
RECORD = {
    "policy": "smollm2",
    "device": "cpu",
    "dtype": "float32",
    "num_pairs_trained": 12345,
    "num_steps": 1544,
    "num_tokens": 2345678,
    "truncated_share": 0.25,
    "available_bytes": 8 * GIB,
    "memory": {
        "method": "simulated",
        "host": {"weights_bytes": GIB, "gaps_bytes": 3 * GIB // 2, "peak_bytes": 5 * GIB // 2},
        "device": None,
    },
    "seconds": {"reading_low": 2.0, "reading_high": 2.0, "training_low": 4000.0, "training_high": 9000.0},
    "seconds_low": 4002.0,
    "seconds_high": 9002.0,
    "would_fit": [
        {
            "options": "as asked",
            "peak_bytes": 5 * GIB // 2,
            "fits": True,
            "largest_batch_tokens": 12288,
            "takes_whole_batches": False,
        },
        {
            "options": "--lora --gradient-checkpointing",
            "peak_bytes": 9 * GIB,
            "fits": False,
            "largest_batch_tokens": None,
            "takes_whole_batches": False,
        },
    ],
}


def shown(record, width):
    """What a terminal of so many columns shows."""
    stream = io.StringIO()
    print_estimate(Console(file=stream, width=width, markup=False, highlight=False, emoji=False), record)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_every_number_is_seen_at_every_width(width):
    """Lines keep within the terminal; parts, times and options are all there, folded at worst."""
    lines = shown(RECORD, width)
    assert max(map(len, lines)) <= width
    words = " ".join(lines).split()
    for number in ("1.0", "1.5", "2.5", "9.0", "12,288", "1.1"):
        assert number in words
    joined = "".join(words)
    for text in ("gapsbetweenblocks", "training", "peak", "yes", "no", "-"):
        assert text in joined


def test_the_first_line_is_the_answer():
    """Whether it fits, in how much, in what time."""
    assert headline(RECORD) == "2.5 GB at the peak, 8.0 GB can be had; 1.1 to 2.5 h"
    assert shown(RECORD, 100)[0] == f"Fits: {headline(RECORD)}"
    without = RECORD | {"seconds": None, "seconds_low": None, "would_fit": [RECORD["would_fit"][1]]}
    assert shown(without, 100)[0] == (
        "Does not fit: 2.5 GB at the peak, 8.0 GB can be had; no probe was made, so no time is known"
    )


def test_a_number_that_the_data_cap_says_so_and_an_unknown_row_too():
    """No larger pass than a whole batch is needed; a row without a peak is not known."""
    capped = RECORD["would_fit"][0] | {"takes_whole_batches": True}
    unknown = {"options": "--qlora", "peak_bytes": None, "fits": None, "largest_batch_tokens": None}
    lines = shown(RECORD | {"would_fit": [capped, unknown]}, 100)
    assert any("any: whole batches, 12,288" in line for line in lines)
    assert any(line.split() == ["--qlora", "not", "known", "-", "-"] for line in lines)


def test_on_a_device_both_memories_are_shown():
    """The device's decides; what the host takes while it loads stands beside it."""
    memory = {**RECORD["memory"], "device": {"weights_bytes": GIB, "peak_bytes": 7 * GIB}}
    lines = shown(RECORD | {"memory": memory}, 80)
    assert lines[0].startswith("Fits: 7.0 GB at the peak")
    titles = [line for line in lines if line.startswith("Memory of the ")]
    assert [title.split()[3].rstrip(",") for title in titles] == ["device", "host"]
