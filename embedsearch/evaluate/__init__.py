"""Evaluation: how far a classifier can be trusted, honestly measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedsearch.lazy import names

if TYPE_CHECKING:
    from embedsearch.classify.splitting import leakproof_groups
    from embedsearch.evaluate.evaluation import Evaluation
    from embedsearch.evaluate.measuring import evaluate
    from embedsearch.evaluate.ranking import Retrieval, retrieval
    from embedsearch.evaluate.report import page
    from embedsearch.evaluate.several import SeveralEvaluation, SeveralMistake, evaluate_several

__all__ = [
    "Evaluation",
    "Retrieval",
    "SeveralEvaluation",
    "SeveralMistake",
    "evaluate",
    "evaluate_several",
    "leakproof_groups",
    "page",
    "retrieval",
]

__getattr__, __dir__ = names(
    __name__,
    {
        "Evaluation": "evaluation",
        "Retrieval": "ranking",
        "SeveralEvaluation": "several",
        "SeveralMistake": "several",
        "evaluate": "measuring",
        "evaluate_several": "several",
        "leakproof_groups": "evidence",  # which has it from classify, where folds are cut
        "page": "report",
        "retrieval": "ranking",
    },
)
