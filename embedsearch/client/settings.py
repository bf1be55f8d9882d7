"""Where a client sends its requests, and as whom: arguments first, then the environment."""

import os
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypedDict, Unpack
from urllib.parse import quote, unquote, urlsplit

from msgspec import UNSET

from embedsearch.errors import AuthenticationFailed

if TYPE_CHECKING:
    import httpx

OPENAI = "https://api.openai.com/v1"
TIMEOUT = 600.0
"""Seconds, as the official SDK: a long completion says nothing until it is done."""
MAX_RETRIES = 5

DEPLOYED = frozenset(
    {
        "/audio/speech",
        "/audio/transcriptions",
        "/audio/translations",
        "/chat/completions",
        "/completions",
        "/embeddings",
        "/images/edits",
        "/images/generations",
    }
)
"""The endpoints that Azure serves under a deployment's own path."""

Key = str | Callable[[], str] | Callable[[], Awaitable[str]]
"""A key, or a function that gives it: called for each request, for tokens that expire. One that has
to be awaited is for `AsyncClient`."""


Timeout: TypeAlias = "float | httpx.Timeout | None"
"""Seconds to wait for the next packet, or what httpx takes for each step; None waits for ever."""


class Options(TypedDict, total=False):
    """What can be set for a client, and changed by ``with_options``."""

    api_key: Key | None
    base_url: str | None
    organization: str | None
    project: str | None
    timeout: Timeout
    max_retries: int
    """How often a request is sent again after a failure that may pass."""
    default_headers: Mapping[str, str]
    default_query: Mapping[str, Any]
    insecure: bool
    """Whether key and texts may go over http to another machine."""


class AzureOptions(Options, total=False):
    """What can be set for a client of Azure OpenAI."""

    azure_endpoint: str
    azure_deployment: str
    api_version: str
    azure_ad_token: Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to reach one API; `openai` and `azure` make them."""

    base_url: str = field(repr=False)  # may hold a login
    api_key: Key | None = field(default=None, repr=False)
    key_header: str = "authorization"
    organization: str | None = None
    project: str | None = None
    timeout: Timeout = TIMEOUT
    max_retries: int = MAX_RETRIES
    default_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    default_query: Mapping[str, Any] = field(default_factory=dict, repr=False)
    insecure: bool = False
    deployments: bool = False
    """Whether models are deployments with paths of their own, as Azure's are."""
    deployment: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.max_retries, int) or self.max_retries < 0:
            raise ValueError(f"expected max_retries of 0 or more, got {self.max_retries!r}")
        if not isinstance(self.base_url, str):
            raise TypeError(f"expected base_url as str, got {type(self.base_url).__name__}")
        _check(self.base_url)
        if not (self.insecure or is_private(self.base_url)):
            raise ValueError(
                f"base_url {self.host!r} would send the key and your texts in the clear: "
                "use https, or --insecure; in Python: insecure=True"
            )

    @property
    def host(self) -> str:
        """Where requests go: name and port, without what else an address may hold."""
        return urlsplit(self.base_url).netloc.rpartition("@")[2]

    @property
    def address(self) -> str:
        """The base URL without a login."""
        parts = urlsplit(self.base_url)
        return parts._replace(netloc=self.host).geturl()

    def changed(self, **options: Unpack[Options]) -> Self:
        """Give settings with some replaced; headers and query are added to those there are."""
        given = _given(options, Options)
        for name in ("default_headers", "default_query"):
            if name in given:
                given[name] = {**getattr(self, name), **given[name]}
        return replace(self, **given)

    @property
    def login(self) -> tuple[str, str] | None:
        """The name and the password that the address holds."""
        parts = urlsplit(self.base_url)
        return (unquote(parts.username), unquote(parts.password or "")) if parts.username else None

    def url(self, path: str, model: object) -> str:
        """Give the address of an endpoint, without a login; on Azure it depends on the model."""
        base = self.address.rstrip("/")
        named = self.deployment or model
        if self.deployments and path in DEPLOYED and named and "/deployments/" not in base:
            path = f"/deployments/{quote(str(named), safe='')}{path}"
        return base + path

    def lane(self, model: object) -> str:
        """Name what shares its limits: each server limits each model for itself."""
        return f"{self.base_url} {model or ''}"

    def key(self) -> str | Awaitable[str] | None:
        """Give the key, or what is to be awaited for it."""
        return self.api_key() if callable(self.api_key) else self.api_key

    def credentials(self, key: object) -> dict[str, str]:
        """Give the header that holds the key; empty without a key, as local servers want none."""
        if isinstance(key, Coroutine):
            key.close()
            raise TypeError("a key that has to be awaited needs AsyncClient")
        if not isinstance(key, str | None):
            kind = type(key).__name__
            del key  # Some tracebacks show variables.
            raise TypeError(f"expected the API key as str, got {kind}")
        key = (key or "").strip()
        if not key:
            return {}
        if not (key.isascii() and key.isprintable()):
            del key
            raise ValueError(
                "the API key holds a character that can't be sent: was it cut or joined?"
            )
        return {self.key_header: f"Bearer {key}" if self.key_header == "authorization" else key}


