"""Which head sees which prompt."""

import numpy as np

from real_cli.train.reward.bootstrap import bootstrap_draws, prompt_number

PROMPTS = [prompt_number(f"prompt {number}") for number in range(2000)]


def test_a_draw_depends_on_prompt_and_seed_alone():
    draws = [bootstrap_draws(prompt, 8, 1).tolist() for prompt in PROMPTS[:50]]
    again = [bootstrap_draws(prompt, 8, 1).tolist() for prompt in reversed(PROMPTS[:50])]
    assert draws == again[::-1]
    assert draws != [bootstrap_draws(prompt, 8, 2).tolist() for prompt in PROMPTS[:50]]


def test_draws_are_poisson_of_mean_one_and_heads_draw_apart():
    """Of 2,000: a mean of 1 and a variance of 1 within five standard errors, correlations near 0."""
    draws = np.array([bootstrap_draws(prompt, 4, 42) for prompt in PROMPTS])
    assert np.abs(draws.mean(axis=0) - 1).max() < 0.12
    assert np.abs(draws.var(axis=0) - 1).max() < 0.2
    correlations = np.corrcoef(draws.T)[np.triu_indices(4, 1)]
    assert np.abs(correlations).max() < 0.12


def test_a_single_head_sees_everything_once():
    assert [bootstrap_draws(prompt, 1, 42).tolist() for prompt in PROMPTS[:3]] == [[1.0]] * 3


def test_conversations_and_texts_are_numbered_by_what_they_say():
    turns = [{"role": "user", "content": "Why?"}]
    assert prompt_number(turns) == prompt_number([dict(turns[0])])
    assert prompt_number(turns) != prompt_number([{"role": "user", "content": "How?"}])
    assert 0 <= prompt_number("Why?") < 2**63
