"""Embedders: what turns texts into vectors, and how a user names one."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from embedsearch.embedders.folder import folder_model
from embedsearch.embedders.local import LocalEmbedder
from embedsearch.embedders.packaged import packaged_model
from embedsearch.embedders.protocol import Embedder, RemoteEmbedder, Role, is_remote
from embedsearch.embedders.unknown import unread

if TYPE_CHECKING:
    from typing import Unpack

    from embedsearch.client.settings import Options

__all__ = [
    "Embedder",
    "LocalEmbedder",
    "RemoteEmbedder",
    "Role",
    "is_api",
    "is_remote",
    "load",
    "unread",
]


def load(
    name: str | None = None,
    *,
    threads: int | None = None,
    dimensions: int | None = None,
    **api: Unpack[Options],
) -> Embedder:
    """Return the embedder that a name stands for; its model is loaded at the first use.

    ``None`` and ``"local"`` stand for the packaged model, ``"openai/MODEL"`` for one behind an
    API that is compatible with OpenAI's, all else for the folder of an ONNX sentence model.
    ``threads``: how many texts are embedded at once here; by default as many as this process may
    use CPUs. The rest is an API's: how long vectors shall be, ``base_url`` and what else a
    ``Client`` takes. Raises EmbeddingError where there is no such model.
    """
    if is_api(name):
        from embedsearch.embedders.api import APIEmbedder  # with it comes httpx

        return APIEmbedder.named(name, dimensions=dimensions, **api)
    said = {"dimensions": dimensions, **api}
    if wrong := [name for name, value in said.items() if value is not None]:
        raise ValueError(
            "only a model of an API, as openai/text-embedding-3-small, takes "
            f"{' and '.join(wrong)}, got {name or 'local'!r}"
        )
    model = packaged_model() if name is None or name == "local" else folder_model(name)
    return LocalEmbedder(model, threads=threads)


def is_api(name: str | None) -> TypeGuard[str]:
    """Tell whether a name is that of a model behind an API."""
    return name is not None and name.startswith("openai/")
