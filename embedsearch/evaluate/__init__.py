"""Evaluation: how far a classifier can be trusted, honestly measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedsearch.evaluate.evaluation import Evaluation, evaluate
    from embedsearch.evaluate.ranking import Retrieval, retrieval
    from embedsearch.evaluate.report import page
    from embedsearch.evaluate.splitting import leakproof_groups

_HOMES = {
    "Evaluation": "evaluation",
    "Retrieval": "ranking",
    "evaluate": "evaluation",
    "leakproof_groups": "splitting",
    "page": "report",
    "retrieval": "ranking",
}

__all__ = ["Evaluation", "Retrieval", "evaluate", "leakproof_groups", "page", "retrieval"]


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
