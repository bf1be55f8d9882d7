"""Every error that embedsearch raises on purpose.

::

    EmbedsearchError
    ├── ReadError                          a file that could not be read
    │   └── BinaryFile                     not text, and no reader knows it
    ├── EmbeddingError                     a model that could not be loaded or run
    │   ├── ModelNotLoaded                 no text is to blame
    │   └── InputRefused (ValueError)      the one text that could not be embedded
    ├── DimensionMismatch (ValueError)     vectors of another length
    ├── EmbedderMismatch                   an index built in another space
    ├── ContextTooLong (ValueError)        more tokens than a model holds or writes
    ├── DocumentNotFound (LookupError)
    ├── SourceNotFound (LookupError)
    ├── ModelNotFound (LookupError)        no classifier was trained
    ├── FolderGone (FileNotFoundError)     a source that is not there: deleted, or not mounted
    ├── IndexNotFound (FileNotFoundError)
    ├── IndexLocked                        another writer is at work
    ├── IndexCorrupt                       a damaged, foreign or newer file
    │   └── IndexDamaged                   ours, and in part unreadable
    ├── StorageFailed (OSError)            disk full, read-only, or gone
    ├── MissingDependency (ImportError)
    ├── CostLimitReached                   what may be sent to a provider is used up
    ├── SecretsFound                       texts to be sent look as if they held secrets
    └── APIError                           no answer of use came from an API
        ├── ConnectionFailed (ConnectionError)  it could not be reached, or hung up
        │   ├── ConnectionRefused (ConnectionRefusedError)  nothing listens there
        │   └── TimedOut (TimeoutError)
        ├── BadRequest                     400, 413, 422: ask for something else
        ├── AuthenticationFailed           401, 403: the key
        ├── NotFound (LookupError)         404
        ├── RateLimited                    429: too fast, or out of credit
        ├── InvalidAnswer                  200, but not what was asked for
        └── ServerError                    500 and above

Bad arguments raise plain ``ValueError`` and ``TypeError``.

Advice is the command line's; what stands behind `IN_PYTHON` is for Python, and not printed there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

IN_PYTHON = "; in Python: "
"""What parts advice about commands and their options from advice about functions."""


class EmbedsearchError(Exception):
    """The root of all errors that embedsearch raises on purpose."""

    hint: str | None = None
    """What the user can do about it, in one line."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class ReadError(EmbedsearchError):
    """A file that could not be read; the message says why, without the path."""


class BinaryFile(ReadError):
    """A file that holds no text and that no reader knows."""


class EmbeddingError(EmbedsearchError):
    """A model that could not be loaded, or that failed on its input."""


class ModelNotLoaded(EmbeddingError):
    """A model that could not be loaded, so that no text of it all can be embedded."""


class InputRefused(EmbeddingError, ValueError):
    """The one text of many that could not be embedded; the others could."""

    def __init__(self, reason: str, *, position: int, label: str | None = None) -> None:
        where = f"text {position}" if label is None else f"text {position} ({label})"
        super().__init__(f"{where} was refused: {reason}")
        self.reason = reason
        self.position = position
        self.label = label


class DimensionMismatch(EmbedsearchError, ValueError):
    """Vectors whose length is not the index's."""


class EmbedderMismatch(EmbedsearchError):
    """An embedder whose space is not the one the index was built in."""


class ContextTooLong(EmbedsearchError, ValueError):
    """More tokens than a model holds, or writes: ``prompt`` + ``answer`` against ``limit``."""

    def __init__(
        self, message: str, *, prompt: int, answer: int, limit: int, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.prompt = prompt
        self.answer = answer
        self.limit = limit


class DocumentNotFound(EmbedsearchError, LookupError):
    """An id that the index does not hold."""


class SourceNotFound(EmbedsearchError, LookupError):
    """A folder that the index is not kept in step with."""


class ModelNotFound(EmbedsearchError, LookupError):
    """A classifier that the index does not hold."""


class FolderGone(EmbedsearchError, FileNotFoundError):
    """A folder that was indexed and is not there: deleted, moved, or on a disk not mounted."""


class IndexNotFound(EmbedsearchError, FileNotFoundError):
    """A folder that holds no index."""


class IndexLocked(EmbedsearchError):
    """Another process is writing to the index."""


class IndexCorrupt(EmbedsearchError):
    """An index file that is damaged, foreign, or from a newer version."""


class IndexDamaged(IndexCorrupt):
    """A database that can't be read in part or at all: ``index.salvage`` may help."""


class StorageFailed(EmbedsearchError, OSError):
    """The disk refused: full, read-only, or gone. What was committed is safe."""


class MissingDependency(EmbedsearchError, ImportError):
    """An optional package that this feature needs."""


class CostLimitReached(EmbedsearchError):
    """What may be sent to a provider is used up; what was paid for is kept."""


class SecretsFound(EmbedsearchError):
    """Texts that were to be sent to a provider look as if they held secrets; none was sent.

    ``places`` names each as ``DOCUMENT:LINE (KIND)``. ``allow_secrets=True`` sends all the same:
    an argument of what was called, or of the ``Allowance`` that it was given.
    """

    def __init__(self, places: Sequence[str], *, hint: str | None = None) -> None:
        more = f", and {len(places) - 1} more" if len(places) > 1 else ""
        super().__init__(
            f"nothing was sent: {places[0]} looks like a secret{more}",
            hint=hint or "take it out, or allow it: --allow-secrets; in Python: allow_secrets=True",
        )
        self.places = tuple(places)


class APIError(EmbedsearchError):
    """An API refused a request, answered what makes no sense, or could not be reached.

    ``status_code`` is None where no answer came. ``headers`` are the answer's, ``body`` is what it
    says of the error: the object under ``error``, all of its JSON, or else its text.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.message = message
        self.status_code = status_code
        self.code = code
        self.headers: Mapping[str, str] = headers if headers is not None else {}
        self.body = body

    @property
    def request_id(self) -> str | None:
        """The id to quote to the provider's support."""
        return self.headers.get("x-request-id")

    @property
    def type(self) -> str | None:
        """The kind of error, in the server's words."""
        return self.body.get("type") if isinstance(self.body, dict) else None

    @property
    def param(self) -> str | None:
        """The argument that is at fault, in the server's words."""
        return self.body.get("param") if isinstance(self.body, dict) else None


class ConnectionFailed(APIError, ConnectionError):
    """The API could not be reached, or the connection broke off.

    ``passes`` tells whether that may be different in a moment.
    """

    passes: bool = True


class ConnectionRefused(ConnectionFailed, ConnectionRefusedError):
    """Nothing listens at the API's address."""


class TimedOut(ConnectionFailed, TimeoutError):
    """The API did not answer in time."""


class BadRequest(APIError):
    """The request itself is at fault: 400, 413, 422."""


class AuthenticationFailed(APIError):
    """The key is missing, wrong, or not allowed to do this: 401, 403."""


class NotFound(APIError, LookupError):
    """No such model, file or job: 404."""


class RateLimited(APIError):
    """Too many requests or tokens, or no credit left: 429."""


class InvalidAnswer(APIError):
    """The API says that all went well, but its answer is not what was asked for.

    ``tokens`` is what it says that the answer cost; 0 where it does not say.
    """

    tokens: int = 0


class ServerError(APIError):
    """The provider's own failure: 500 and above."""


def why(error: OSError) -> str:
    """Return what the system says is wrong, as a part of a sentence: ``permission denied``."""
    return (error.strerror or str(error)).lower()
