"""Which rows are trained on when, and what a stage is called."""

from array import array

import pytest

from real_cli.train.prepare import stages_of
from real_cli.train.settings import TrainingSettings
from real_cli.train.stages import stage_name
from real_cli.train.tokenized import ExampleSet


def rows_with(**columns):
    return ExampleSet(None, [[0.0]] * 3, {}, [], {name: array("d", values) for name, values in columns.items()})


@pytest.mark.parametrize(("order", "rows"), [("given", [0, 1, 2]), ("gap", [0, 2, 1]), ("-gap", [1, 2, 0])])
def test_rows_come_in_the_order_of_their_field(order, rows):
    assert stages_of(rows_with(order=[2, 9, 5]), TrainingSettings(order=order)) == [(None, rows)]


def test_each_stage_has_its_rows_in_their_order():
    settings = TrainingSettings(order="-gap", stages=True)
    assert stages_of(rows_with(order=[2, 9, 5], stage=[1, 0.5, 1]), settings) == [(0.5, [1]), (1, [2, 0])]


@pytest.mark.parametrize(("stage", "name"), [(2.0, "2"), (0.5, "0.5"), (1234567.0, "1234567"), (1e-7, "1e-07")])
def test_no_two_stages_look_alike(stage, name):
    assert stage_name(stage) == name
