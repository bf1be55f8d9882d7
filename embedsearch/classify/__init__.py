"""Classification: labels instead of queries, over the same vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedsearch.lazy import names

if TYPE_CHECKING:
    from embedsearch.classify.calibration import (
        Coverage,
        coverage_table,
        expected_calibration_error,
    )
    from embedsearch.classify.confident_learning import (
        Doubts,
        Neighbour,
        Suspect,
        doubts,
        suspects,
    )
    from embedsearch.classify.embedding import TextEmbedder
    from embedsearch.classify.fewshot import FewShotClassifier
    from embedsearch.classify.knn import KNNClassifier
    from embedsearch.classify.probe import ProbeClassifier
    from embedsearch.classify.regression import ProbeRegressor
    from embedsearch.classify.selective import SelectiveClassifier
    from embedsearch.classify.zero_shot import ZeroShotClassifier

__all__ = [
    "Coverage",
    "Doubts",
    "FewShotClassifier",
    "KNNClassifier",
    "Neighbour",
    "ProbeClassifier",
    "ProbeRegressor",
    "SelectiveClassifier",
    "Suspect",
    "TextEmbedder",
    "ZeroShotClassifier",
    "coverage_table",
    "doubts",
    "expected_calibration_error",
    "suspects",
]

__getattr__, __dir__ = names(
    __name__,
    {
        "Coverage": "calibration",
        "Doubts": "confident_learning",
        "FewShotClassifier": "fewshot",
        "KNNClassifier": "knn",
        "Neighbour": "confident_learning",
        "ProbeClassifier": "probe",
        "ProbeRegressor": "regression",
        "SelectiveClassifier": "selective",
        "Suspect": "confident_learning",
        "TextEmbedder": "embedding",
        "ZeroShotClassifier": "zero_shot",
        "coverage_table": "calibration",
        "doubts": "confident_learning",
        "expected_calibration_error": "calibration",
        "suspects": "confident_learning",
    },
)
