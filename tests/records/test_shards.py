"""A part of a data set, split by prompt."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.errors import UsageError
from real_cli.records.shards import Mark, Shard, check_parts, in_shard, parse_shard

prompts = st.text(max_size=10) | st.builds(lambda text: [{"role": "user", "content": text}], st.text(max_size=10))


@pytest.mark.parametrize(("text", "shard"), [("2/8", (2, 8)), ("1/1", (1, 1)), ("8/8", (8, 8)), (None, (1, 1))])
def test_a_shard_is_two_numbers_and_none_is_the_whole(text, shard):
    assert parse_shard(text) == shard


@pytest.mark.parametrize(
    "text", ["0/4", "5/4", "0/0", "1", "1/", "/4", "-1/4", "1/4/2", "1.0/4", "a/b", " 1/4", "1/4\n"]
)
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(UsageError, match="^--shard .*: give I/N with I from 1 to N, as 1/4"):
        parse_shard(text)


@given(prompts, st.integers(1, 50))
@settings(max_examples=100)
def test_a_record_is_in_exactly_one_shard(prompt, number):
    assert sum(in_shard({"prompt": prompt}, Shard(part, number)) for part in range(1, number + 1)) == 1


@given(prompts, st.integers(1, 9))
@settings(max_examples=50)
def test_all_records_of_a_prompt_go_to_one_shard(prompt, number):
    first, second = {"prompt": prompt, "responses": []}, {"id": 3, "prompt": prompt, "chosen": "a", "rejected": "b"}
    shards = [Shard(part, number) for part in range(1, number + 1)]
    assert [in_shard(first, shard) for shard in shards] == [in_shard(second, shard) for shard in shards]


def test_shards_are_of_about_one_size():
    """1,000 prompts in 4 shards: 250 each, give or take 14."""
    counts = [sum(in_shard({"prompt": str(i)}, Shard(part, 4)) for i in range(1000)) for part in (1, 2, 3, 4)]
    assert sum(counts) == 1000
    assert all(200 < count < 300 for count in counts)


def test_the_whole_is_everything():
    assert all(in_shard({"prompt": str(i)}, parse_shard(None)) for i in range(50))


def test_of_many_parts_that_are_not_there_the_first_ten_are_named():
    with pytest.raises(
        UsageError, match=r"^1,998 files of 2,000 are not there: shard 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, \.\.\.; "
    ):
        check_parts([("a", Mark(1, 2000, 9)), ("b", Mark(4, 2000, 3))], "file", "files")


def test_an_array_job_that_begins_with_zero_is_told_how_to_begin():
    with pytest.raises(UsageError, match=r"an array job's --array=1-4"):
        parse_shard("0/4")
