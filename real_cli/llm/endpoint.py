"""An OpenAI-compatible server: one question, one answer, through the client that its users know."""

import os
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson

from real_cli.errors import RealError, RecordError, UsageError, clip
from real_cli.llm.chat import THINKERS_REFUSE, read_completion, request_body
from real_cli.records.questions import Completion, Question
from real_cli.records.record import Record

# What the client would tell the server about this machine.
FINGERPRINTS = [
    f"X-Stainless-{name}" for name in ("Lang", "Package-Version", "OS", "Arch", "Runtime", "Runtime-Version", "Async")
]
# Faults of the whole run and of no record: to go on would meet them again with every question.
FATAL_STATUSES = {401: "check the key", 403: "check the key", 404: "check the address and the model's name"}
# Questions and the key go where the user said, and nowhere else.
FATAL_STATUSES |= dict.fromkeys((301, 302, 303, 307, 308), "it leads elsewhere: give the address that it leads to")
# A shorter word may stand in an answer by chance.
MIN_KEY_CHARACTERS = 16
MAX_URL_CHARACTERS = 2048


BESIDE = ("top_k",)
# What may be refused, and what is told the first time.
REFUSALS = {
    "response_format": "the server takes no JSON schema: answers are read as they come",
    "n": "the server takes no 'n' above 1: responses are asked for one by one",
    "max_tokens": "the model takes no 'max_tokens': it is sent 'max_completion_tokens'",
    "temperature": "the model takes no 'temperature': it answers at its own",
    "top_p": "the model takes no 'top_p': it answers at its own",
    "top_k": "the server takes no 'top_k': it draws from all tokens",
}


class Server(NamedTuple):
    """Where to ask.

    Attributes:
        url: The address, up to and including /v1.
        model: The model's name there.
        key_variable: The environment variable that holds the key.
        num_retries: How often a question is asked again after 408, 409, 429, 5xx, a cut connection or a timeout.
        timeout_seconds: How long one answer may take, to its last byte.
        thinks: Whether the model is one that thinks before it answers, and so refuses some settings.
    """

    url: str
    model: str
    key_variable: str
    num_retries: int
    timeout_seconds: float
    thinks: bool = False


