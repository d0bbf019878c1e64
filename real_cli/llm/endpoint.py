"""An OpenAI-compatible server, asked one question at a time through OpenAI's client."""

import os
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson

from real_cli.errors import RealError, RecordError, UsageError, clip
from real_cli.llm.chat import THINKERS_REFUSE, read_completion, request_body
from real_cli.llm.spending.budget import Bill, OverBudget
from real_cli.records.questions import Completion, Question
from real_cli.records.record import Record

# Headers in which the client describes this machine.
FINGERPRINTS = [
    f"X-Stainless-{name}" for name in ("Lang", "Package-Version", "OS", "Arch", "Runtime", "Runtime-Version", "Async")
]
# Errors of the whole run, not of a record: every further question would meet them too.
FATAL_STATUSES = {401: "check the key", 403: "check the key", 404: "check the address and the model's name"}
# Questions and key go to the address the user gave, and nowhere else.
FATAL_STATUSES |= dict.fromkeys((301, 302, 303, 307, 308), "it leads elsewhere: give the address that it leads to")
# A shorter key may occur in an answer by chance.
MIN_KEY_CHARACTERS = 16
MAX_URL_CHARACTERS = 2048
# Settings that OpenAI's client does not know; they go beside its own.
BESIDE = ("top_k",)
# Settings that a server may refuse, and what is reported the first time.
REFUSALS = {
    "response_format": "the server takes no JSON schema: answers are read as they come",
    "n": "the server takes no 'n' above 1: responses are asked for one by one",
    "max_tokens": "the model takes no 'max_tokens': it is sent 'max_completion_tokens'",
    "temperature": "the model takes no 'temperature': it uses its own",
    "top_p": "the model takes no 'top_p': it uses its own",
    "top_k": "the server takes no 'top_k': it draws from all tokens",
    "logprobs": "the server gives no 'logprobs': probabilities come from verdicts alone",
}


class Server(NamedTuple):
    """A server, and how to ask it.

    Attributes:
        url: The address, up to and including /v1.
        model: The model's name there.
        key_variable: The environment variable that holds the key.
        num_retries: How often a question is asked again after 408, 409, 429, 5xx, a cut connection or a timeout.
        timeout_seconds: How long one answer may take, to its last byte.
        thinks: Whether it is a reasoning model, which refuses some settings.
    """

    url: str
    model: str
    key_variable: str
    num_retries: int
    timeout_seconds: float
    thinks: bool = False


