"""What soup computes, without a file."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from real_cli.errors import UsageError
from real_cli.models.load.tensor_files import TensorShape
from real_cli.soup.average import average, config_differences, enumerate_problems, parse_weights, tensor_differences

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
VECTORS = st.lists(FLOATS, min_size=1, max_size=6).map(torch.tensor)


def bits(tensor):
    """The numbers as they are stored: 0.0 and -0.0 differ."""
    return tensor.view(torch.int32).tolist()


def test_weights_1_and_3_at_half_are_2():
    """Methods 15(f): .5 * 1 + .5 * 3 = 2."""
    assert average([torch.tensor([1.0]), torch.tensor([3.0])], [0.5, 0.5], torch.float32).tolist() == [2.0]


def test_three_models_by_their_weights():
    """.2 * 1 + .3 * 2 + .5 * 4 = 2.8."""
    tensors = [torch.tensor([value]) for value in (1.0, 2.0, 4.0)]
    assert average(tensors, [0.2, 0.3, 0.5], torch.float32).item() == pytest.approx(2.8)


@given(VECTORS, st.floats(-2, 3))
def test_a_model_averaged_with_itself_is_itself_at_any_weights(tensor, weight):
    """Methods 15(f): soup(A, A) = A; in float32 sums the last digit would move."""
    result = average([tensor, tensor.clone()], [weight, 1 - weight], torch.float32)
    assert torch.allclose(result, tensor, rtol=0 if 0 <= weight <= 1 else 1e-7, atol=0)


@given(VECTORS)
def test_weights_1_and_0_give_the_one_back_bit_for_bit(tensor):
    """Methods 15(f): -0.0 stays -0.0, and what the other holds does not matter."""
    broken = torch.full_like(tensor, math.nan)
    assert bits(average([tensor, broken], [1.0, 0.0], torch.float32)) == bits(tensor)
    assert bits(average([broken, tensor], [0.0, 1.0], torch.float32)) == bits(tensor)


@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=6))
def test_half_and_half_is_symmetric(numbers):
    first, second = torch.tensor(numbers).T
    halves = [0.5, 0.5]
    result = average([first, second], halves, torch.float32)
    assert bits(result) == bits(average([second, first], halves, torch.float32))


@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=6))
def test_an_average_lies_between(numbers):
    first, second = torch.tensor(numbers).T
    result = average([first, second], [0.25, 0.75], torch.float32)
    assert ((torch.minimum(first, second) <= result) & (result <= torch.maximum(first, second))).all()


def test_a_linear_layer_of_the_average_gives_the_average_of_the_outputs():
    """Methods 15(f): (aA + (1-a)B) x = a Ax + (1-a) Bx."""
    torch.manual_seed(0)
    first, second, x = torch.randn(4, 3), torch.randn(4, 3), torch.randn(3)
    result = average([first, second], [0.3, 0.7], torch.float32)
    assert torch.allclose(result @ x, 0.3 * (first @ x) + 0.7 * (second @ x), atol=1e-6)


def test_bfloat16_is_rounded_once_at_the_end():
    """.5 * 256 + .25 * 1.75 + .25 * 1.75 = 128.875, nearest 129; bfloat16 sums stay at 128, where its step is 1."""
    tensors = [torch.tensor([value], dtype=torch.bfloat16) for value in (256.0, 1.75, 1.75)]
    weights = [0.5, 0.25, 0.25]
    assert average(tensors, weights, torch.bfloat16).item() == 129
    assert sum(weight * tensor for weight, tensor in zip(weights, tensors, strict=True)).item() == 128


# Weights


@pytest.mark.parametrize(
    ("text", "count", "weights"),
    [
        (None, 2, [0.5, 0.5]),
        ("0.25, 0.75", 2, [0.25, 0.75]),
        ("1/3,1/3,1/3", 3, [1 / 3] * 3),
        ("1,0", 2, [1, 0]),
        ("1.5,-0.5", 2, [1.5, -0.5]),
        ("1e0,0", 2, [1, 0]),
    ],
)
def test_weights_are_read(text, count, weights):
    assert parse_weights(text, count) == weights


def test_thirds_in_seven_digits_are_thirds():
    """.3333333 * 3 = .9999999; divided by that sum the models keep their size."""
    assert sum(parse_weights("0.3333333,0.3333333,0.3333333", 3)) == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("0.5", "1 weights and 2 models; give one for each"),
        ("0.5,0.25,0.25", "3 weights and 2 models; give one for each"),
        ("0.5,0.4", "their sum is 0.9; it must be 1"),
        ("0.50001,0.5", "their sum is 1.00001; it must be 1"),
        ("2,2", "their sum is 4; it must be 1"),
        ("nan,1", "give a finite number for each model, as in 0.5,0.5"),
        ("inf,-inf", "give a finite number"),
        ("1e999,-1e999", "give a finite number"),
        ("0.5,", "give a finite number"),
        ("1/0,1", "give a finite number"),
        ("", "give a finite number"),
    ],
)
def test_other_weights_are_refused(text, complaint):
    with pytest.raises(UsageError) as caught:
        parse_weights(text, 2)
    assert str(caught.value).startswith(f"--weights {text!r}: {complaint}")


# Differences


def test_what_training_alone_reads_is_no_difference():
    ours = {"hidden_size": 4, "attention_dropout": 0.1, "resid_pdrop": 0.1, "dtype": "float32", "use_cache": True}
    assert config_differences(ours, {"hidden_size": 4, "dtype": "bfloat16", "eos_token_id": 7}) == []


def test_a_field_of_one_config_alone_is_a_difference():
    assert config_differences({"rope_theta": 1e4}, {}) == ["config 'rope_theta' is 10000.0 and None"]


def test_the_kind_of_model_is_the_first_difference_that_is_told():
    """A reader who has mixed up two folders sees it at once."""
    result = config_differences({"model_type": "llama", "a": 1}, {"model_type": "qwen2", "a": 2})
    assert result == ["config 'model_type' is 'llama' and 'qwen2'", "config 'a' is 1 and 2"]


def test_tensors_are_compared_by_name_shape_and_kind():
    ours = {"a": TensorShape("F32", (2, 3)), "b": TensorShape("F32", ()), "c": TensorShape("I64", (1,))}
    theirs = {"a": TensorShape("BF16", (3, 2)), "c": TensorShape("F32", (1,)), "d": TensorShape("F32", (1,))}
    assert tensor_differences(ours, theirs) == [
        "tensor 'a' has shapes 2x3 and 3x2",
        "tensor 'b' is in the first alone",
        "tensor 'c' is I64 and F32",
        "tensor 'd' is in the second alone",
    ]
    assert tensor_differences({"a": TensorShape("F32", (2,))}, {"a": TensorShape("BF16", (2,))}) == []


def test_many_problems_are_counted():
    assert enumerate_problems([f"p{number}" for number in range(1009)]).endswith("p7, and 1,001 more")
    assert enumerate_problems(["p"] * 8) == ", ".join(["p"] * 8)
