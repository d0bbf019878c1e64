"""Models that think first want 'max_completion_tokens' and refuse a temperature: they are asked again without."""

import io
import json

import pytest

from real_cli.errors import RecordError
from real_cli.llm.chat import read_completion, request_key
from real_cli.llm.cost import Ledger
from real_cli.llm.openai_batch import BatchWriter
from real_cli.records.questions import Sampling
from tests import servers
from tests.llm.test_endpoint import GOOD, HELD, HELLO, ask
from tests.servers import fails, says

TOKENS = (
    "max_tokens",
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
)
HEAT = (
    "temperature",
    "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
)
SHARE = ("top_p", "Unsupported parameter: 'top_p' is not supported with this model.")
TOLD = {
    "max_tokens": "the model takes no 'max_tokens': it is sent 'max_completion_tokens'",
    "temperature": "the model takes no 'temperature': it uses its own",
    "top_p": "the model takes no 'top_p': it uses its own",
}


def refuses(*settings):
    def script(request):
        for name, message in settings:
            if name in request.body:
                return fails(400, message)
        return says("A")

    return script


@pytest.mark.parametrize("settings", [[TOKENS], [HEAT], [SHARE], [TOKENS, HEAT, SHARE]])
def test_a_model_that_refuses_settings_is_asked_without_and_that_is_told_once(settings):
    notes = []
    with servers.Server(refuses(*settings)) as server:
        assert ask(server.url, HELD, HELD, notes=notes) == [GOOD, GOOD]
    assert notes == [TOLD[name] for name, _ in settings]
    last = server.requests[-1].body
    assert not {name for name, _ in settings} & set(last)
    assert last.get("max_completion_tokens") == (512 if TOKENS in settings else None)
    # What was not refused is still asked for.
    assert "response_format" in last
    assert len(server.requests) == 2 + len(settings)


def test_a_limit_that_is_too_large_is_not_sent_by_another_name():
    with servers.Server(lambda request: fails(400, "max_tokens is too large: 512")) as server:
        (error,) = ask(server.url, HELLO)
    assert str(error) == "the server answered 400: max_tokens is too large: 512"
    assert len(server.requests) == 1


def test_a_temperature_out_of_range_is_the_users_to_mend():
    with servers.Server(lambda request: fails(400, "temperature must be at most 1")) as server:
        (error,) = ask(server.url, HELLO)
    assert str(error) == "the server answered 400: temperature must be at most 1"
    assert len(server.requests) == 1


def test_a_model_that_is_said_to_think_is_asked_so_at_once():
    notes = []
    with servers.Server(refuses(TOKENS, HEAT, SHARE)) as server:
        assert ask(server.url, HELD, notes=notes, thinks=True) == [GOOD]
    assert (len(server.requests), notes) == (1, [])


def test_the_likeliest_tokens_are_a_setting_of_servers_that_have_it():
    """vLLM's and SGLang's name; OpenAI's client would not take it as its own."""
    notes, few = [], HELLO._replace(sampling=Sampling(8, 0.9, top_k=50))
    with servers.Server(refuses(("top_k", "Unrecognized request argument supplied: top_k"))) as server:
        assert ask(server.url, few, HELLO, notes=notes) == [GOOD, GOOD]
    assert [request.body.get("top_k") for request in server.requests] == [50, None, None]
    assert notes == ["the server takes no 'top_k': it draws from all tokens"]
    assert request_key("m", few) != request_key("m", few._replace(sampling=Sampling(8, 0.9)))


def test_what_a_server_reasons_beside_its_answer_is_not_the_answer():
    message = {"role": "assistant", "content": "A", "reasoning_content": "B", "reasoning": "B"}
    assert read_completion({"choices": [{"message": message}]}).text == "A"
    with pytest.raises(RecordError, match="holds no text"):
        read_completion({"choices": [{"message": message | {"content": None}}]})


def test_thoughts_in_parts_of_their_own_are_left_out():
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "B"}]}
    parts = [thought, {"type": "text", "text": "Verdict: "}, {"type": "text", "text": "A"}]
    assert read_completion({"choices": [{"message": {"content": parts}}]}).text == "Verdict: A"
    for nothing in ([thought], [*parts, {"type": "image_url"}], []):
        with pytest.raises(RecordError, match="holds no text"):
            read_completion({"choices": [{"message": {"content": nothing}}]})


def test_a_batch_for_such_a_model_has_other_settings_and_the_same_names():
    """So that its results answer the same questions, whoever applies them."""
    file = io.BytesIO()
    question = HELLO._replace(sampling=Sampling(8))
    BatchWriter(Ledger("m", {}), file, thinks=True)([question])
    line = json.loads(file.getvalue())
    assert line["custom_id"] == request_key("m", question)
    assert line["body"] == {"model": "m", "messages": HELLO.messages, "max_completion_tokens": 8}
