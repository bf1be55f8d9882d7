"""scikit-learn's own checks of the estimators, given vectors; expected failures with reasons.

``test_probe.py`` has those of the others. scikit-learn has no checks for what takes texts alone, as
``TextEmbedder`` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from embedsearch.classify import KNNClassifier, SelectiveClassifier, ZeroShotClassifier
from embedsearch.testing import HashEmbedder

if TYPE_CHECKING:
    from numpy.typing import NDArray

NONE = "answers are objects, as None is among them; the check computes with numbers"
NAMES = "what labels are called says nothing of the check's vectors, of which most are to be right"
OPTIONAL = "y may be left out where labels are given"

ANSWERS = [
    "check_classifier_data_not_an_array",
    "check_classifiers_train",
    "check_estimators_pickle",
    "check_fit_idempotent",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_supervised_y_2d",
]


class NamesOfAnyLength(ZeroShotClassifier):
    """Embeds its labels as vectors of as many components as each check's have."""

    def _embedded(self, phrases: list[list[str]]) -> NDArray[np.float32]:
        embedder = HashEmbedder(getattr(self, "n_features_in_", 384))
        return np.concatenate([embedder.embed(own[:1]) for own in phrases])


ESTIMATORS = [
    KNNClassifier(k=5),
    # Its promise is kept by answering everything, so that answers can be compared; of points in a
    # plane most are near duplicates.
    SelectiveClassifier(LogisticRegression(), error=0.99999, unlike=None, alike=1),
    NamesOfAnyLength(),
]


def expected_failures(estimator: Any) -> dict[str, str]:
    if isinstance(estimator, SelectiveClassifier):
        return dict.fromkeys(ANSWERS, NONE)
    if isinstance(estimator, ZeroShotClassifier):
        return {"check_classifiers_train": NAMES, "check_requires_y_none": OPTIONAL}
    return {}


@pytest.mark.filterwarnings("ignore:Skipping check:sklearn.exceptions.SkipTestWarning")
@pytest.mark.filterwarnings("ignore:nothing will be answered:UserWarning")
@pytest.mark.filterwarnings("ignore:most examples are within a cosine:UserWarning")  # of iris
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)  # type: ignore[untyped-decorator]
def test_scikit_learn_accepts_it(estimator: Any, check: Any) -> None:
    check(estimator)
