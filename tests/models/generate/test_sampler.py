"""Draws and ends of rows: the same text whatever the batch."""

import json

import numpy as np
import pytest
import torch
from scipy import stats

from real_cli.errors import RecordError
from real_cli.models.generate.generation import LocalAnswerer
from real_cli.models.generate.sampler import Draw, cut_at_stop, draw_tokens
from real_cli.records.choices import Precision
from real_cli.records.questions import Question, Rendered, Sampling
from real_cli.records.seeds import uniform_numbers

TEMPLATE = "{% for m in messages %}{{ m['content'] }} {% endfor %}"
PROMPTS = ["the cat", "why the big red dog sat on a log", "no", "she heard it and then he ran", "a mat", "how"]


def answerer(folder, batch_tokens=None):
    return LocalAnswerer(
        str(folder), device="cpu", precision=Precision.float32, batch_tokens=batch_tokens, tell=lambda words: None
    )


def question(prompt, limit=12, temperature=1.0, top_p=1.0, stop=(), seed=0):
    return Question(prompt, str, Sampling(limit, temperature, top_p, tuple(stop), seed))


# One draw


def test_a_number_finds_its_token_in_the_order_of_the_vocabulary():
    """Four equal ones: sums 1/4, 1/2, 3/4, 1; a number on a border belongs to the token above it."""
    logits = torch.zeros(7, 4)
    numbers = np.array([0.0, 0.2499, 0.25, 0.5, 0.7499, 0.75, 1 - 2**-53])
    assert draw_tokens(logits, numbers, [1.0] * 7, [1.0] * 7).tolist() == [0, 0, 1, 2, 2, 3, 3]


def test_temperature_sharpens_and_top_p_cuts_the_tail():
    """At temperature 0.5 logs of 0.2, 0.5, 0.3 are squares, 0.04, 0.25, 0.09 of 0.38: sums 0.105, 0.763, 1.

    With top_p 0.6 tokens 1 and 2 stay (0.5 is not enough), 0.5 and 0.3 of 0.8: the border is at 0.625. With 0.4
    token 1 stays.
    """
    logits = torch.log(torch.tensor([[0.2, 0.5, 0.3]], dtype=torch.float64)).repeat(8, 1)
    numbers = np.array([0.104, 0.106, 0.762, 0.764, 0.0, 0.62, 0.63, 0.9])
    temperatures, shares = [0.5] * 4 + [1.0] * 4, [1.0] * 4 + [0.6] * 3 + [0.4]
    assert draw_tokens(logits, numbers, temperatures, shares).tolist() == [0, 1, 1, 2, 1, 1, 2, 1]


def test_a_token_without_probability_is_never_drawn():
    logits = torch.tensor([[-torch.inf, 0.0, -torch.inf]]).repeat(3, 1)
    assert draw_tokens(logits, np.array([0.0, 0.5, 1 - 2**-53]), [1.0] * 3, [1.0] * 3).tolist() == [1, 1, 1]


@pytest.mark.parametrize("top_p", [1.0, 0.7])
def test_draws_have_the_distribution_of_the_librarys_own_warpers(top_p):
    """Chi-squared of 20,000 draws against transformers' temperature and top-p."""
    from transformers import TemperatureLogitsWarper, TopPLogitsWarper

    logits = torch.tensor([[1.0, 0.3, -0.5, 2.0, 0.0, -1.0, 0.7]])
    wanted = TopPLogitsWarper(top_p)(None, TemperatureLogitsWarper(1.3)(None, logits)).double().softmax(-1)[0].numpy()
    numbers = uniform_numbers(np.arange(20_000, dtype=np.uint64), 0)
    drawn = draw_tokens(logits.repeat(20_000, 1), numbers, [1.3] * 20_000, [top_p] * 20_000)
    counts = np.bincount(drawn.numpy(), minlength=7)
    assert not counts[wanted == 0].any()
    kept = wanted > 0
    assert stats.chisquare(counts[kept], wanted[kept] / wanted[kept].sum() * 20_000).pvalue > 1e-3


