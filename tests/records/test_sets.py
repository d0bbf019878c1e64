"""Layouts of published sets: a file each, known by fields of its own, so that no order of files is a rule."""

import pytest

from real_cli.records.public import sets
from real_cli.records.public.chat_forms import read_forms
from real_cli.records.public.layout_table import LAYOUTS, MODULES, SETS, possible_layouts
from tests.records.published import PUBLISHED
from tests.records.test_layouts import EXAMPLES

OF_SETS = {row.name for row in SETS}
OURS = [row for row in LAYOUTS if row.name in ("candidates", "parallel arrays")]


@pytest.mark.parametrize(("name", "record", "expected"), [*EXAMPLES, *PUBLISHED])
def test_the_rows_of_sets_exclude_each_other_and_our_own_records(name, record, expected):
    """Else which of two files comes first would decide how a record is read."""
    for read in (read_forms(record), expected):
        matching = [row.name for row in (*OURS, *SETS) if row.matches(read)]
        assert len(matching) <= 1
    assert [row.name for row in SETS if row.matches(read_forms(record))] == [name] * (name in OF_SETS)


@pytest.mark.parametrize("row", SETS, ids=lambda row: row.name)
def test_a_record_without_the_fields_that_a_row_uses_is_not_of_it(row):
    """Such rows are not even tried: all values that examples have, under every other name, match nothing."""
    read = [read_forms(record) for _, record, _ in [*EXAMPLES, *PUBLISHED]]
    others = [{field: value for field, value in record.items() if field not in row.uses} for record in read]
    assert any(row.matches(record) for record in read)
    assert not any(row.matches(record) for record in others)
    assert not any(row in possible_layouts(tuple(record)) for record in others)
    assert all(row in possible_layouts(tuple(record)) for record in read if row.matches(record))


def test_every_file_of_the_folder_has_rows_and_every_row_a_file():
    """Names are given once."""
    rows = [row for module in MODULES for row in module.ROWS]
    assert len(MODULES) > 10
    assert all(module.ROWS for module in MODULES)
    assert tuple(rows) == SETS
    assert len({row.name for row in LAYOUTS}) == len(LAYOUTS)
    assert {module.__name__.rpartition(".")[0] for module in MODULES} == {sets.__name__}
