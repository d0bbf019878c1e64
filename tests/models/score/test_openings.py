"""Where an answer begins in a prompt: with the header that a template writes, or goes on with one that is begun."""

import pytest

from real_cli.errors import RecordError
from real_cli.models.score.render import Renderer
from real_cli.records.questions import Question
from tests.models.score.test_chat_templates import asker, make_tokenizer, say

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

ASKED = [say("user", "Is tea hot?")]
DEAF = "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}\n{% endfor %}"
BRACKETS = (
    "{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] }} [/INST]{% else %}"
    " {{ m['content'] }}</s>{% endif %}{% endfor %}"
)


def with_template(template):
    tokenizer = make_tokenizer("zephyr")
    tokenizer.chat_template = template
    return tokenizer


def render(tokenizer, messages):
    notes = []
    answerer = asker(tokenizer, notes.append)
    ids = [answerer._render(Question(messages, str)) for _ in range(2)]
    assert ids[0] == ids[1]
    return ids[0], notes


def test_a_template_that_opens_no_answer_is_told_once():
    _, notes = render(with_template(DEAF), ASKED)
    assert [line for line in notes if "ignores add_generation_prompt" in line] == notes
    assert len(notes) == 1


@pytest.mark.parametrize("template", [BRACKETS, DEAF + "{% if add_generation_prompt %}<|assistant|>{% endif %}"])
def test_a_template_that_opens_an_answer_or_needs_nothing_for_it_is_not(template):
    assert render(with_template(template), ASKED)[1] == []


@pytest.mark.parametrize("template", [DEAF, BRACKETS])
@pytest.mark.parametrize("begun", ["Well, ", "Well,\n\n", "", "Is tea hot?"])
def test_an_answer_that_is_begun_ends_the_prompt(template, begun):
    """To the last blank, and though its words stand in the question too."""
    tokenizer = with_template(template)
    text = Renderer(tokenizer).text({}, [*ASKED, say("assistant", begun)], opens=True)
    whole = Renderer(tokenizer).text({}, [*ASKED, say("assistant", f"{begun}yes")])
    assert whole.startswith(text)
    assert whole[len(text) :].startswith("yes")


def test_a_template_that_leaves_the_answer_out_is_refused():
    tokenizer = with_template("{% for m in messages if m['role'] == 'user' %}{{ m['content'] }}{% endfor %}")
    with pytest.raises(RecordError, match="cannot go on with it"):
        Renderer(tokenizer).text({}, [*ASKED, say("assistant", "Well,")], opens=True)