@pytest.mark.parametrize("top_p", [1.0, 0.7])
@pytest.mark.parametrize("top_k", [1, 3, 50])
def test_draws_of_the_likeliest_have_the_distribution_of_the_librarys_own_warpers(top_k, top_p):
    """Each token's exact share, by where the numbers' border lies: top-k first, and top-p of what is left."""
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    logits = torch.tensor([[1.0, 0.3, -0.5, 2.0, 0.0, -1.0, 0.7]])
    warped = TopKLogitsWarper(top_k)(None, TemperatureLogitsWarper(1.3)(None, logits))
    wanted = TopPLogitsWarper(top_p)(None, warped).double().softmax(-1)[0].numpy()
    numbers = (np.arange(10_000) + 0.5) / 10_000
    drawn = draw_tokens(logits.repeat(10_000, 1), numbers, [1.3] * 10_000, [top_p] * 10_000, [top_k] * 10_000)
    np.testing.assert_allclose(np.bincount(drawn.numpy(), minlength=7) / 10_000, wanted, atol=1.01e-4)
    assert (np.bincount(drawn.numpy(), minlength=7) > 0).sum() <= top_k


def test_a_row_without_temperature_takes_the_likeliest_and_a_drawn_one_ignores_its_neighbors():
    logits = torch.randn(3, 9, generator=torch.Generator().manual_seed(0))
    greedy, drawn = Sampling(temperature=0.0), Sampling(temperature=1.0, seed=5)
    draw, alone = Draw([greedy, drawn, greedy], "cpu"), Draw([drawn], "cpu")
    tokens = [draw(logits, step).tolist() for step in range(20)]
    assert {(first, last) for first, _, last in tokens} == {(int(logits[0].argmax()), int(logits[2].argmax()))}
    assert [middle for _, middle, _ in tokens] == [int(alone(logits[1:2], step)) for step in range(20)]
    assert len({middle for _, middle, _ in tokens}) > 1
    draw.keep(torch.tensor([1]))
    assert [int(draw(logits[1:2], step)) for step in range(20)] == [middle for _, middle, _ in tokens]


@pytest.mark.parametrize(
    ("stops", "cut"),
    [(["x"], ("a", True)), (["y", "b"], ("ax", True)), (["z"], ("axby", False)), ([], ("axby", False))],
)
def test_a_text_ends_before_the_first_stop(stops, cut):
    assert cut_at_stop("axby", stops) == cut


# A model


@pytest.fixture(scope="module")
def talker(make_tiny_policy):
    return make_tiny_policy(chat_template=TEMPLATE)


def test_a_batch_draws_what_each_draws_alone(talker):
    asked = [question(prompt, limit=3 + 4 * n, seed=n) for n, prompt in enumerate(PROMPTS)]
    asked += [question(PROMPTS[0], temperature=0.0), question(PROMPTS[0], top_p=0.5, temperature=0.7)]
    together = answerer(talker)(asked)
    assert together == [answerer(talker, 1)([item])[0] for item in asked]
    assert together == list(reversed(answerer(talker, 60)(asked[::-1])))
    assert len({item.text for item in together}) == len(asked)


def test_other_seeds_draw_other_texts_and_no_temperature_none(talker):
    result = answerer(talker)([question("the cat", seed=seed) for seed in range(6)])
    assert len({item.text for item in result}) == 6
    greedy = answerer(talker)([question("the cat", temperature=0.0, seed=seed) for seed in range(3)])
    assert len({item.text for item in greedy}) == 1


def test_greedy_text_is_that_of_the_library(talker):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(talker), AutoModelForCausalLM.from_pretrained(talker).eval()
    ids = tokenizer("the cat", return_tensors="pt")
    written = model.generate(**ids, do_sample=False, max_new_tokens=12)[0, 2:]
    (result,) = answerer(talker)([question("the cat", temperature=0.0)])
    assert result.text.split() == tokenizer.decode(written, skip_special_tokens=True).split()


def test_a_text_is_continued_and_a_conversation_is_answered(make_tiny_policy, tiny_policy):
    """WordLevel puts a space between words: the continuation begins with it, as it stands in the whole text."""
    (result,) = answerer(tiny_policy)([question("the cat", temperature=0.0)])
    assert result.text.startswith(" ")
    shouting = make_tiny_policy(chat_template="{% for m in messages %}why {{ m['content'] }}{% endfor %}")
    talk, plain = answerer(shouting)(
        [question([{"role": "user", "content": "the cat"}], temperature=0.0), question("why the cat", temperature=0.0)]
    )
    assert talk.num_prompt_tokens == 3
    assert plain.text == f" {talk.text}"


