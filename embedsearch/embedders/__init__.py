"""Embedders: what turns texts into vectors, and how a user names one."""

from __future__ import annotations

from embedsearch.embedders.folder import folder_model
from embedsearch.embedders.local import LocalEmbedder
from embedsearch.embedders.packaged import packaged_model
from embedsearch.embedders.protocol import Embedder, Role

__all__ = ["Embedder", "LocalEmbedder", "Role", "load"]


def load(name: str | None = None, *, threads: int | None = None) -> Embedder:
    """Return the embedder that a name stands for; its model is loaded at the first use.

    ``None`` and ``"local"`` stand for the packaged model, all else for the folder of an ONNX
    sentence model. ``threads``: how many texts are embedded at once; by default as many as this
    process may use CPUs. Raises EmbeddingError where there is no such model.
    """
    model = packaged_model() if name is None or name == "local" else folder_model(name)
    return LocalEmbedder(model, threads=threads)
