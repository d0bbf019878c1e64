"""The HTTP client under OpenAI's, with bounds on how long a whole response may take and how large it may be."""

import asyncio
import importlib
from typing import Any

from openai import DefaultAsyncHttpxClient

from real_cli.llm.spending.budget import Bill, OverBudget

# Ours because OpenAI's client has no such settings; retries and their waits stay with it.
# Eight long answers with their reasoning take a few MiB; anything larger is no answer.
MAX_BODY_BYTES = 1 << 22
# Rather than wait longer, give the question up: answers are cached, and the same command resumes later.
MAX_RETRY_AFTER_SECONDS = 60.0
KEPT_HEADERS = ("retry-after", "retry-after-ms")
PAYMENT_REQUIRED = 402
# OpenAI's client has come with two HTTP libraries of one interface.
HTTP: Any = importlib.import_module(DefaultAsyncHttpxClient.__mro__[1].__module__.partition(".")[0])


# Nothing was sent.
UNSENT = (HTTP.ConnectError, HTTP.ConnectTimeout, HTTP.PoolTimeout)


class BoundedClient(DefaultAsyncHttpxClient):
    """Read whole responses within bounds; follow no redirect; put every attempt on a bill, if there is one."""

    def __init__(self, seconds: float, bill: Bill | None = None, max_bytes: int | None = None) -> None:
        super().__init__(timeout=seconds, follow_redirects=False)
        self._seconds = seconds
        self._max_bytes = MAX_BODY_BYTES if max_bytes is None else max_bytes
        self._bill = bill

    async def send(self, request: Any, *, stream: bool = False, **options: Any) -> Any:
        """Send a request; a refused body leaves the reason in the response's extensions, as `fault`.

        A request that a limit forbids is answered here: OpenAI's client would retry after any exception.
        """
        if self._bill is None:
            return await self._send(request, **options)
        try:
            held = await self._bill.hold(request.content)
        except OverBudget as refusal:
            headers, extensions = {"x-should-retry": "false"}, {"refusal": refusal}
            return HTTP.Response(PAYMENT_REQUIRED, headers=headers, request=request, extensions=extensions)
        try:
            response = await self._send(request, **options)
        except UNSENT:
            self._bill.release(held)
            raise
        except BaseException:
            self._bill.lose(held)
            raise
        if response.is_success:
            self._bill.settle(held, response.content)
        else:
            self._bill.release(held)
        return response

    async def _send(self, request: Any, **options: Any) -> Any:
        try:
            # The client's timeout applies to each read: a server that trickles bytes would never exceed it.
            async with asyncio.timeout(self._seconds):
                response = await super().send(request, stream=True, **options)
                try:
                    body, fault = await _read(response, self._max_bytes)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise HTTP.ReadTimeout("the whole answer took too long", request=request) from None
        kept = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
        headers = kept | {"content-type": "application/json"}  # a server's charset may name a decompressor
        headers |= {"x-should-retry": "false"} if waits_too_long(response.headers) else {}
        extensions = {name: response.extensions[name] for name in ("reason_phrase",) if name in response.extensions}
        extensions |= {"fault": fault} if fault else {}
        status = response.status_code
        return HTTP.Response(status, headers=headers, content=body, request=request, extensions=extensions)


async def _read(response: Any, max_bytes: int) -> tuple[bytes, str]:
    """Read a raw body; return it, or nothing and the reason."""
    encoding = response.headers.get("content-encoding", "identity")
    if encoding.strip().lower() not in ("", "identity"):  # a few bytes may unpack to gigabytes
        return b"", f"it is compressed ({encoding[:20]}), though it was asked not to be"
    pieces, size = [], 0
    async for piece in response.aiter_raw():
        size += len(piece)
        if size > max_bytes:
            return b"", f"it is longer than {max_bytes >> 20} MiB"
        pieces.append(piece)
    return b"".join(pieces), ""


def waits_too_long(headers: Any) -> bool:
    """Tell whether a server's Retry-After is longer than a run waits."""
    from email.utils import parsedate_to_datetime
    from time import time

    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        value = headers.get(name, "")
        try:
            return float(value) * unit > MAX_RETRY_AFTER_SECONDS
        except ValueError:
            pass
    try:
        return parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time() > MAX_RETRY_AFTER_SECONDS
    except (TypeError, ValueError, OverflowError):
        return False