class Endpoint:
    """Ask a server. Waiting between retries, a minute at most where a server's Retry-After says so, is the client's."""

    def __init__(self, server: Server, told: Callable[[str], None]) -> None:
        try:
            parts = urlsplit(server.url if server.url.isprintable() and len(server.url) <= MAX_URL_CHARACTERS else "")
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname or not _has_port(server.url):
            raise UsageError(f"--endpoint {clip(server.url)}: an address is needed, as http://localhost:8000/v1")
        if parts.username or parts.password:
            raise UsageError(f"--endpoint: no key in the address; put it into the variable {server.key_variable}")
        # A key from a file often ends its line.
        self._key = os.environ.get(server.key_variable, "").strip()
        if not (self._key.isascii() and self._key.isprintable()) or " " in self._key:
            raise UsageError(
                f"--key-variable {server.key_variable}: holds what no key has, or more than one; give the key alone"
            )
        self._server = server
        self._without = THINKERS_REFUSE if server.thinks else frozenset()
        self._told = told

    async def open(self) -> None:
        """Make the client; it belongs to the running event loop."""
        from openai import AsyncOpenAI, Omit

        from real_cli.llm.bounded_client import BoundedClient

        # Headers for OpenAI's own server, keys among them; the client would send them to any.
        os.environ.pop("OPENAI_CUSTOM_HEADERS", None)
        omitted: Any = dict.fromkeys(["OpenAI-Organization", "OpenAI-Project", *FINGERPRINTS], Omit())
        try:
            http_client = BoundedClient(self._server.timeout_seconds)
        except (ImportError, ValueError) as error:  # a proxy of another kind than the client knows
            what = clip(" ".join(str(error).split()), 120)
            raise RealError(
                f"{self._server.url}: the proxy that ALL_PROXY, HTTP_PROXY or HTTPS_PROXY names cannot be used: "
                f"{what}; name an http:// one, or set NO_PROXY"
            ) from None
        except OSError as error:  # the certificates of the system, or those that are named in their place
            raise RealError(
                f"{self._server.url}: no certificates to trust ({error.strerror}); see SSL_CERT_FILE and SSL_CERT_DIR"
            ) from None
        self._client = AsyncOpenAI(
            base_url=self._server.url,
            # Always something: without one the client would take a key that is meant for another server.
            api_key=self._key or "none",
            organization="",
            project="",
            max_retries=self._server.num_retries,
            timeout=self._server.timeout_seconds,
            default_headers=omitted | {"User-Agent": "real", "Accept-Encoding": "identity"},
            http_client=http_client,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def ask(self, question: Question) -> Completion:
        """Ask one question.

        Args:
            question: The question. What the server has refused of it is left out: its schema, choices beyond the first,
                settings that the model does not take.

        Returns:
            What the model wrote.

        Raises:
            RecordError: If this question got no answer; the reason, without the key.
            RealError: If no question will get one.
        """
        without = self._without
        while True:
            try:
                completion = await self._ask(question, without)
                break
            except SettingRefused as refusal:
                # That it was the schema was a guess.
                guessed = {"response_format"} if refusal.setting == "n" else frozenset()
                without = (without - guessed) | self._without | {refusal.setting}
        for setting in REFUSALS:
            if setting in without - self._without:  # it was that, and nothing else
                self._without |= {setting}
                self._told(REFUSALS[setting])
        return completion

    async def _ask(self, question: Question, without: frozenset[str]) -> Completion:
        import openai

        alone = question._replace(sampling=question.sampling._replace(num_choices=1))
        asked = alone if "n" in without else question
        is_held = "response_format" not in without
        body = request_body(self._server.model, asked, constrained=is_held, without=without)
        try:
            # The client knows OpenAI's own settings; others go beside them.
            beside = {name: body.pop(name) for name in BESIDE if name in body}
            create = self._client.chat.completions.with_raw_response.create
            response = await create(**body, extra_body=beside or None)
        except openai.APITimeoutError:
            raise RecordError(f"no answer within {self._server.timeout_seconds:g} seconds{self._tried()}") from None
        except openai.APIConnectionError as error:
            raise self._connection_error(error) from None
        except openai.APIStatusError as error:
            raise self._status_error(error, body | beside) from None
        return self._read(response.http_response)

    def _read(self, response: Any) -> Completion:
        if "fault" in response.extensions:
            raise RecordError(f"the server's answer is not read: {response.extensions['fault']}")
        try:
            answer = orjson.loads(response.content)
        except orjson.JSONDecodeError:
            raise RecordError(f"the server's answer is no JSON: {clip(self._redacted(response.text))}") from None
        if len(self._key) >= MIN_KEY_CHARACTERS and holds_text(answer, self._key):
            raise RecordError(f"the server's answer repeats the key of {self._server.key_variable}: it is not kept")
        return read_completion(answer)

    def _redacted(self, text: str) -> str:
        """Take the key out of what a server says; some repeat it."""
        pattern = r"\s*".join(map(re.escape, self._key))
        return re.sub(pattern, "***", text, flags=re.IGNORECASE) if self._key else text

    def _tried(self) -> str:
        retries = self._server.num_retries
        return f" ({retries + 1} attempts)" if retries else ""

    def _connection_error(self, error: Any) -> RealError:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        reason = self._redacted(" ".join(str(cause).split()))[:200] or type(cause).__name__
        if isinstance(cause, ConnectionRefusedError) or "ConnectError" in type(error.__cause__).__name__:
            return RealError(f"{self._server.url}: cannot be reached: {reason}; is the server running?")
        return RecordError(f"the connection was cut{self._tried()}: {reason}")

    def _status_error(self, error: Any, body: Record) -> RealError:
        status = int(error.status_code)
        if status in (400, 422) and (setting := _refused_setting(error.body, body)):
            return SettingRefused(setting)
        words = self._redacted(_reason(error.body) or error.response.reason_phrase)[:200]
        if status in FATAL_STATUSES:
            return RealError(f"{self._server.url}: {status} {words}; {FATAL_STATUSES[status]}")
        if error.response.headers.get("x-should-retry") == "false":
            wait = self._redacted(error.response.headers.get("retry-after", ""))[:40]
            return RecordError(f"the server answered {status} and asks to wait {wait or 'long'}: {words}")
        tried = self._tried() if status in (408, 409, 429) or status >= 500 else ""
        return RecordError(f"the server answered {status}{tried}: {words}")


class SettingRefused(RealError):
    """The server does not take a part of a request; the question may be asked without."""

    def __init__(self, setting: str) -> None:
        super().__init__(f"the server takes no '{setting}'")
        self.setting = setting


def _refused_setting(reply: Any, body: Record) -> str | None:
    """Guess which part of a request a server refused: one that it names, else what not every server knows."""
    words = _reason(reply)
    if "max_tokens" in body and "max_completion_tokens" in words:
        return "max_tokens"
    refuses = re.search(
        r"support|only the default|deprecat|not allowed|not permitted|unrecognized|unknown|unexpected|both", words, re.I
    )
    settings = ("temperature", "top_p", "top_k") if refuses else ()
    named = [name for name in settings if name in body and re.search(rf"\b{name}\b", words)]
    return next((name for name in [*named, "response_format", "n"] if name in body), None)


def _has_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def holds_text(value: Any, text: str) -> bool:
    """Tell whether a JSON value holds a text anywhere; letters in another case and line ends within do not hide it."""
    wanted = "".join(text.split()).casefold()
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting += [*part, *part.values()]
        elif isinstance(part, list):
            waiting += part
        elif isinstance(part, str) and wanted in "".join(part.split()).casefold():
            return True
    return False


def _reason(body: Any) -> str:
    """Find what a server says about its refusal, in one line."""
    if isinstance(body, dict):
        inner = body.get("error", body)
        body = inner.get("message") or inner.get("detail") if isinstance(inner, dict) else inner
    return " ".join(str(body or "").split())
