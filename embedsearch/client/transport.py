"""The door to httpx: the only module of the client that imports it."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from threading import TIMEOUT_MAX
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.request import getproxies, proxy_bypass

import httpx
import msgspec

from embedsearch.client.answers import Answer
from embedsearch.client.bodies import Body
from embedsearch.client.multipart import Multipart
from embedsearch.client.settings import is_absent, is_loopback
from embedsearch.errors import ConnectionFailed, ConnectionRefused, MissingDependency, TimedOut

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator

    from embedsearch.client.requests import Request
    from embedsearch.client.settings import Options, Settings, Timeout

H = TypeVar("H", httpx.Client, httpx.AsyncClient)

CONNECT = 5.0
"""Seconds to connect, as the official SDK."""
LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=100)
UNTOLD = httpx.Timeout(5.0)
"""What httpx has where nobody says; each request has its own."""
HEADERS = {"user-agent": "embedsearch"}
DIRECT = {"all://localhost": None, "all://127.0.0.1": None, "all://[::1]": None}
"""What is on this machine is reached through no proxy: that would carry it away."""

READS, HASTE = 4, 0.1
"""How often, after the last event of a stream, is read for its end, and for how many seconds."""

START = "start it, or name another: OPENAI_BASE_URL, --base-url; in Python: base_url=..."
PROXY = "the environment names a proxy (HTTPS_PROXY, ALL_PROXY): is it running?"
UNREACHED = "is the server running, and the base URL right?"
MISTRUSTED = {
    "CERTIFICATE_VERIFY_FAILED": "if the certificate is your own, name it in SSL_CERT_FILE",
    "WRONG_VERSION_NUMBER": "the base URL says https: does the server speak http?",
}
"""What to do where TLS fails for good, by a word in the failure."""

SHORTEST, SHORTEST_PASSWORD = 8, 4
"""Characters of a key, and of a login's password, that is hidden where a server quotes it. Shorter
keys are placeholders, as local servers want some; they may be any word."""

_KEY_HEADERS = ("authorization", "api-key")


def connect(given: httpx.Client | None) -> httpx.Client:
    """Open a pool of connections for the blocking client, where none is given."""
    return _checked(given, httpx.Client)


def connect_async(given: httpx.AsyncClient | None) -> httpx.AsyncClient:
    """Open a pool of connections for the awaiting client, where none is given."""
    return _checked(given, httpx.AsyncClient)


def heed(given: object, options: Options) -> None:
    """Let the timeout that an injected client has count, where no other is given, as in the SDK."""
    own = getattr(given, "timeout", UNTOLD)
    if own != UNTOLD and is_absent(options.get("timeout", msgspec.UNSET)):
        options["timeout"] = own


def _checked(given: H | None, kind: type[H]) -> H:
    if given is None:
        return _opened(kind)
    if isinstance(given, kind):
        return given
    got = type(given)
    name = f"{got.__module__.partition('.')[0]}.{got.__name__.lstrip('_')}"
    raise TypeError(f"expected http_client as httpx.{kind.__name__}, got {name}")


def _opened(kind: type[H]) -> H:
    try:
        return kind(limits=LIMITS, headers=HEADERS, mounts=DIRECT)
    except ImportError as error:  # httpx opens the proxies of the environment at once
        raise MissingDependency(
            "the environment names a SOCKS proxy (ALL_PROXY, HTTPS_PROXY), which needs socksio",
            hint="pip install 'httpx[socks]', or unset the variable",
        ) from error


class Key(httpx.Auth):
    """Puts the key on a request when it is sent, so that no object before that holds it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the key."""
        yield self._signed(request, self._settings.credentials(self._settings.key()))

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Add the key, awaited where that is needed."""
        yield self._signed(request, self._settings.credentials(await self._awaited()))

    def _signed(self, request: httpx.Request, credentials: dict[str, str]) -> httpx.Request:
        """Add the key, unless the caller set that header; without either, the address's login."""
        for name, value in credentials.items():
            request.headers.setdefault(name, value)
        login = self._settings.login
        if login and not request.headers.keys() & set(_KEY_HEADERS):
            return next(httpx.BasicAuth(*login).auth_flow(request))
        return request

    async def _awaited(self) -> object:
        key = self._settings.key()
        return await key if isinstance(key, Awaitable) else key