def test_rendered_text_gets_no_special_tokens_and_an_empty_one_is_told(talker):
    nothing, item = answerer(talker)([question(""), question(Rendered("no"))])
    assert isinstance(nothing, RecordError)
    assert item.num_prompt_tokens == 1


def test_a_row_ends_before_its_own_stop(talker):
    """The stops of a row are words of the text it writes without any; the rows beside it go on."""
    free = answerer(talker)([question(prompt, limit=20, seed=n) for n, prompt in enumerate(PROMPTS)])
    stops = [text.text.split()[len(text.text.split()) // 2] for text in free]
    asked = [question(prompt, limit=20, seed=n, stop=[stops[n]]) for n, prompt in enumerate(PROMPTS)]
    asked[1] = asked[1]._replace(sampling=asked[1].sampling._replace(stop=("zebra",)))
    stopped = answerer(talker)(asked)
    assert stopped[1] == free[1]
    for n in (0, 2, 3, 4, 5):
        assert stopped[n].text == free[n].text[: free[n].text.index(stops[n])]
        assert not stopped[n].is_cut
        assert stopped[n].num_completion_tokens < free[n].num_completion_tokens
    assert stopped == [answerer(talker, 1)([item])[0] for item in asked]


def test_a_stop_across_tokens_is_found(talker):
    (free,) = answerer(talker)([question("the cat", limit=20, seed=3)])
    words = free.text.split()
    stop = f"{words[4]} {words[5]}"
    (result,) = answerer(talker)([question("the cat", limit=20, seed=3, stop=[stop])])
    assert result.text == free.text[: free.text.index(stop)]
    assert result.num_completion_tokens <= 6


@pytest.mark.parametrize("temperature", [0.0, 1.0], ids=["greedy", "drawn"])
def test_a_models_own_settings_of_generation_change_no_text_but_its_end_tokens_stay(make_tiny_policy, temperature):
    """<end> is 1; a second end token, from generation_config.json, ends answers too."""
    folder = make_tiny_policy()
    asked = [question(prompt, seed=n, temperature=temperature) for n, prompt in enumerate(PROMPTS)]
    plain = answerer(folder)(asked)
    ours = {"eos_token_id": 1, "pad_token_id": 0, "do_sample": True, "temperature": 0.1, "top_k": 1}
    ours |= {"repetition_penalty": 1.5, "no_repeat_ngram_size": 1, "min_new_tokens": 5, "suppress_tokens": [5, 6, 7]}
    path = folder / "generation_config.json"
    path.write_text(json.dumps(ours))
    assert answerer(folder)(asked) == plain
    second = plain[0].text.split()[0]
    path.write_text(json.dumps({"eos_token_id": [1, answerer(folder).tokenizer.convert_tokens_to_ids(second)]}))
    assert (answerer(folder)(asked)[0].text, answerer(folder)(asked)[0].is_cut) == ("", False)


def test_out_of_memory_halves_the_batch_and_draws_the_same(talker, monkeypatch):
    asked = [question(prompt, seed=n) for n, prompt in enumerate(PROMPTS)]
    whole, heard = answerer(talker)(asked), []
    small = LocalAnswerer(
        str(talker),
        device="cpu",
        precision=Precision.float32,
        batch_tokens=None,
        tell=lambda words: heard.append(words),
    )
    generate = type(small)._generate

    def generate_two(self, batch):
        if len(batch) > 2:
            raise torch.OutOfMemoryError
        return generate(self, batch)

    monkeypatch.setattr(type(small), "_generate", generate_two)
    monkeypatch.setattr(torch.accelerator, "empty_cache", lambda: None)
    assert small(asked) == whole
    assert heard


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of the model's libraries
def test_smollm2_draws_the_same_in_any_batch():
    talk = [{"role": "user", "content": "Name three animals."}]
    prompts = ["The capital of France is", talk, "Once upon a time there was a small red dog who", "1, 2, 3,"]
    asked = [question(prompt, limit=24, seed=seed) for prompt in prompts for seed in (1, 2)]
    together, alone = answerer("smollm2")(asked), answerer("smollm2", 1)
    assert together == [alone([item])[0] for item in asked]
    assert together[::-1] == answerer("smollm2", 100)(asked[::-1])
