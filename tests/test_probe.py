"""Logistic and ridge regression on vectors, and what names of labels add to a few examples."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, LeaveOneOut, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, normalize
from sklearn.utils.estimator_checks import parametrize_with_checks

from embedsearch.classify import (
    FewShotClassifier,
    KNNClassifier,
    ProbeClassifier,
    ProbeRegressor,
    TextEmbedder,
    expected_calibration_error,
)
from embedsearch.classify.folds import copies, parts
from embedsearch.classify.saving import dumps, loads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

TEXTS = [
    "How do I get my money back?",
    "I want to return this and be paid back.",
    "My parcel has not arrived yet.",
    "When will my order be delivered?",
]
LABELS = ["refund", "refund", "delivery_status", "delivery_status"]


def clouds(n: int, classes: int, spread: float = 1.0) -> tuple[Vectors, NDArray[np.int64]]:
    generator = np.random.default_rng(1)
    labels = np.arange(n) % classes
    centres = generator.normal(size=(classes, 16))
    vectors = centres[labels] + spread * generator.normal(size=(n, 16))
    return vectors.astype(np.float32), labels


def test_is_as_sure_as_it_is_right_of_thousands_of_classes() -> None:
    """Above 20 million examples times classes a fixed strength and temperature said .87 for .95."""
    classes = 2_050
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(classes, 12))

    def near(y: NDArray[np.int64]) -> Vectors:
        vectors = centres[y] + 0.35 * generator.normal(size=(len(y), 12))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors.astype(np.float32)

    y, asked = np.repeat(np.arange(classes), 5), generator.integers(classes, size=1_000)
    model = ProbeClassifier().fit(near(y), y)
    shares = model.predict_proba(near(asked))
    right = model.classes_[shares.argmax(axis=1)] == asked
    assert expected_calibration_error(shares.max(axis=1), right) < 0.03


@pytest.mark.parametrize("wrong", [0.1, 0.3])
def test_is_as_sure_as_it_is_right_where_labels_are_wrong(wrong: float) -> None:
    """A temperature alone was as modest of what is plain as of what is not: .09 and .13 off."""
    vectors, y = clouds(6_600, 6, spread=0.8)
    generator = np.random.default_rng(0)
    told = np.where(generator.random(len(y)) < wrong, generator.integers(6, size=len(y)), y)
    model = ProbeClassifier().fit(vectors[:600], told[:600])
    assert abs(model.noise_ - wrong) < 0.04
    shares = model.predict_proba(vectors[600:])
    assert shares.sum(axis=1) == pytest.approx(1)
    said = shares.argmax(axis=1)
    assert (said == model.predict(vectors[600:])).all()
    assert expected_calibration_error(shares.max(axis=1), said == told[600:]) < 0.05


def test_right_labels_and_few_are_no_noise() -> None:
    vectors, y = clouds(600, 6, spread=0.5)
    assert ProbeClassifier().fit(vectors, y).noise_ < 0.001
    y[:2] = y[:2][::-1]
    assert ProbeClassifier().fit(vectors[:24], y[:24]).noise_ < 0.1


def test_a_classifier_that_was_saved_without_noise_has_none() -> None:
    vectors, y = clouds(300, 3)
    model = ProbeClassifier().fit(vectors, y)
    del model.noise_
    older = loads(dumps(model))
    assert older.predict_proba(vectors).tolist() == model.predict_proba(vectors).tolist()


def test_is_scikit_learns_multinomial_regression_at_a_given_strength() -> None:
    vectors, y = clouds(120, 4)
    own = ProbeClassifier(strength=1.0).fit(vectors, y)
    oracle = LogisticRegression(C=1.0, max_iter=1000, tol=1e-8).fit(vectors, y)
    own.temperature_ = 1.0
    np.testing.assert_allclose(own.predict_proba(vectors), oracle.predict_proba(vectors), atol=0.02)


def test_a_weight_of_two_is_an_example_twice() -> None:
    vectors, y = clouds(40, 3)
    weights = np.where(y == 0, 2.0, 1.0)
    twice = np.repeat(np.arange(40), weights.astype(int))
    weighted = ProbeClassifier(strength=1.0).fit(vectors, y, sample_weight=weights)
    repeated = ProbeClassifier(strength=1.0).fit(vectors[twice], y[twice])
    scores = [m.decision_function(vectors) for m in (weighted, repeated)]
    order = [s - s.mean(axis=1, keepdims=True) for s in scores]
    assert np.corrcoef(order[0].ravel(), order[1].ravel())[0, 1] > 0.999


def test_an_example_of_no_weight_says_nothing_of_how_sure_to_be() -> None:
    vectors, y = clouds(300, 4)
    order = np.random.default_rng(0).permutation(300)
    kept, noise = order[:150], order[150:]
    wrong, weights = y.copy(), np.ones(300)
    wrong[noise], weights[noise] = (y[noise] + 1) % 4, 1e-9
    weighted = ProbeClassifier().fit(vectors, wrong, sample_weight=weights)
    alone = ProbeClassifier().fit(vectors[kept], y[kept])
    found, expected = (m.predict_proba(vectors[:20]) for m in (weighted, alone))
    np.testing.assert_allclose(found, expected, atol=0.05)


def test_probabilities_sum_to_one_and_lead_to_the_prediction() -> None:
    vectors, y = clouds(200, 5, spread=2.0)
    probe = ProbeClassifier().fit(vectors, y)
    shares = probe.predict_proba(vectors)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_array_equal(probe.classes_[shares.argmax(axis=1)], probe.predict(vectors))


@pytest.mark.parametrize("kind", [ProbeClassifier, FewShotClassifier])
def test_copies_do_not_make_it_surer_than_it_is(kind: Any) -> None:
    rows, y = clouds(1_000, 5, spread=1.5)
    vectors = normalize(rows)
    thrice = np.repeat(np.arange(100), 3)
    fitted = kind().fit(vectors[thrice], y[thrice])
    confidence = fitted.predict_proba(vectors[100:]).max(axis=1).mean()
    assert confidence == pytest.approx(fitted.score(vectors[100:], y[100:]), abs=0.06)


@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 3)), min_size=1, max_size=40),
    st.integers(0, 9),
)
def test_copies_are_held_out_together_and_none_where_no_label_has_another_text(
    rows: list[tuple[int, int]], seed: int
) -> None:
    texts, labels = map(np.array, zip(*rows, strict=True))
    vectors = np.eye(9, dtype=np.float32)[texts]
    held = parts(labels, copies(vectors), 5, seed)
    assert {(text, part) for text, part in zip(texts, held, strict=True)} == {
        (text, held[texts.tolist().index(text)]) for text in set(texts.tolist())
    }
    firsts = np.unique(texts, return_index=True)[1]
    _, counts = np.unique(labels[firsts], return_counts=True)
    assert (held == -1).all() if counts.max() == 1 else held.min() >= 0
    for label in set(labels[firsts].tolist()):
        own = held[firsts][labels[firsts] == label]
        assert len(set(own.tolist())) == min(len(own), 5)


@pytest.mark.parametrize("kind", [ProbeClassifier, FewShotClassifier])
def test_where_labels_are_rare_it_is_no_surer_than_it_is_right(kind: Any) -> None:
    generator = np.random.default_rng(0)
    shares = np.arange(1, 401) ** -1.3
    y = generator.choice(400, size=2_300, p=shares / shares.sum())
    vectors = generator.normal(size=(400, 24))[y] + 0.5 * generator.normal(size=(2_300, 24))
    fitted = kind().fit(vectors[:300], y[:300])  # one new text in seven is of a label unheard of
    confidence = fitted.predict_proba(vectors[300:]).max(axis=1)
    right = fitted.predict(vectors[300:]) == y[300:]
    assert expected_calibration_error(confidence, right) < 0.06


@pytest.mark.parametrize("estimator", [ProbeClassifier(), FewShotClassifier()])
def test_learns_from_texts(estimator: Any) -> None:
    fitted = clone(estimator).fit(TEXTS, LABELS)
    asked = ["please pay me back", "where is my package"]
    assert fitted.predict(asked).tolist() == ["refund", "delivery_status"]


def test_one_example_a_label_is_enough() -> None:
    fitted = FewShotClassifier().fit(TEXTS[1:3], LABELS[1:3])
    assert fitted.named_
    assert fitted.predict(["refund me"]).tolist() == ["refund"]


@pytest.mark.parametrize("labels", [["0", "1"], ["label_3", "label_4"], [7, 8]])
def test_names_without_words_change_nothing(labels: list[Any]) -> None:
    y = [labels[0], labels[0], labels[1], labels[1]]
    named, bare = FewShotClassifier().fit(TEXTS, y), FewShotClassifier(names={}).fit(TEXTS, y)
    assert not named.named_
    np.testing.assert_array_equal(named.predict_proba(TEXTS), bare.predict_proba(TEXTS))


def test_a_few_examples_are_learned_by_a_kernel_machine() -> None:
    vectors, y = clouds(60, 3)
    own = FewShotClassifier(strength=10.0).fit(vectors, y)
    own.temperature_ = 1.0
    rows = normalize(vectors - vectors.mean(axis=0))
    both = make_union(
        Nystroem(gamma=1.0, n_components=60), FunctionTransformer(lambda rows: rows * 0.5**0.5)
    )
    oracle = make_pipeline(both, LogisticRegression(C=10.0, tol=1e-8)).fit(rows, y)
    np.testing.assert_allclose(own.predict_proba(vectors), oracle.predict_proba(rows), atol=0.02)


def test_an_example_speaks_for_its_surroundings() -> None:
    generator = np.random.default_rng(0)
    corners = np.repeat([[1, 1], [-1, -1], [1, -1], [-1, 1]], 8, axis=0)
    vectors = (corners + generator.normal(scale=0.2, size=(32, 2))).astype(np.float32)
    y = np.repeat([0, 0, 1, 1], 8)  # no line parts them
    assert FewShotClassifier().fit(vectors, y).score(vectors, y) == 1.0
    assert ProbeClassifier().fit(vectors, y).score(vectors, y) < 0.8


@pytest.mark.parametrize(("n", "classes"), [(1_001, 4), (20, 20), (30, 20)])
def test_many_examples_or_one_a_label_are_learned_as_vectors(n: int, classes: int) -> None:
    vectors, y = clouds(n, classes)
    few, probe = FewShotClassifier().fit(vectors, y), ProbeClassifier().fit(vectors, y)
    np.testing.assert_array_equal(few.predict_proba(vectors), probe.predict_proba(vectors))


def test_names_that_the_examples_speak_against_are_left_out() -> None:
    swapped = ["delivery_status", "delivery_status", "refund", "refund"]
    assert not FewShotClassifier().fit(TEXTS, swapped).named_


def test_names_of_ones_own_replace_the_labels() -> None:
    names = {"a": "refund", "b": "delivery"}
    fitted = FewShotClassifier(names=names).fit(TEXTS, ["a", "a", "b", "b"])
    assert fitted.named_


def test_vectors_of_another_length_than_the_embedders_are_learned_without_names() -> None:
    vectors, y = clouds(40, 2)
    assert not FewShotClassifier().fit(vectors, np.array(["cat", "dog"])[y]).named_


def test_names_beside_vectors_of_nobody_knows_what_are_told() -> None:
    vectors = TextEmbedder().transform(TEXTS)
    with pytest.warns(UserWarning, match="names are embedded by the packaged model"):
        assert FewShotClassifier().fit(vectors, LABELS).named_
    assert FewShotClassifier(embedder="local").fit(vectors, LABELS).named_


@pytest.mark.parametrize("kind", [ProbeClassifier, FewShotClassifier])
def test_texts_may_have_several_labels(kind: Any) -> None:
    y = [["refund"], ["refund", "angry"], ["delivery"], []]
    fitted = kind(strength=100.0).fit(TEXTS, y)
    assert fitted.classes_.tolist() == ["angry", "delivery", "refund"]
    assert fitted.predict_proba(TEXTS).shape == (4, 3)
    assert fitted.predict(TEXTS)[:3].tolist() == [[0, 0, 1], [1, 0, 1], [0, 1, 0]]


def test_an_indicator_is_learned_column_by_column() -> None:
    vectors, y = clouds(120, 3, spread=0.3)
    right = np.column_stack([y == 0, y != 2])
    fitted = ProbeClassifier().fit(vectors, right)
    np.testing.assert_array_equal(fitted.predict(vectors), right)


def test_the_rare_label_is_found_more_often_where_classes_are_balanced() -> None:
    vectors, y = clouds(200, 2, spread=4.0)
    rare = (y == 1) & (np.arange(200) > 20)
    vectors, y = vectors[~rare], y[~rare]
    found = [
        (ProbeClassifier(class_weight=w).fit(vectors, y).predict(vectors) == 1).sum()
        for w in (None, "balanced")
    ]
    assert found[0] < found[1]


def of_several(n: int, classes: int) -> tuple[Vectors, NDArray[np.bool_]]:
    """Return texts each of whose labels a tenth of them have, by a direction of its own."""
    generator = np.random.default_rng(0)
    vectors = normalize(generator.normal(size=(n, 16)))
    scores = vectors @ generator.normal(size=(16, classes))
    return vectors.astype(np.float32), scores > np.quantile(scores, 0.9, axis=0)


@pytest.mark.parametrize("kind", [ProbeClassifier, FewShotClassifier])
def test_balanced_classes_of_several_labels_are_balanced_each_by_itself(kind: Any) -> None:
    vectors, right = of_several(300, 40)
    balanced = kind(strength=10.0, class_weight="balanced").fit(vectors, right)
    found = balanced.predict(vectors)[right].mean()
    assert found > 0.9
    if kind is FewShotClassifier:
        return
    plain = kind(strength=10.0).fit(vectors, right)
    assert plain.predict(vectors)[right].mean() < 0.9
    oracle = LogisticRegression(C=10.0, class_weight="balanced", tol=1e-8, max_iter=1_000)
    alone = oracle.fit(vectors, right[:, 7]).predict_proba(vectors)[:, 1]
    balanced.temperature_ = 1.0
    np.testing.assert_allclose(balanced.predict_proba(vectors)[:, 7], alone, atol=0.02)


def test_weights_of_several_labels_are_those_of_the_texts_that_have_them() -> None:
    vectors, right = of_several(200, 3)
    lists = [["abc"[column] for column in np.flatnonzero(row)] for row in right]
    weighted = ProbeClassifier(strength=10.0, class_weight={"b": 5.0}).fit(vectors, lists)
    oracle = LogisticRegression(C=10.0, class_weight={1: 5.0}, tol=1e-8, max_iter=1_000)
    weighted.temperature_ = 1.0
    for column, weights in enumerate((1.0, 5.0, 1.0)):
        oracle.set_params(class_weight={True: weights})
        expected = oracle.fit(vectors, right[:, column]).predict_proba(vectors)[:, 1]
        found = weighted.predict_proba(vectors)[:, column]
        np.testing.assert_allclose(found, expected, atol=0.02)
    with pytest.raises(ValueError, match="weights of labels, got one of 'd'"):
        ProbeClassifier(class_weight={"d": 1.0}).fit(vectors, lists)
    with pytest.raises(ValueError, match="class_weight 'balanced' or weights, got 'even'"):
        ProbeClassifier(class_weight="even").fit(vectors, lists)


@pytest.mark.parametrize("model", [ProbeClassifier(strength=10.0), KNNClassifier(k=5)])
def test_several_labels_are_scored_by_the_texts_with_all_right(
    model: ProbeClassifier | KNNClassifier,
) -> None:
    vectors, right = of_several(200, 3)
    lists = [["abc"[column] for column in np.flatnonzero(row)] for row in right]
    weights = np.arange(200)
    whole = (clone(model).fit(vectors, right).predict(vectors) == right).all(axis=1)
    for y in (lists, right):
        fitted = clone(model).fit(vectors, y)
        assert fitted.score(vectors, y) == pytest.approx(whole.mean())
        assert fitted.score(vectors, y, weights) == pytest.approx(
            np.average(whole, weights=weights)
        )
    unknown = [[*own, "d"] for own in lists]
    assert clone(model).fit(vectors, lists).score(vectors, unknown) == 0
    scores = cross_val_score(model, vectors, lists, cv=KFold(3))
    assert len(scores) == 3
    assert scores.min() > 0.5


@pytest.mark.parametrize(
    ("y", "told"),
    [
        ([1, 2, "many"], "expected a number for each text, got 'many': labels are for ProbeClass"),
        (np.array(["a", "b", "c"]), "expected a number for each text, got 'a': labels are for "),
        ([1, None, 3], "Input y contains NaN"),
    ],
)
def test_a_regressor_says_what_is_no_number(y: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ProbeRegressor().fit(np.eye(3), y)
    spelled, same = (ProbeRegressor().fit(np.eye(3), of) for of in (["1", 2, "3"], [1, 2, 3]))
    np.testing.assert_array_equal(spelled.coef_, same.coef_)


@pytest.mark.parametrize("estimator", [ProbeClassifier(), FewShotClassifier(), ProbeRegressor()])
def test_weights_below_0_are_refused(estimator: Any) -> None:
    vectors, y = clouds(20, 2)
    with pytest.raises(ValueError, match="Negative values in data passed to sample_weight"):
        clone(estimator).fit(vectors, y, sample_weight=np.where(y, 1.0, -1.0))


def test_thousands_of_classes_are_learned_from_one_example_each() -> None:
    vectors = np.random.default_rng(0).normal(size=(2_000, 16)).astype(np.float32)
    fitted = ProbeClassifier().fit(vectors, np.arange(2_000))
    assert (fitted.predict(vectors) == np.arange(2_000)).mean() > 0.9


@pytest.mark.parametrize("kind", [ProbeClassifier, FewShotClassifier])
def test_bad_input_is_refused_with_what_to_do(kind: Any) -> None:
    with pytest.raises(ValueError, match="one class, 'refund'"):
        kind().fit(TEXTS, ["refund"] * 4)
    with pytest.raises(ValueError, match="got None at position 3"):
        kind().fit(TEXTS, ["a", "b", "a", None])
    with pytest.raises(ValueError, match="NaN"):
        kind().fit(np.full((2, 4), np.nan), ["a", "b"])
    with pytest.raises(ValueError, match="strength above 0"):
        kind(strength=0.0).fit(TEXTS, LABELS)
    with pytest.warns(UserWarning, match="differ only by case or blanks"):
        kind().fit(TEXTS, ["a", "A ", "b", "b"])


@pytest.mark.parametrize("kind", [ProbeClassifier, FewShotClassifier])
def test_what_is_saved_answers_the_same(kind: Any) -> None:
    fitted = kind().fit(TEXTS, LABELS)
    again = loads(dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(TEXTS), fitted.predict_proba(TEXTS))


def test_ridge_is_scikit_learns_at_a_given_penalty() -> None:
    vectors, y = clouds(60, 5)
    own = ProbeRegressor(penalty=3.0).fit(vectors, y)
    oracle = Ridge(alpha=3.0).fit(vectors.astype(np.float64), y)
    np.testing.assert_allclose(own.predict(vectors), oracle.predict(vectors), atol=1e-4)


def test_the_penalty_has_the_least_leave_one_out_error() -> None:
    vectors, y = clouds(40, 5, spread=2.0)
    fitted = ProbeRegressor().fit(vectors, y)

    def error(penalty: float) -> float:
        found = cross_val_predict(Ridge(alpha=penalty), vectors.astype(float), y, cv=LeaveOneOut())
        return float(((found - y) ** 2).sum())

    assert error(fitted.penalty_) < min(error(fitted.penalty_ * 2), error(fitted.penalty_ / 2))


def test_copies_do_not_speak_for_a_weaker_penalty() -> None:
    vectors, y = clouds(40, 5, spread=2.0)
    numbers = np.column_stack([y, -y]) + np.random.default_rng(0).normal(size=(40, 2))
    once = ProbeRegressor().fit(vectors, numbers)
    thrice = ProbeRegressor().fit(np.repeat(vectors, 3, axis=0), np.repeat(numbers, 3, axis=0))
    assert thrice.penalty_ == pytest.approx(3 * once.penalty_)
    np.testing.assert_allclose(thrice.predict(vectors), once.predict(vectors))


def test_several_numbers_are_foretold_at_once() -> None:
    vectors, y = clouds(40, 5)
    both = ProbeRegressor(penalty=1.0).fit(vectors, np.column_stack([y, -y]))
    one = ProbeRegressor(penalty=1.0).fit(vectors, y)
    np.testing.assert_allclose(
        both.predict(vectors), np.column_stack([one.predict(vectors), -one.predict(vectors)])
    )


def test_nothing_is_warned_of_where_each_label_has_one_example() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ProbeClassifier().fit(np.eye(30, dtype=np.float32), np.arange(30))


CHOSEN = {
    "check_sample_weight_equivalence_on_dense_data": "which examples are held out together depends"
    " on those of no weight, too, and float32 is less exact than the check; tests above hold it",
}


@pytest.mark.filterwarnings("ignore")  # scikit-learn's checks raise warnings of their own
@parametrize_with_checks(  # type: ignore[untyped-decorator]  # sklearn has no types
    [ProbeClassifier(), FewShotClassifier(), ProbeRegressor()],
    expected_failed_checks=lambda e: {} if isinstance(e, ProbeRegressor) else CHOSEN,
)
def test_keeps_scikit_learns_contract(estimator: Any, check: Any) -> None:
    check(estimator)