class Chunks:
    """The body of a stream as it comes; raises ConnectionFailed where it breaks off, or is over."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.close = response.close

    def __iter__(self) -> Iterator[bytes]:
        return self.of(None)

    def of(self, size: int | None) -> Iterator[bytes]:
        """Yield it in pieces of a size, None for as it comes."""
        try:
            yield from self._response.iter_bytes(size)
        except httpx.RequestError as error:
            failed = _failed(error, self._response.url)
        except httpx.StreamError:
            failed = _over(self._response.url)
        else:
            return
        finally:
            self.close()
        raise failed

    def finish(self) -> None:
        """Read to the end where that is near, as only then the connection is kept; and close."""
        _hurry(self._response)
        with suppress(httpx.RequestError, httpx.StreamError):
            for read, _ in enumerate(cast("httpx.SyncByteStream", self._response.stream), 1):
                if read == READS:
                    break
        self.close()


class AsyncChunks:
    """The same for the awaiting client."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.close = response.aclose

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.of(None)

    async def of(self, size: int | None) -> AsyncIterator[bytes]:
        """Yield it in pieces of a size, None for as it comes."""
        try:
            async for chunk in self._response.aiter_bytes(size):
                yield chunk
        except httpx.RequestError as error:
            failed = _failed(error, self._response.url)
        except httpx.StreamError:
            failed = _over(self._response.url)
        else:
            return
        finally:
            await self.close()
        raise failed

    async def finish(self) -> None:
        """Read to the end where that is near, as only then the connection is kept; and close."""
        _hurry(self._response)
        read = 0
        with suppress(httpx.RequestError, httpx.StreamError):
            async for _ in cast("httpx.AsyncByteStream", self._response.stream):
                read += 1
                if read == READS:
                    break
        await self.close()


def _hurry(response: httpx.Response) -> None:
    """Let whoever begins to read a response wait a moment only, whatever the request's timeout."""
    response.request.extensions["timeout"] = {"read": HASTE}


def send(http: httpx.Client, request: Request, key: Key) -> Answer | ConnectionFailed:
    """Send a request; a failure to get an answer is given back, not raised.

    Raises InvalidAnswer for one that has no end.
    """
    body = iter(request.content) if isinstance(request.content, Multipart) else request.content
    built = _built(http, request, body)
    try:
        response = http.send(built, auth=key, stream=True, follow_redirects=False)
        head = _head(response)
        if request.stream and response.is_success:
            return replace(head, chunks=Chunks(response))
        try:
            came = Body(head, request.most, is_here=response.is_stream_consumed)
            for chunk in response.iter_raw() if came.is_raw else response.iter_bytes():
                if not came.add(chunk):
                    break
        finally:
            response.close()
    except httpx.RequestError as error:
        return _failed(error, built.url)
    return came.answer


async def send_async(
    http: httpx.AsyncClient, request: Request, key: Key
) -> Answer | ConnectionFailed:
    """Send a request, and give back and raise the same."""
    form = request.content
    built = _built(http, request, _read_aside(form) if isinstance(form, Multipart) else form)
    try:
        response = await http.send(built, auth=key, stream=True, follow_redirects=False)
        head = _head(response)
        if request.stream and response.is_success:
            return replace(head, chunks=AsyncChunks(response))
        try:
            came = Body(head, request.most, is_here=response.is_stream_consumed)
            async for chunk in response.aiter_raw() if came.is_raw else response.aiter_bytes():
                if not came.add(chunk):
                    break
        finally:
            await response.aclose()
    except httpx.RequestError as error:
        return _failed(error, built.url)
    return came.answer


def _built(
    http: httpx.Client | httpx.AsyncClient,
    request: Request,
    body: bytes | Iterator[bytes] | AsyncIterator[bytes] | None,
) -> httpx.Request:
    headers = dict(request.headers)
    if isinstance(request.content, Multipart):
        headers["content-length"] = str(request.content.size)
    return http.build_request(
        request.method,
        request.url,
        headers=headers,
        content=body,
        timeout=_timeout(request.timeout),
    )


