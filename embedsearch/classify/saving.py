"""Fitted estimators as bytes: JSON that says what they are, and arrays as numpy's npz.

Nothing is pickled, so a file from somebody else can't run code.
"""

from __future__ import annotations

import io
import json
from importlib import import_module
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from sklearn.base import BaseEstimator

from embedsearch import classify
from embedsearch.vectors.neighbours import Neighbours

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[Any]]

FORMAT = 1
"""The version of the format; another one is refused."""

ABOUT = "estimator.json"

NOT_SAVED = "embedder"
"""The one parameter that is handed over when an estimator is loaded."""


def dumps(estimator: BaseEstimator) -> bytes:
    """Return a fitted estimator of ``embedsearch.classify`` as bytes, without its embedder.

    Raises:
        TypeError: something in it is neither JSON nor an array.

    """
    arrays: Arrays = {}
    about = {"format": FORMAT, **_described(estimator, arrays)}
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
    except (
        AttributeError,
        BadZipFile,
        EOFError,
        KeyError,
        OSError,
        TypeError,
        ValueError,
    ) as error:
        raise ValueError(f"no classifier can be read there: {error}") from error
    if about.get("format") != FORMAT:
        raise ValueError(
            f"expected a classifier of format {FORMAT}, got {about.get('format')!r}: train it again"
        )
    return _made(about, arrays, embedder)


def _described(estimator: BaseEstimator, arrays: Arrays) -> dict[str, Any]:
    name = type(estimator).__name__
    if name not in classify.__all__:
        raise TypeError(f"expected one of {sorted(classify.__all__)}, got {name}")
    parameters = estimator.get_params(deep=False)
    fitted = {key: value for key, value in vars(estimator).items() if key not in parameters}
    parameters.pop(NOT_SAVED, None)
    return {
        "class": name,
        "parameters": {key: _encoded(value, arrays) for key, value in parameters.items()},
        "fitted": {key: _encoded(value, arrays) for key, value in fitted.items()},
    }


def _encoded(value: Any, arrays: Arrays) -> dict[str, Any]:
    if isinstance(value, BaseEstimator):
        return {"estimator": _described(value, arrays)}
    if isinstance(value, Neighbours):
        return {"neighbours": _kept(value.vectors, arrays), "probes": value.probes}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return {"array": _kept(value, arrays)}
    if isinstance(value, np.ndarray):
        return {"list": value.tolist(), "dtype": "object" if value.dtype == object else "str"}
    return {"value": value.item() if isinstance(value, np.generic) else value}


def _kept(array: NDArray[Any], arrays: Arrays) -> str:
    name = f"array{len(arrays)}"
    arrays[name] = array
    return name


def _made(about: Mapping[str, Any], arrays: Arrays, embedder: object) -> Any:
    name = about["class"]
    if name not in classify.__all__:
        raise ValueError(f"expected one of {sorted(classify.__all__)}, got {name!r}")
    parameters = {
        key: _decoded(value, arrays, embedder) for key, value in about["parameters"].items()
    }
    kind = getattr(import_module(classify.__name__), name)
    estimator = kind(**parameters)
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
    if "list" in value:
        return np.array(value["list"], dtype=value["dtype"])
    return value["value"]
