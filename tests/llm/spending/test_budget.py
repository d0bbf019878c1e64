"""Dollars at a server: what a call may cost at worst, what it did cost, and a limit that is never passed."""

import asyncio
import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.llm.cost import Price
from real_cli.llm.spending.budget import TEMPLATE_TOKENS, Bill, Budget, OverBudget, show_dollars

REQUEST = json.dumps({"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 10, "n": 2}).encode()
# A dollar a token read, two a token written.
DEAR = Price(1e6, 2e6)
WORST = len(REQUEST) + TEMPLATE_TOKENS + 2 * 10 * 2


def bill(limit=None):
    return Bill(DEAR, Budget(None if limit is None else Fraction(limit)))


def held(account):
    return asyncio.run(account.hold(REQUEST))


def reply(**usage):
    return json.dumps({"choices": [], "usage": usage}).encode()


def test_a_call_is_held_at_every_byte_read_and_every_token_of_every_choice_written():
    account = bill()
    call = held(account)
    assert call == (len(REQUEST) + TEMPLATE_TOKENS, 40)
    assert call.worst == WORST


@pytest.mark.parametrize(
    ("body", "counted", "uncounted"),
    [
        (reply(prompt_tokens=7, completion_tokens=3), 13, 0),
        # Thoughts that a server leaves out of what was written: 20 in all.
        (reply(prompt_tokens=7, completion_tokens=3, total_tokens=20), 7 + 2 * 13, 0),
        (reply(prompt_tokens=7), 7, 40),
        (reply(prompt_tokens=0, completion_tokens=0), 0, WORST),
        (reply(prompt_tokens="7", completion_tokens=-3), 0, WORST),
        (b'{"choices": []}', 0, WORST),
        (b"<html>", 0, WORST),
        (b"[]", 0, WORST),
        (b'{"usage": 7}', 0, WORST),
    ],
)
def test_what_a_reply_does_not_count_costs_its_worst(body, counted, uncounted):
    account = bill(10_000)
    account.settle(held(account), body)
    assert (account.counted, account.uncounted) == (counted, uncounted)
    assert account._budget.spent == counted + uncounted


def test_tokens_that_are_free_need_not_be_counted():
    account = Bill(Price(1e6, 0.0), Budget())
    account.settle(held(account), reply(prompt_tokens=7))
    assert (account.counted, account.sentence()) == (7, "$7.0000")
    account.settle(held(account), reply(completion_tokens=7))
    assert account.num_uncounted == 1


def test_a_lost_answer_counts_and_a_refused_call_is_free():
    account = bill(10_000)
    account.lose(held(account))
    account.release(held(account))
    assert account._budget.spent == WORST
    assert account.sentence() == f"$0.0000 and at most ${WORST}.0000 for 1 call whose tokens were not counted"


def test_a_call_that_does_not_fit_waits_for_those_in_flight():
    """Two do not fit side by side; one after the other they do, since each costs less than its worst."""
    account, order = bill(WORST + 50), []

    async def call(name):
        call = await account.hold(REQUEST)
        order.append(f"{name} begins")
        await asyncio.sleep(0.03)
        order.append(f"{name} ends")
        account.settle(call, reply(prompt_tokens=7, completion_tokens=3))

    async def both():
        await asyncio.gather(call("a"), call("b"))

    asyncio.run(both())
    assert order == ["a begins", "a ends", "b begins", "b ends"]


def test_once_a_call_is_refused_no_other_is_let_through():
    account = bill(WORST)
    account.settle(held(account), reply(prompt_tokens=7, completion_tokens=3))
    for request in (REQUEST, b'{"max_tokens": 1}'):
        with pytest.raises(OverBudget):
            asyncio.run(account.hold(request))


def test_the_message_says_what_was_spent_what_is_left_and_how_to_go_on():
    account = bill(WORST)
    account.settle(held(account), reply(prompt_tokens=7, completion_tokens=3))
    with pytest.raises(OverBudget) as caught:
        held(account)
    assert str(caught.value.leaving(280)) == (
        f"--max-cost {WORST}: $13.0000 spent, and the next call may cost ${WORST}.0000, 280 records left; the answers "
        "are cached; run the same command again to go on"
    )
    with pytest.raises(OverBudget, match=rf"a call needs --max-cost {WORST}\.0000 or more"):
        held(bill(1))


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(1, 20), st.sampled_from("ULRP")), max_size=30), st.data())
def test_the_sum_never_passes_the_limit(calls, data):
    """Calls overlap as they like; each costs what it may, is lost, refused, or told without a count."""
    limit = data.draw(st.integers(1, 5000))
    account = bill(limit)
    paid, flying = 0, []

    def end():
        nonlocal paid
        call, read, written, fate = flying.pop(0)
        if fate == "R":
            account.release(call)
            return
        paid += read + 2 * written  # whatever the server says, or does not
        if fate == "L":
            account.lose(call)
        else:
            account.settle(call, reply(prompt_tokens=read, completion_tokens=written) if fate == "U" else b"{}")

    for read, written, fate in calls:
        while flying and data.draw(st.booleans()):
            end()
        try:
            taken = account._budget._take(Fraction(WORST))
        except OverBudget:
            assert not flying
            break
        if taken:
            from real_cli.llm.spending.budget import Held

            flying.append((Held(Fraction(WORST - 40), Fraction(40)), read, written, fate))
    while flying:
        end()
    assert paid <= account._budget.spent <= limit


@pytest.mark.parametrize(
    ("dollars", "shown", "up"),
    [
        (Fraction(1, 3), "$0.3333", "$0.3334"),
        (1234.5, "$1,234.5000", "$1,234.5000"),
        (3e-7, "$0.0000003", "$0.0000003"),
    ],
)
def test_amounts_are_short_and_bounds_are_rounded_up(dollars, shown, up):
    assert (show_dollars(dollars), show_dollars(dollars, up=True)) == (shown, up)
