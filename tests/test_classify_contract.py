"""scikit-learn's own checks of the estimators, given vectors; expected failures with reasons.

``test_probe.py`` has those of the others. scikit-learn has no checks for what takes texts alone, as
``TextEmbedder`` does.
"""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from embedsearch.classify import KNNClassifier, SelectiveClassifier, ZeroShotClassifier

NONE = "answers are objects, as None is among them; the check computes with numbers"
LABELS = "labels are texts, whose vectors have the model's length and not the check's"
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

FITTED_ON_VECTORS = [
    "check_classifier_data_not_an_array",
    "check_classifiers_classes",
    "check_classifiers_train",
    "check_decision_proba_consistency",
    "check_dict_unchanged",
    "check_dont_overwrite_parameters",
    "check_dtype_object",
    "check_estimators_dtypes",
    "check_estimators_fit_returns_self",
    "check_estimators_nan_inf",
    "check_estimators_overwrite_params",
    "check_estimators_pickle",
    "check_f_contiguous_array_estimator",
    "check_fit2d_1feature",
    "check_fit2d_predict1d",
    "check_fit_check_is_fitted",
    "check_fit_idempotent",
    "check_fit_score_takes_y",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_n_features_in",
    "check_n_features_in_after_fitting",
    "check_pipeline_consistency",
    "check_positive_only_tag_during_fit",
    "check_readonly_memmap_input",
    "check_supervised_y_2d",
]

ESTIMATORS = [
    KNNClassifier(k=5),
    # Its promise is kept by answering everything, so that answers can be compared; of points in a
    # plane most are near duplicates.
    SelectiveClassifier(LogisticRegression(), error=0.99999, unlike=None, alike=1),
    ZeroShotClassifier(),
]


def expected_failures(estimator: Any) -> dict[str, str]:
    if isinstance(estimator, SelectiveClassifier):
        return dict.fromkeys(ANSWERS, NONE)
    if isinstance(estimator, ZeroShotClassifier):
        return {**dict.fromkeys(FITTED_ON_VECTORS, LABELS), "check_requires_y_none": OPTIONAL}
    return {}


@pytest.mark.filterwarnings("ignore:Skipping check:sklearn.exceptions.SkipTestWarning")
@pytest.mark.filterwarnings("ignore:nothing will be answered:UserWarning")
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)  # type: ignore[untyped-decorator]
def test_scikit_learn_accepts_it(estimator: Any, check: Any) -> None:
    check(estimator)