class Connection:
    """Post to a server; OpenAI's client retries, and waits as long as a Retry-After of up to a minute asks."""

    # What to check where a status ends the run; what a request is that the server refuses for what is in it; the most
    # bytes of a reply, None for the client's own limit.
    fatal: Mapping[int, str] = FATAL_STATUSES
    refusal: type[RecordError] = RecordError
    max_bytes: int | None = None

    def __init__(self, server: Server, tell: Callable[[str], None], bill: Bill | None = None) -> None:
        check_address(server.url, server.key_variable)
        # A key read from a file often ends with a line break.
        self._key = os.environ.get(server.key_variable, "").strip()
        if not (self._key.isascii() and self._key.isprintable()) or " " in self._key:
            raise UsageError(
                f"--key-variable {server.key_variable}: holds spaces or characters that no key has; give the key alone"
            )
        self._server = server
        self._tell = tell
        self._bill = bill

    async def open(self) -> None:
        """Create the client, which belongs to the running event loop."""
        from openai import AsyncOpenAI, Omit

        from real_cli.llm.bounded_client import BoundedClient

        # It may hold keys for OpenAI's own server; the client would send them to any.
        os.environ.pop("OPENAI_CUSTOM_HEADERS", None)
        omitted: Any = dict.fromkeys(["OpenAI-Organization", "OpenAI-Project", *FINGERPRINTS], Omit())
        try:
            http_client = BoundedClient(self._server.timeout_seconds, self._bill, self.max_bytes)
        except (ImportError, ValueError) as error:  # a proxy of a kind that the client does not support
            what = clip(" ".join(str(error).split()), 120)
            raise RealError(
                f"{self._server.url}: the proxy that ALL_PROXY, HTTP_PROXY or HTTPS_PROXY names cannot be used: "
                f"{what}; name an http:// one, or set NO_PROXY"
            ) from None
        except OSError as error:  # certificates of the system, or of SSL_CERT_FILE, that cannot be read
            raise RealError(
                f"{self._server.url}: no certificates to trust ({error.strerror}); see SSL_CERT_FILE and SSL_CERT_DIR"
            ) from None
        self._client = AsyncOpenAI(
            base_url=self._server.url,
            # Never empty: the client would fall back on a key meant for another server.
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

    async def post(self, url: str, body: Record) -> Any:
        """Post to an address, one on the server or a route behind its address; returns the reply, which was JSON."""
        from real_cli.llm.bounded_client import HTTP

        return self.parsed(await self.send(self._client.post(url, cast_to=HTTP.Response, body=body), body))

    async def send(self, request: Awaitable[Any], body: Record) -> Any:
        """Await a request of OpenAI's client; its errors become ours."""
        import openai

        try:
            return await request
        except openai.APITimeoutError:
            raise RecordError(f"no answer within {self._server.timeout_seconds:g} seconds{self._tried()}") from None
        except openai.APIConnectionError as error:
            raise self._connection_error(error) from None
        except openai.APIStatusError as error:
            raise self._status_error(error, body) from None

    def parsed(self, response: Any) -> Any:
        """Parse a reply's JSON."""
        if "fault" in response.extensions:
            raise RecordError(f"the server's answer is refused: {response.extensions['fault']}")
        try:
            answer = orjson.loads(response.content)
        except orjson.JSONDecodeError:
            raise RecordError(f"the server's answer is not JSON: {clip(self._redacted(response.text))}") from None
        if len(self._key) >= MIN_KEY_CHARACTERS and holds_text(answer, self._key):
            raise RecordError(f"the server's answer repeats the key of {self._server.key_variable}: it is not kept")
        return answer

    def _redacted(self, text: str) -> str:
        """Mask the key in a server's words; some repeat it."""
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
        refusal = error.response.extensions.get("refusal")
        if isinstance(refusal, OverBudget):
            return refusal
        status = int(error.status_code)
        if status in (400, 422) and (setting := _refused_setting(error.body, body)):
            return SettingRefused(setting)
        words = self._redacted(_reason(error.body) or error.response.reason_phrase)[:200]
        if status in self.fatal:
            return RealError(f"{self._server.url}: {status} {words}; {self.fatal[status]}")
        if error.response.headers.get("x-should-retry") == "false":
            wait = self._redacted(error.response.headers.get("retry-after", ""))[:40]
            return RecordError(f"the server answered {status} and asks to wait {wait or 'long'}: {words}")
        tried = self._tried() if status in (408, 409, 429) or status >= 500 else ""
        kind = RecordError if status in (408, 409, 429) else self.refusal
        return kind(f"the server answered {status}{tried}: {words}")


class Endpoint(Connection):
    """Ask a server for chat completions."""

    def __init__(self, server: Server, tell: Callable[[str], None], bill: Bill | None = None) -> None:
        super().__init__(server, tell, bill)
        self._without = THINKERS_REFUSE if server.thinks else frozenset()

    async def ask(self, question: Question) -> Completion:
        """Ask one question, without what the server has refused: its schema, further choices, some settings."""
        without = self._without
        while True:
            try:
                completion = await self._ask(question, without)
                break
            except SettingRefused as refusal:
                # Still refused without the schema: that guess was wrong.
                guessed = {"response_format"} if refusal.setting in ("n", "logprobs") else frozenset()
                without = (without - guessed) | self._without | {refusal.setting}
        for setting in REFUSALS:
            if setting in without - self._without:  # the call went through without it
                self._without |= {setting}
                self._tell(REFUSALS[setting])
        return completion

    async def _ask(self, question: Question, without: frozenset[str]) -> Completion:
        alone = question._replace(sampling=question.sampling._replace(num_choices=1))
        asked = alone if "n" in without else question
        is_held = "response_format" not in without
        body = request_body(self._server.model, asked, constrained=is_held, without=without)
        beside = {name: body.pop(name) for name in BESIDE if name in body}
        create = self._client.chat.completions.with_raw_response.create
        response = await self.send(create(**body, extra_body=beside or None), body | beside)
        return read_completion(self.parsed(response.http_response))


def check_address(url: str, key_variable: str) -> None:
    """Refuse what is no server's address, or holds a key."""
    try:
        parts = urlsplit(url if url.isprintable() and len(url) <= MAX_URL_CHARACTERS else "")
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or not _has_port(url):
        raise UsageError(f"--endpoint {clip(url)}: an address is needed, as http://localhost:8000/v1")
    if parts.username or parts.password:
        variable = key_variable or "that NAME@URL#VARIABLE names"  # of several servers each has its own key, or none
        raise UsageError(f"--endpoint: no key in the address; put it into the variable {variable}")


class SettingRefused(RealError):
    """The server refuses a setting; the question may be asked without it."""

    def __init__(self, setting: str) -> None:
        super().__init__(f"the server takes no '{setting}'")
        self.setting = setting


def _refused_setting(reply: Any, body: Record) -> str | None:
    """Guess which setting a server refused: one that it names, else one that not every server supports."""
    words = _reason(reply)
    if "max_tokens" in body and "max_completion_tokens" in words:
        return "max_tokens"
    refuses = re.search(
        r"support|only the default|deprecat|not allowed|not permitted|unrecognized|unknown|unexpected|both", words, re.I
    )
    settings = ("temperature", "top_p", "top_k", "logprobs") if refuses else ()
    named = [name for name in settings if name in body and re.search(rf"\b(?:top_)?{name}\b", words)]
    return next((name for name in [*named, "response_format", "n", "logprobs"] if name in body), None)


def _has_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def holds_text(value: Any, text: str) -> bool:
    """Tell whether a JSON value contains a text anywhere, whatever its case and white space."""
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
    """Return a server's error message on one line."""
    if isinstance(body, dict):
        inner = body.get("error", body)
        body = inner.get("message") or inner.get("detail") if isinstance(inner, dict) else inner
    return " ".join(str(body or "").split())