def openai(**options: Unpack[Options]) -> Settings:
    """Make settings for OpenAI or a compatible server, from ``OPENAI_*`` where not given.

    Raises AuthenticationFailed where OpenAI itself is meant and there is no key.
    """
    given = {**_environment(), **_given(options, Options)}
    settings = Settings(**{**given, "default_headers": _headers(options)})
    if settings.base_url == OPENAI and not settings.api_key:
        raise AuthenticationFailed("no API key: set OPENAI_API_KEY", status_code=401)
    return settings


def is_absent(value: object) -> bool:
    """Tell whether a value stands for none: the SDK's ``NOT_GIVEN`` and ``omit``, and our own."""
    return value is UNSET or type(value).__name__ in {"NotGiven", "Omit"}


def _given(options: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    """Return what was given; None is nothing, but for a timeout, where it is no end."""
    known = kind.__optional_keys__
    if unknown := sorted(options.keys() - known):
        raise TypeError(f"a client got unexpected {unknown}: choose from {sorted(known)}")
    present = {name: value for name, value in options.items() if not is_absent(value)}
    return {n: value for n, value in present.items() if value is not None or n == "timeout"}


def _headers(options: Options) -> dict[str, str]:
    """Return the headers of ``OPENAI_CUSTOM_HEADERS``, one a line, and over them those given."""
    lines = os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n")
    found = (line.partition(":") for line in lines if ":" in line)
    own = options.get("default_headers") or {}
    return {**{name.strip(): value.strip() for name, _, value in found}, **own}


def _environment() -> dict[str, str]:
    found = {
        "base_url": os.environ.get("OPENAI_BASE_URL") or OPENAI,
        "api_key": os.environ.get("OPENAI_API_KEY"),
        "organization": os.environ.get("OPENAI_ORG_ID"),
        "project": os.environ.get("OPENAI_PROJECT_ID"),
    }
    return {name: value.strip() for name, value in found.items() if value}


def azure(**options: Unpack[AzureOptions]) -> Settings:
    """Make settings for Azure OpenAI, from ``AZURE_OPENAI_*`` and ``OPENAI_API_VERSION``."""
    given = _given(options, AzureOptions)
    base, endpoint = given.pop("base_url", None), given.pop("azure_endpoint", None)
    if base and endpoint:
        raise ValueError("expected azure_endpoint or base_url, got both")
    if not base and (endpoint := endpoint or os.environ.get("AZURE_OPENAI_ENDPOINT")):
        base = f"{endpoint.rstrip('/')}/openai"
    version = given.pop("api_version", None) or os.environ.get("OPENAI_API_VERSION")
    if not base or not version:
        raise ValueError(
            "Azure needs azure_endpoint and api_version: "
            "give them, or set AZURE_OPENAI_ENDPOINT and OPENAI_API_VERSION"
        )
    header, key = _azure_key(given.pop("api_key", None), given.pop("azure_ad_token", None))
    return Settings(
        base_url=base,
        api_key=key,
        key_header=header,
        deployments=True,
        deployment=given.pop("azure_deployment", None),
        default_query={**given.pop("default_query", {}), "api-version": version},
        default_headers=_headers({"default_headers": given.pop("default_headers", {})}),
        **given,
    )


def _azure_key(key: Key | None, token: Key | None) -> tuple[str, Key]:
    """Give the header and the key: what was given goes before what the environment has."""
    if key and token:
        raise ValueError("expected api_key or azure_ad_token, got both")
    if not key and not token:
        token = os.environ.get("AZURE_OPENAI_AD_TOKEN")
        key = os.environ.get("AZURE_OPENAI_API_KEY")
    found = token or key
    if not found:
        raise AuthenticationFailed(
            "no API key: set AZURE_OPENAI_API_KEY or AZURE_OPENAI_AD_TOKEN, or give api_key",
            status_code=401,
        )
    return ("authorization" if token else "api-key"), found


def _check(base_url: str) -> None:
    """Raise ValueError for what no path can follow; a query is not shown, as it may be a key."""
    expected = f"expected a base_url of http or https, got {base_url!r}"
    try:
        parts = urlsplit(base_url)
        host = parts.hostname if parts.port != 0 else None
        (host or "").encode("idna")
    except ValueError as error:
        raise ValueError(f"{expected}: {error}") from error
    if parts.scheme not in {"http", "https"} or not host or base_url.split() != [base_url]:
        raise ValueError(expected)
    if parts.query or parts.fragment:
        raise ValueError(f"the base_url of {host} has a query: say it by default_query")


def is_private(url: str) -> bool:
    """Tell whether nobody on the way can read along: https, or this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return bool(host) and (parts.scheme == "https" or is_loopback(host))


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by its name alone: nothing is looked up."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
