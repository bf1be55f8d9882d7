"""Fitted estimators as bytes: JSON that says what they are, and arrays as numpy's npz.

Nothing is pickled, so a file from somebody else can't run code.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from embedsearch.classify.embedding import TextEmbedder
from embedsearch.classify.fewshot import FewShotClassifier
from embedsearch.classify.knn import KNNClassifier
from embedsearch.classify.probe import ProbeClassifier
from embedsearch.classify.regression import ProbeRegressor
from embedsearch.classify.selective import SelectiveClassifier
from embedsearch.classify.zero_shot import ZeroShotClassifier
from embedsearch.vectors.neighbours import Neighbours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[Any]]

FORMAT = 4
"""The version of the format; another one is refused."""

ABOUT = "estimator.json"

NOT_SAVED = "embedder"
"""The one parameter that is handed over when an estimator is loaded."""

KINDS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        FewShotClassifier,
        KNNClassifier,
        ProbeClassifier,
        ProbeRegressor,
        SelectiveClassifier,
        TextEmbedder,
        ZeroShotClassifier,
    )
}
"""What can be saved, and all that a file can name."""


def dumps(estimator: BaseEstimator) -> bytes:
    """Return a fitted estimator of ``embedsearch.classify`` as bytes, without its embedder.

    Raises:
        NotFittedError: it has learned nothing yet.
        TypeError: it is another's, or something in it is neither JSON nor an array.

    """
    arrays: Arrays = {}
    about = {"format": FORMAT, **_described(estimator, arrays)}
    check_is_fitted(estimator)
    arrays[ABOUT] = np.frombuffer(json.dumps(about, ensure_ascii=False).encode(), np.uint8)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def loads(state: bytes, *, embedder: object = None) -> Any:
    """Return the estimator that ``dumps`` made bytes of, with an embedder.

    Raises:
        ValueError: the bytes are damaged, or from another version.

    """
    try:
        with np.load(io.BytesIO(state), allow_pickle=False) as file:
            arrays = dict(file)
        about = json.loads(arrays[ABOUT].tobytes())
        if about["format"] == FORMAT:
            return _made(about, arrays, embedder)
    except (
        AttributeError,
        BadZipFile,
        EOFError,
        KeyError,
        OSError,
        TypeError,
        ValueError,
    ) as error:
        raise ValueError("no classifier can be read there: it is damaged") from error
    raise ValueError(
        f"expected a classifier of format {FORMAT}, got {about['format']!r}: train it again"
    )


def _described(estimator: BaseEstimator, arrays: Arrays) -> dict[str, Any]:
    name = type(estimator).__name__
    if type(estimator) is not KINDS.get(name):
        raise TypeError(f"expected an estimator that can be saved, {sorted(KINDS)}, got {name}")
    parameters = estimator.get_params(deep=False)
    fitted = {key: value for key, value in vars(estimator).items() if key not in parameters}
    parameters.pop(NOT_SAVED, None)
    return {
        "class": name,
        "parameters": {key: _encoded(key, value, arrays) for key, value in parameters.items()},
        "fitted": {key: _encoded(key, value, arrays) for key, value in fitted.items()},
    }


def _encoded(name: str, value: Any, arrays: Arrays) -> dict[str, Any]:
    if isinstance(value, BaseEstimator):
        return {"estimator": _described(value, arrays)}
    if isinstance(value, Neighbours):
        return {"neighbours": _kept(value.vectors, arrays), "probes": value.probes}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return {"array": _kept(value, arrays)}
    if isinstance(value, np.ndarray):
        kind = "object" if value.dtype == object else "str"
        return {"list": _plain(name, value.tolist()), "dtype": kind}
    if isinstance(value, Mapping):  # an object of JSON has no keys but texts
        return {"pairs": [[_plain(name, key), _plain(name, value[key])] for key in value]}
    return {"value": _plain(name, value)}


def _plain(name: str, value: Any) -> Any:
    """Return a value that JSON holds."""
    plain = value.item() if isinstance(value, np.generic) else value
    try:
        json.dumps(plain)
    except TypeError as error:
        raise TypeError(
            f"expected {name} to be of JSON or an array, to be saved, got {plain!r:.40}"
        ) from error
    return plain


def _kept(array: NDArray[Any], arrays: Arrays) -> str:
    name = f"array{len(arrays)}"
    arrays[name] = array
    return name


def _made(about: Mapping[str, Any], arrays: Arrays, embedder: object) -> Any:
    name = about["class"]
    if name not in KINDS:
        raise ValueError(f"expected one of {sorted(KINDS)}, got {name!r}")
    parameters = {
        key: _decoded(value, arrays, embedder) for key, value in about["parameters"].items()
    }
    estimator = KINDS[name](**parameters)
    if NOT_SAVED in estimator.get_params(deep=False):
        setattr(estimator, NOT_SAVED, embedder)
    for key, value in about["fitted"].items():
        setattr(estimator, key, _decoded(value, arrays, embedder))
    return estimator


def _decoded(value: Mapping[str, Any], arrays: Arrays, embedder: object) -> Any:
    if "estimator" in value:
        return _made(value["estimator"], arrays, embedder)
    if "neighbours" in value:
        return Neighbours(arrays[value["neighbours"]], probes=value["probes"])
    if "array" in value:
        return arrays[value["array"]]
    if "pairs" in value:
        return dict(value["pairs"])
    if "list" in value:
        return np.array(value["list"], dtype=value["dtype"])
    return value["value"]
