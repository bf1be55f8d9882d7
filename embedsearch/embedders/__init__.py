"""Embedders: what turns texts into vectors, and how a user names one."""

from __future__ import annotations

from embedsearch.embedders.local import LocalEmbedder
from embedsearch.embedders.packaged import packaged_model
from embedsearch.embedders.protocol import Embedder, Role
from embedsearch.errors import EmbeddingError

__all__ = ["Embedder", "LocalEmbedder", "Role", "load"]


def load(name: str | None = None, *, threads: int | None = None) -> Embedder:
    """Return the embedder that a name stands for; its model is loaded at the first use.

    ``None`` and ``"local"`` stand for the packaged model, all else for the folder of an ONNX
    sentence model. ``threads``: how many texts are embedded at once; by default as many as this
    process has CPUs.
    """
    if name in {None, "local"}:
        return LocalEmbedder(packaged_model(), threads=threads)
    raise EmbeddingError(f"no embedder is named {name!r}")
