"""A loaded transformer: token ids in, one vector out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from embedsearch.errors import EmbeddingError
from embedsearch.offline import silence_onnxruntime

silence_onnxruntime()  # before it is loaded
import onnxruntime  # type: ignore[import-untyped] # noqa: E402 -- ships no types
from onnxruntime.capi import (  # type: ignore[import-untyped] # noqa: E402 -- ships no types
    onnxruntime_pybind11_state as state,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedsearch.embedders.model import Pooling
    from embedsearch.embedders.protocol import Vectors

INPUTS: dict[str, Callable[[Any], Any]] = {
    "input_ids": lambda ids: ids,
    "attention_mask": np.ones_like,
    "token_type_ids": np.zeros_like,
}
"""What a sentence model may ask for, each made from the ids."""
POOLINGS: dict[Pooling, Callable[[Any], Any]] = {
    "mean": lambda hidden: hidden.mean(axis=0),
    "cls": lambda hidden: hidden[0],
}
ERRORS_ONLY = 3
"""A log level of ONNX Runtime's, whose warnings are about graphs: nothing to users."""
ERRORS = (
    state.EPFail,
    state.Fail,
    state.InvalidArgument,
    state.InvalidGraph,
    state.InvalidProtobuf,
    state.NoModel,
    state.NoSuchFile,
    state.NotImplemented,
    state.RuntimeException,
    RuntimeError,
)
"""What ONNX Runtime raises: its exceptions have no common base."""


class Session:
    """An ONNX model on the CPU, one thread a run; any number of threads may run it at once."""

    def __init__(self, graph: bytes | str, *, pooling: Pooling, dimensions: int) -> None:
        self._pool = POOLINGS[pooling]
        self._dimensions = dimensions
        self._session = _load(graph)
        self._inputs = [given.name for given in self._session.get_inputs()]
        unknown = sorted(set(self._inputs) - INPUTS.keys())
        if unknown:
            raise EmbeddingError(
                f"the model asks for {', '.join(unknown)}: a sentence model takes "
                f"{', '.join(INPUTS)}"
            )
        outputs = self._session.get_outputs()
        by_token = [output for output in outputs if len(output.shape) == 3]
        self._output = (by_token or outputs)[0].name

    def vector(self, parts: list[list[int]]) -> Vectors:
        """Return the unit vector, shape (d,), of a text given as the token ids of its parts.

        It is the mean of the parts' vectors, weighted by their tokens.
        """
        if len(parts) == 1:
            return self._vector(parts[0])
        return _unit(sum(self._vector(ids) * np.float32(len(ids)) for ids in parts))

    def _vector(self, ids: list[int]) -> Vectors:
        row = np.array([ids], dtype=np.int64)
        feed = {name: INPUTS[name](row) for name in self._inputs}
        try:
            hidden = self._session.run([self._output], feed)[0][0]
        except ERRORS as error:
            raise EmbeddingError(f"the model failed on {len(ids)} tokens: {error}") from error
        vector = hidden if hidden.ndim == 1 else self._pool(hidden)
        if len(vector) != self._dimensions:
            raise EmbeddingError(
                f"the model's vectors have {len(vector)} dimensions, not the {self._dimensions} "
                "that its folder says"
            )
        return _unit(vector)


def _unit(vector: Any) -> Vectors:
    length = np.linalg.norm(vector)
    if not 0 < length < np.inf:
        raise EmbeddingError(f"the model returned a vector of length {length}")
    scaled: Vectors = (vector / length).astype(np.float32)
    return scaled


def _load(graph: bytes | str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = ERRORS_ONLY
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except ERRORS as error:
        raise EmbeddingError(f"not a model that ONNX Runtime can load: {error}") from error
    session._model_bytes = None  # noqa: SLF001 -- else 23 MB stay in memory that are read by now
    return session