def _timeout(asked: Timeout) -> httpx.Timeout:
    if isinstance(asked, httpx.Timeout):
        return asked
    if isinstance(asked, (int, float)):
        if not 0 <= asked <= TIMEOUT_MAX:
            raise ValueError(
                f"expected a timeout from 0 to {TIMEOUT_MAX:.0f} seconds, or None for no end,"
                f" got {asked!r}"
            )
        return httpx.Timeout(asked, connect=min(CONNECT, asked or CONNECT))
    if asked is None:
        return httpx.Timeout(None, connect=CONNECT)
    raise TypeError(f"expected a timeout in seconds, an httpx.Timeout or None, got {asked!r}")


async def _read_aside(form: Multipart) -> AsyncIterator[bytes]:
    """Read the form's files in a thread: a slow disk must not hold up the loop."""
    import asyncio

    chunks = iter(form)
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield chunk


def _head(response: httpx.Response) -> Answer:
    """Return an answer as far as it is known before its body."""
    return Answer(
        response.status_code,
        response.headers,
        host=response.url.netloc.decode(),  # The login in an address is no part of it.
        secrets=partial(_secrets, response.request),
        method=response.request.method,
        url=str(response.url.copy_with(userinfo=b"") if response.url.userinfo else response.url),
    )


def _secrets(request: httpx.Request) -> list[str]:
    sent = [request.headers.get(header, "") for header in _KEY_HEADERS]
    keys = (header.rpartition(" ")[2] for header in sent)
    passwords = (form for header in sent for form in _password(header))
    return [
        *(key for key in keys if len(key) >= SHORTEST),
        *(password for password in passwords if len(password) >= SHORTEST_PASSWORD),
    ]


def _password(header: str) -> set[str]:
    """Return the password of a login that is sent, as it is and as JSON spells it."""
    scheme, _, login = header.partition(" ")
    if scheme.lower() != "basic":
        return set()
    with suppress(ValueError):
        password = b64decode(login).decode().partition(":")[2]
        return {password, *(json.dumps(password, ensure_ascii=by)[1:-1] for by in (True, False))}
    return set()


def _failed(error: httpx.RequestError, url: httpx.URL) -> ConnectionFailed:
    """Translate a failure. It is not chained: httpx's frames hold headers, and so the key."""
    if _refused(error):
        where = f"{url.scheme}://{url.netloc.decode()}"
        if _proxied(url):
            return ConnectionRefused(f"the way to {where} is refused", hint=PROXY)
        return ConnectionRefused(f"nothing listens at {where}", hint=START)
    kind = TimedOut if isinstance(error, httpx.TimeoutException) else ConnectionFailed
    final = next((hint for word, hint in MISTRUSTED.items() if word in str(error)), None)
    hint = UNREACHED if isinstance(error, httpx.ConnectError) else None
    failed = kind(
        f"no answer from {url.netloc.decode()}: {type(error).__name__} {error}".rstrip(),
        hint=final or hint,
    )
    failed.passes = final is None
    return failed


def _over(url: httpx.URL) -> ConnectionFailed:
    """Make the error of a stream that is closed, or was read before."""
    return ConnectionFailed(
        f"the answer of {url.netloc.decode()} can't be read any more: it is closed, or was read",
        hint="read it once, before it is closed; what leaves a with block closes",
    )


def _proxied(url: httpx.URL) -> bool:
    """Tell whether the environment sends a request through a proxy."""
    named = getproxies().keys() & {url.scheme, "all"}
    return bool(named) and not (is_loopback(url.host) or proxy_bypass(url.host))


def _refused(error: BaseException) -> bool:
    """Tell whether a failure comes of a refused connection: of all, where a name has several."""
    if isinstance(error, BaseExceptionGroup):
        return all(_refused(each) for each in error.exceptions)
    cause = error.__cause__ or error.__context__
    return isinstance(error, ConnectionRefusedError) or (cause is not None and _refused(cause))
