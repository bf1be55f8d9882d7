"""The clients that users hold."""

from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, Unpack

from embedsearch.client import settings, transport
from embedsearch.client.awaiting import Awaiting
from embedsearch.client.blocking import Blocking
from embedsearch.client.limiter import Limiter
from embedsearch.client.raw import RawAwaiting, RawBlocking
from embedsearch.client.resource import M, streamed
from embedsearch.client.resources.audio import Audio
from embedsearch.client.resources.batches import Batches
from embedsearch.client.resources.chat import Chat
from embedsearch.client.resources.completions import Completions
from embedsearch.client.resources.embeddings import Embeddings
from embedsearch.client.resources.files import Files
from embedsearch.client.resources.fine_tuning import FineTuning
from embedsearch.client.resources.images import Images
from embedsearch.client.resources.models import Models
from embedsearch.client.resources.moderations import Moderations
from embedsearch.client.resources.responses import Beta, Responses
from embedsearch.client.resources.uploads import Uploads
from embedsearch.client.resources.vector_stores import VectorStores
from embedsearch.client.settings import AzureOptions, Options, Settings, Timeout

if TYPE_CHECKING:
    import httpx

H = TypeVar("H", Blocking, Awaiting)


class API(Generic[M]):
    """All endpoints, run by one driver."""

    def __init__(self, driver: M) -> None:
        self.driver = driver
        self.audio: Audio[M] = Audio(driver)
        self.batches: Batches[M] = Batches(driver)
        self.beta: Beta[M] = Beta(driver)
        self.chat: Chat[M] = Chat(driver)
        self.completions: Completions[M] = Completions(driver)
        self.embeddings: Embeddings[M] = Embeddings(driver)
        self.files: Files[M] = Files(driver)
        self.fine_tuning: FineTuning[M] = FineTuning(driver)
        self.images: Images[M] = Images(driver)
        self.models: Models[M] = Models(driver)
        self.moderations: Moderations[M] = Moderations(driver)
        self.responses: Responses[M] = Responses(driver)
        self.uploads: Uploads[M] = Uploads(driver)
        self.vector_stores: VectorStores[M] = VectorStores(driver)

    def __repr__(self) -> str:
        where = getattr(self.driver, "settings", None)  # which those that give answers raw hide
        return f"<{type(self).__name__}{f' of {where.host}' if where else ''}>"

    @property
    def with_streaming_response(self) -> Any:
        """The same endpoints, giving a context with a `StreamedResponse`: for large files."""
        return API(streamed(self.driver))


class Held(API[H], Generic[H]):
    """What both clients tell of themselves; not the key, which is in nothing that they show."""

    @property
    def base_url(self) -> str:
        """Where requests go."""
        return self.driver.settings.address

    @property
    def timeout(self) -> Timeout:
        """How long an answer is waited for."""
        return self.driver.settings.timeout

    @property
    def max_retries(self) -> int:
        """How often a request is sent again."""
        return self.driver.settings.max_retries

    def is_closed(self) -> bool:
        """Tell whether its connections are closed."""
        return self.driver.http.is_closed


class Client(Held[Blocking]):
    """A client of the OpenAI API, or of a server that is compatible.

    Arguments that are not given come from ``OPENAI_API_KEY``, ``OPENAI_BASE_URL``,
    ``OPENAI_ORG_ID``, ``OPENAI_PROJECT_ID`` and ``OPENAI_CUSTOM_HEADERS``. All requests share one
    limiter. Safe for threads.
    """

    def __init__(
        self,
        *,
        where: Settings | None = None,
        http_client: "httpx.Client | None" = None,
        limiter: Limiter | None = None,
        **options: Unpack[Options],
    ) -> None:
        http = transport.connect(http_client)
        if where is None:
            transport.heed(http_client, options)
            where = settings.openai(**options)
        else:
            where = where.changed(**options)
        self._opened = http_client is None
        super().__init__(Blocking(where, http, limiter or Limiter()))

    @classmethod
    def azure(
        cls, *, http_client: "httpx.Client | None" = None, **options: Unpack[AzureOptions]
    ) -> Self:
        """Make a client of Azure OpenAI; the environment has the names that its own SDK reads."""
        transport.heed(http_client, options)
        return cls(where=settings.azure(**options), http_client=http_client)

    def with_options(self, **options: Unpack[Options]) -> Self:
        """Give a client with other settings on the same connections, which it does not close.

        It shares the limits too, unless it goes elsewhere or as another.
        """
        where, limiter = _changed(self.driver, options)
        return type(self)(where=where, http_client=self.driver.http, limiter=limiter)

    copy = with_options

    @property
    def with_raw_response(self) -> API[RawBlocking]:
        """The same endpoints, giving `RawResponse`: status, headers, and ``parse()``."""
        return API(RawBlocking(self.driver))

    def close(self) -> None:
        """Close the connections; those of an ``http_client`` are its owner's to close."""
        if self._opened:
            self.driver.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient(Held[Awaiting]):
    """The same client for asyncio."""

    def __init__(
        self,
        *,
        where: Settings | None = None,
        http_client: "httpx.AsyncClient | None" = None,
        limiter: Limiter | None = None,
        **options: Unpack[Options],
    ) -> None:
        http = transport.connect_async(http_client)
        if where is None:
            transport.heed(http_client, options)
            where = settings.openai(**options)
        else:
            where = where.changed(**options)
        self._opened = http_client is None
        super().__init__(Awaiting(where, http, limiter or Limiter()))

    @classmethod
    def azure(
        cls, *, http_client: "httpx.AsyncClient | None" = None, **options: Unpack[AzureOptions]
    ) -> Self:
        """Make a client of Azure OpenAI; the environment has the names that its own SDK reads."""
        transport.heed(http_client, options)
        return cls(where=settings.azure(**options), http_client=http_client)

    def with_options(self, **options: Unpack[Options]) -> Self:
        """Give a client with other settings on the same connections, which it does not close.

        It shares the limits too, unless it goes elsewhere or as another.
        """
        where, limiter = _changed(self.driver, options)
        return type(self)(where=where, http_client=self.driver.http, limiter=limiter)

    copy = with_options

    @property
    def with_raw_response(self) -> API[RawAwaiting]:
        """The same endpoints, giving `RawResponse`: status, headers, and ``parse()``."""
        return API(RawAwaiting(self.driver))

    async def close(self) -> None:
        """Close the connections; those of an ``http_client`` are its owner's to close."""
        if self._opened:
            await self.driver.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _changed(driver: Blocking | Awaiting, options: Options) -> tuple[Settings, Limiter | None]:
    """Return a client's settings with some replaced, and its limiter where that still fits."""
    same = {"base_url", "api_key", "organization", "project"}.isdisjoint(options)
    return driver.settings.changed(**options), driver.limiter if same else None
