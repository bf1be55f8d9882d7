"""Neighbours, names of labels, and texts as vectors: scikit-learn's contract over texts."""

from __future__ import annotations

import copy
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, normalize
from sklearn.svm import LinearSVC

from embedsearch import Document, Index
from embedsearch.classify import (
    FewShotClassifier,
    KNNClassifier,
    ProbeClassifier,
    ProbeRegressor,
    SelectiveClassifier,
    TextEmbedder,
    ZeroShotClassifier,
    expected_calibration_error,
    inputs,
    saving,
    suspects,
)
from embedsearch.classify.inputs import vectors_of
from embedsearch.classify.knn import SHARPNESSES, TEMPERATURES
from embedsearch.errors import EmbedderMismatch
from embedsearch.evaluate import evaluate
from embedsearch.testing import HashEmbedder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from embedsearch.embedders import Role

HASH = HashEmbedder(128)

TEXTS = [
    "refund my money please",
    "money back please",
    "a refund of my money",
    "where is my card",
    "my card is lost",
    "the card was stolen",
]
LABELS = ["refund", "refund", "refund", "card", "card", "card"]


class Counting(HashEmbedder):
    """Counts what it is asked to embed."""

    def __init__(self) -> None:
        super().__init__(96)
        self.texts: list[str] = []

    @property
    def space(self) -> str:
        return f"counting/{id(self)}"

    def embed(self, texts: Sequence[str], *, kind: Role = "document") -> NDArray[np.float32]:
        self.texts += texts
        return super().embed(texts, kind=kind)


def blobs(
    n: int, classes: int = 5, d: int = 24, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(classes, d))
    y = rng.integers(classes, size=n)
    rows = centres[y] + rng.normal(size=(n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), y


def test_neighbours_vote_on_texts() -> None:
    model = KNNClassifier(k=3, embedder=HASH).fit(TEXTS, LABELS)
    assert model.classes_.tolist() == ["card", "refund"]
    assert model.predict(["refund please", "a lost card"]).tolist() == ["refund", "card"]


def test_equal_votes_are_those_of_scikit_learn() -> None:
    rows, y = blobs(300)
    queries, _ = blobs(100, seed=1)
    ours = KNNClassifier(k=7, temperature=np.inf).fit(rows, y)
    theirs = KNeighborsClassifier(7).fit(rows, y)
    shares = ours.predict_proba(queries)
    votes = (shares - ours._rest) / (1 - ours._rest.sum())
    assert np.allclose(votes, theirs.predict_proba(queries), atol=1e-6)
    assert (ours.kneighbors(queries)[1] == theirs.kneighbors(queries)[1]).mean() > 0.999


def test_probabilities_add_up_to_one() -> None:
    rows, y = blobs(200)
    shares = KNNClassifier(k=5).fit(rows, y).predict_proba(rows[:20])
    assert shares.shape == (20, 5)
    assert np.allclose(shares.sum(axis=1), 1)


def test_the_temperature_forgets_the_example_itself() -> None:
    rows = blobs(400)[0]
    y = np.random.default_rng(7).integers(2, size=400)  # nothing is to be learned
    confidence = KNNClassifier().fit(rows, y).predict_proba(blobs(200, seed=3)[0]).max(axis=1)
    assert confidence.mean() < 0.75


def versions(nearness: float) -> tuple[NDArray[np.float32], NDArray[np.str_], NDArray[np.int64]]:
    """Return 5 versions of each of 150 texts, labels that mean nothing, and whose versions."""
    rng = np.random.default_rng(0)
    texts, noise = (normalize(rng.normal(size=(n, 64))) for n in (150, 750))
    rows = normalize(nearness * np.repeat(texts, 5, axis=0) + (1 - nearness**2) ** 0.5 * noise)
    labels = np.repeat(rng.choice(["heads", "tails"], 150), 5)
    return rows.astype(np.float32), labels, np.repeat(np.arange(150), 5)


LEARNERS = [ProbeClassifier(), FewShotClassifier(names={}), KNNClassifier()]


@pytest.mark.parametrize(
    ("nearness", "grouped"), [(1.0, False), (0.98, False), (0.98, True), (0.85, True)]
)
@pytest.mark.parametrize("model", LEARNERS)
def test_versions_of_a_text_do_not_make_it_surer_than_it_is(
    model: Any, nearness: float, *, grouped: bool
) -> None:
    rows, labels, texts = versions(nearness)
    fitted = clone(model).fit(rows, labels, groups=texts if grouped else None)
    new = normalize(np.random.default_rng(1).normal(size=(400, 64)))
    assert fitted.predict_proba(new).max(axis=1).mean() < 0.6


@pytest.mark.parametrize("model", [ProbeClassifier(), KNNClassifier()])
@pytest.mark.filterwarnings("error")
def test_a_space_that_tells_no_near_duplicates_is_warned_of(model: Any) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=600)
    noise = rng.normal(size=(600, 64)) + 0.5 * rng.normal(size=(2, 64))[y]
    told = r"^most examples are within a cosine of 0\.95 of each other"
    with pytest.warns(UserWarning, match=told) as warned:
        own = model.fit(normalize(np.ones(64) + 0.15 * noise)[:300], y[:300])
    assert warned[0].filename == __file__
    sure = own.predict_proba(normalize(np.ones(64) + 0.15 * noise)[300:]).max(axis=1).mean()
    right = own.score(normalize(np.ones(64) + 0.15 * noise)[300:], y[300:])
    assert abs(sure - right) < 0.05
    model.fit(normalize(noise)[:300], y[:300])  # where they are apart nothing is said


@pytest.mark.parametrize("model", LEARNERS)
@pytest.mark.parametrize(
    ("groups", "fault"),
    [
        ([0, 1], "expected a group for each of 750 texts, got 2"),
        ([*range(749), None], "expected a group for each text, got None at position 749"),
        ([*range(749), np.nan], "expected a group for each text, got .*nan.* at position 749"),
    ],
)
def test_a_group_is_wanted_for_each_text(model: Any, groups: list[Any], fault: str) -> None:
    rows, labels, _ = versions(0.98)
    with pytest.raises(ValueError, match=fault):
        clone(model).fit(rows, labels, groups=groups)


def test_groups_reach_it_by_scikit_learns_metadata_routing() -> None:
    rows, labels, texts = versions(0.85)
    with config_context(enable_metadata_routing=True):
        step = ProbeClassifier().set_fit_request(groups=True)
        routed = make_pipeline(Normalizer(), step).fit(rows, labels, groups=texts)
    direct = ProbeClassifier().fit(rows, labels, groups=texts)
    np.testing.assert_allclose(routed.predict_proba(rows), direct.predict_proba(rows), atol=1e-3)
    assert direct.temperature_ > 3 * ProbeClassifier().fit(rows, labels).temperature_


def test_many_examples_are_searched_by_lists() -> None:
    rows, y = blobs(6_000)
    queries, truth = blobs(500, seed=1)
    model = KNNClassifier().fit(rows, y)
    exact = KNeighborsClassifier(20).fit(rows, y)
    assert (model.predict(queries) == exact.predict(queries)).mean() > 0.95
    assert model.score(queries, truth) > exact.score(queries, truth) - 0.02


def test_a_trained_one_is_saved_without_its_faiss_index() -> None:
    rows, y = blobs(100)
    model = KNNClassifier(k=4).fit(rows, y)
    again = saving.loads(saving.dumps(model))
    assert (again.predict_proba(rows) == model.predict_proba(rows)).all()


def test_labels_are_classified_by_their_names() -> None:
    model = ZeroShotClassifier(["lost_card", "money-back"], embedder=HASH).fit()
    assert model.predict(["my card is lost", "money back"]).tolist() == ["lost_card", "money-back"]
    assert np.allclose(model.predict_proba(TEXTS).sum(axis=1), 1)


def test_descriptions_and_templates_are_averaged() -> None:
    said = {"a": ["red fox", "grey wolf"], "b": "blue whale"}
    model = ZeroShotClassifier(said, templates=["{}", "the {}"], embedder=HASH).fit()
    rows = HASH.embed(["red fox", "the red fox", "grey wolf", "the grey wolf"])
    mean = rows.mean(axis=0)
    assert np.allclose(model.label_vectors_[0], mean / np.linalg.norm(mean), atol=1e-6)


def test_the_names_come_from_y_and_the_temperature_is_fitted() -> None:
    model = ZeroShotClassifier(embedder=HASH).fit(TEXTS, LABELS)
    assert model.classes_.tolist() == ["card", "refund"]
    assert model.temperature_ != ZeroShotClassifier(LABELS[2:4], embedder=HASH).fit().temperature_
    assert model.score(TEXTS, LABELS) == 5 / 6  # "money back please" says nothing of a refund


@pytest.mark.parametrize(
    ("labels", "fault"),
    [
        (["one"], "two labels or more"),
        (["one", "one"], "all different"),
        (["one", " "], "expected words for the label ' '"),
        ({"one": [], "two": "2"}, "expected words for the label 'one'"),
        (None, "name them"),
    ],
)
def test_labels_that_say_nothing_are_refused(labels: object, fault: str) -> None:
    model = ZeroShotClassifier(labels, embedder=HASH)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=fault):
        model.fit()


def test_two_texts_foretold_rightly_are_no_proof_of_certainty() -> None:
    model = ZeroShotClassifier(["refund", "card"], embedder=HASH)
    model.fit([TEXTS[0], TEXTS[3]], ["refund", "card"])
    assert model.predict([TEXTS[0], TEXTS[3]]).tolist() == ["refund", "card"]
    assert 0.02 < model.temperature_ < 0.05


def test_options_that_make_no_sense_are_refused() -> None:
    with pytest.raises(TypeError, match=r"^expected k as a whole number, got 2\.5$"):
        KNNClassifier(k=2.5, embedder=HASH).fit(TEXTS, LABELS)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^expected k of at least 1, got 0$"):
        KNNClassifier(k=0, embedder=HASH).fit(TEXTS, LABELS)
    for templates in ("{}", ()):
        with pytest.raises(ValueError, match=r"^expected a list of templates, got "):
            ZeroShotClassifier(["a", "b"], templates=templates, embedder=HASH).fit()


def test_numpys_whole_numbers_are_some() -> None:
    rows, y = blobs(60)
    found = GridSearchCV(KNNClassifier(), {"k": np.arange(3, 5)}, cv=3).fit(rows, y).best_estimator_
    assert found.k in {3, 4}
    expected = KNNClassifier(k=int(found.k)).fit(rows, y)
    assert (found.predict_proba(rows) == expected.predict_proba(rows)).all()
    assert (
        found.kneighbors(rows, np.int64(2))[1].tolist() == expected.kneighbors(rows, 2)[1].tolist()
    )
    assert saving.loads(saving.dumps(found)).k == found.k
    with pytest.raises(TypeError, match=r"^expected k as a whole number, got 2\.0$"):
        found.kneighbors(rows, 2.0)
    with pytest.raises(ValueError, match="k of at least 1, got 0"):
        found.kneighbors(rows, 0)


@pytest.mark.parametrize(
    "model", [ProbeClassifier(), SelectiveClassifier(KNNClassifier(), error=0.5, unlike=None)]
)
def test_a_random_state_may_be_any_of_numpys(model: Any) -> None:
    rows, y = blobs(200)
    fitted = []
    for state in (3, np.int64(3), np.random.RandomState(0), np.random.RandomState(0)):
        own = clone(model).set_params(random_state=state).fit(rows, y)
        fitted.append(own.predict_proba(rows))
    assert (fitted[0] == fitted[1]).all()
    assert (fitted[2] == fitted[3]).all()
    for odd in (1.5, "x"):
        told = f"^expected random_state as a whole number, a RandomState or None, got {odd!r}$"
        with pytest.raises(TypeError, match=told):
            clone(model).set_params(random_state=odd).fit(rows, y)


@pytest.mark.parametrize("model", [*LEARNERS, ProbeRegressor()])
def test_vectors_of_zeros_are_told_of(model: Any) -> None:
    rows, y = blobs(60)
    zeros = np.where(np.arange(60)[:, None] == 7, 0, rows)
    told = "^1 of 60 vectors are all zeros, the first at position 7: what is said"
    with pytest.warns(UserWarning, match=told):
        clone(model).fit(zeros, y)
    fitted = clone(model).fit(rows, y)
    with pytest.warns(UserWarning, match=told):
        fitted.predict(zeros)


def test_a_suspect_of_zeros_is_told_of() -> None:
    rows, y = blobs(60)
    rows[7] = 0
    with pytest.warns(UserWarning, match="^1 of 60 vectors are all zeros"):
        suspects(rows, y)


@pytest.mark.parametrize(
    ("model", "option"),
    [
        (KNNClassifier(), "temperature"),
        (ProbeClassifier(), "strength"),
        (ProbeRegressor(), "penalty"),
        (ZeroShotClassifier(["a", "b"], embedder=HASH), "temperature"),
    ],
)
def test_options_that_are_no_numbers_are_refused(model: Any, option: str) -> None:
    for given in ("x", True):
        with pytest.raises(TypeError, match=f"^expected {option} as a number, got {given!r}$"):
            clone(model).set_params(**{option: given}).fit(HASH.embed(TEXTS), [1, 2] * 3)


def test_a_temperature_is_above_0() -> None:
    for temperature in (0.0, -1.0):
        with pytest.raises(ValueError, match=f"a temperature above 0, got {temperature}"):
            ZeroShotClassifier(["a", "b"], temperature=temperature, embedder=HASH).fit()
        with pytest.raises(ValueError, match=f"a temperature above 0, got {temperature}"):
            KNNClassifier(k=1, temperature=temperature, embedder=HASH).fit(TEXTS, LABELS)


def test_a_label_beyond_the_names_is_refused() -> None:
    model = ZeroShotClassifier(["card", "refunds"], embedder=HASH)
    with pytest.raises(ValueError, match="'refund' in y is none of the 2 labels"):
        model.fit(TEXTS, LABELS)


def test_scikit_learns_tools_take_the_scores_of_two_labels() -> None:
    model = ZeroShotClassifier({"card": "card", "refund": "refund money"}, embedder=HASH)
    scores = model.fit().decision_function(TEXTS)
    assert scores.shape == (6,)
    assert (scores > 0).tolist() == [label == "refund" for label in LABELS]
    np.testing.assert_allclose(model.predict_proba(TEXTS)[:, 1], expit(scores / 0.05))
    for scoring in ("roc_auc", "average_precision"):
        y = np.array(LABELS) == "refund"
        own = ZeroShotClassifier({False: "card", True: "refund money"}, embedder=HASH)
        found = cross_val_score(own, TEXTS, y, cv=3, scoring=scoring, error_score="raise")
        assert found.tolist() == [1, 1, 1]
    calibrated = CalibratedClassifierCV(own, cv=3).fit(TEXTS, y)
    assert calibrated.predict(TEXTS).tolist() == y.tolist()
    pairs = OneVsRestClassifier(ZeroShotClassifier({0: "card", 1: "refund money"}, embedder=HASH))
    assert set(pairs.fit(TEXTS, [*LABELS[:5], "third"]).predict(TEXTS)) <= {*LABELS, "third"}


def test_a_template_has_a_place_for_the_label() -> None:
    with pytest.raises(ValueError, match=r"a template with {} in it, got 'about'"):
        ZeroShotClassifier(["a", "b"], templates=["about"], embedder=HASH).fit()


def test_a_cross_validation_embeds_each_text_once() -> None:
    embedder = Counting()
    pipeline = make_pipeline(TextEmbedder(embedder=embedder), LogisticRegression())
    search = GridSearchCV(pipeline, {"logisticregression__C": [1, 10]}, cv=3)
    search.fit(TEXTS, LABELS)
    cross_val_score(KNNClassifier(k=1, embedder=embedder), TEXTS, LABELS, cv=3)
    assert sorted(embedder.texts) == sorted(TEXTS)


def test_an_index_is_opened_again_by_the_processes_of_a_cross_validation(tmp_path: Path) -> None:
    with Index.open(tmp_path / "index", HASH) as index:
        index.add(Document(f"{n}", text) for n, text in enumerate(TEXTS))
        model = FewShotClassifier(embedder=index)
        found = cross_validate(model, TEXTS, LABELS, cv=3, n_jobs=2, return_estimator=True)
        expected = cross_val_score(model, TEXTS, LABELS, cv=3)
        assert found["test_score"].tolist() == expected.tolist()
        assert found["estimator"][0].predict(TEXTS[:1]).tolist() == ["refund"]
        found["estimator"][0].embedder.close()


@pytest.mark.filterwarnings("ignore:nothing will be answered")
def test_what_learned_from_texts_is_pickled_and_copied() -> None:
    model = SelectiveClassifier(KNNClassifier(k=1), error=0.9).fit(TEXTS, LABELS)
    sent = pickle.dumps(model)
    for again in (pickle.loads(sent), copy.deepcopy(model)):  # noqa: S301 -- as joblib does
        assert again.estimator_.embedder.name == "local"
        assert (again.predict_proba(TEXTS) == model.predict_proba(TEXTS)).all()


def test_features_are_named_and_counted() -> None:
    step = TextEmbedder(embedder=HASH)
    assert step.transform(TEXTS).shape == (6, 128)
    assert step.get_feature_names_out()[-1] == "textembedder127"
    with pytest.raises(ValueError, match="expected texts"):
        step.fit([[1.0, 2.0]])


def test_a_clone_shares_the_embedder_or_the_index() -> None:
    assert clone(KNNClassifier(embedder=HASH)).embedder is HASH
    with Index.open(":memory:", HASH) as index:
        assert clone(TextEmbedder(embedder=index)).embedder is index
        model = clone(KNNClassifier(k=3, embedder=index)).fit(TEXTS, LABELS)
        assert model.predict(["lost card"]).tolist() == ["card"]


def test_nothing_to_classify_has_no_answers() -> None:
    model = KNNClassifier(embedder=HASH).fit(TEXTS, LABELS)
    assert model.predict([]).shape == (0,)
    assert model.predict_proba([]).shape == (0, 2)
    assert ZeroShotClassifier(["a", "b"], embedder=HASH).fit().predict([]).shape == (0,)


def test_another_space_is_refused() -> None:
    model = KNNClassifier(embedder=HASH).fit(TEXTS, LABELS)
    model.set_params(embedder=HashEmbedder(64))
    with pytest.raises(EmbedderMismatch, match="'hash/128', got 'hash/64'"):
        model.predict(["a card"])
    with pytest.raises(ValueError, match="X has 64 features"):
        model.predict(HashEmbedder(64).embed(["a card"]))


def test_texts_are_no_match_for_vectors_of_nobody_knows_what() -> None:
    rows = blobs(6, d=384)[0]  # as long as those of the packaged model
    model = KNNClassifier(k=1).fit(rows, LABELS)
    with pytest.raises(EmbedderMismatch, match="expected vectors, as in the training, got texts"):
        model.predict(["a card"])
    told = KNNClassifier(k=1, embedder=HASH).fit(HASH.embed(TEXTS), LABELS)
    assert told.predict(["a lost card"]).tolist() == ["card"]


def test_what_is_inside_embeds_by_what_is_around_it() -> None:
    texts = [f"{text} nr{n}" for n in range(20) for text in TEXTS]
    outer = SelectiveClassifier(FewShotClassifier(), error=0.3, unlike=None, embedder=HASH)
    outer.fit(texts, LABELS * 20)
    assert outer.estimator_.embedder is HASH
    own = FewShotClassifier(embedder=HashEmbedder(64))
    kept = SelectiveClassifier(own, error=0.3, unlike=None, embedder=HASH)
    assert kept.fit(texts, LABELS * 20).estimator_.embedder.dimensions == 64


@pytest.mark.parametrize(
    ("texts", "labels", "fault"),
    [
        (TEXTS, ["one"] * 6, "at least two classes, got one class, 'one'"),
        (TEXTS, [*LABELS[:5], None], "got None at position 5"),
        (TEXTS, [*LABELS[:5], " "], "got ' ' at position 5"),
        (TEXTS, [*LABELS[:5], float("nan")], "got nan at position 5"),
        (TEXTS, LABELS[:5], "inconsistent numbers of samples"),
        (np.full((6, 4), np.nan), LABELS, "contains NaN"),
    ],
)
def test_what_nothing_can_be_learned_from_is_refused(
    texts: object, labels: list[object], fault: str
) -> None:
    with pytest.raises(ValueError, match=fault):
        KNNClassifier(embedder=HASH).fit(texts, labels)


SEVERAL = [["card"], ["card", "refund"], *([label] for label in LABELS[2:])]
COLUMN = np.empty(6, object)
COLUMN[:] = SEVERAL


def test_several_labels_a_text_are_refused_where_they_mean_nothing() -> None:
    model, rows = ZeroShotClassifier(["a", "b"], embedder=HASH), HASH.embed(TEXTS)
    for several in (SEVERAL, COLUMN, np.eye(6)[:, :2]):
        with pytest.raises(ValueError, match=r"one label a text, got several: ProbeClassifier, .*"):
            model.fit(rows, several)


def of_several(n: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return texts with two labels each of 8, by the two halves of their vectors."""
    rng = np.random.default_rng(0)
    codes = rng.integers(4, size=(n, 2))
    rows = np.hstack([np.eye(4)[codes[:, 0]], np.eye(4)[codes[:, 1]]])
    rows += rng.normal(scale=0.2, size=rows.shape)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32), np.hstack([np.eye(4, dtype=bool)[part] for part in codes.T])


def test_a_neighbour_votes_for_all_of_its_labels_as_scikit_learns_do() -> None:
    rows, right = of_several(400)
    train, test = slice(300), slice(300, None)
    own = KNNClassifier(k=5, temperature=np.inf).fit(rows[train], right[train])
    oracle = KNeighborsClassifier(n_neighbors=5, metric="cosine").fit(rows[train], right[train])
    assert (own.predict(rows[test]) == oracle.predict(rows[test])).all()
    shares = np.stack([of_one[:, 1] for of_one in oracle.predict_proba(rows[test])], axis=1)
    np.testing.assert_allclose(own.predict_proba(rows[test]), shares, atol=0.02)
    again = saving.loads(saving.dumps(own))
    assert (again.predict_proba(rows[test]) == own.predict_proba(rows[test])).all()


@pytest.mark.parametrize(
    "model",
    [
        ProbeClassifier(strength=1.0),
        FewShotClassifier(strength=1.0, names={}),
        KNNClassifier(),
        SelectiveClassifier(KNNClassifier(), error=0.2, unlike=None),
    ],
)
def test_an_indicator_may_be_nested_lists_or_sparse(model: Any) -> None:
    rows, right = of_several(400)
    expected = clone(model).fit(rows, right)
    for y in (
        right.tolist(),
        right.astype(int).tolist(),
        list(right.astype(float)),
        tuple(map(tuple, right.tolist())),
        csr_matrix(right.astype(int)),
    ):
        own = clone(model).fit(rows, y)
        assert own.classes_.tolist() == list(range(8))
        assert (own.predict_proba(rows) == expected.predict_proba(rows)).all()
        assert own.score(rows, y) == expected.score(rows, right) > 0.9
    with pytest.raises(ValueError, match="one label a text, got several"):
        evaluate(rows, right.tolist())


def test_rows_that_are_no_indicator_hold_labels() -> None:
    rows = HASH.embed(TEXTS)
    given: tuple[list[Any], ...] = (
        [[0, 1], [0, 2], [1, 2]],
        [[0, 1], [1], []],
        [{0, 1}, {1}, {0}],
        [[0], [1], [1]],
    )
    for y in given:
        own = ProbeClassifier(strength=1e4).fit(rows, y * 2)
        labels = sorted({label for row in y for label in row})
        assert own.classes_.tolist() == labels
        assert own.score(rows, [{*row} for row in y * 2]) == 1


def test_an_indicator_of_other_classes_scores_nothing() -> None:
    rows, right = of_several(40)
    own = KNNClassifier().fit(rows, right)
    told = "an indicator of 8 classes, got 2 columns: give labels that are 0 and 1 as sets"
    for y in (right[:, :2], right[:, :2].tolist()):
        with pytest.raises(ValueError, match=told):
            own.score(rows, y)
    assert own.score(rows[:1], [{*np.flatnonzero(own.predict(rows[:1])[0]).tolist()}]) == 1


def test_temperature_and_sharpness_are_those_that_foretell_examples_best() -> None:
    rows, y = blobs(60)
    own = KNNClassifier(k=7).fit(rows, y)
    cosines = rows @ rows.T - 9 * np.eye(60)
    near = np.argsort(-cosines, axis=1)[:, :7]
    same = y[near] == y[:, None]
    missed = ((~same.any(axis=1)).sum() + 1) / 62
    losses = {}
    for temperature, sharpness in product(TEMPERATURES, SHARPNESSES):
        votes = np.exp(np.take_along_axis(cosines, near, axis=1) / temperature)
        shares = np.stack([(votes * (y[near] == label)).sum(axis=1) for label in own.classes_], 1)
        shares = (shares / votes.sum(axis=1, keepdims=True)) ** sharpness
        shares /= shares.sum(axis=1, keepdims=True)
        shares = (1 - missed) * shares + missed * np.bincount(y) / 60
        losses[temperature, sharpness] = -np.log(shares[np.arange(60), y]).mean()
    best = min(losses, key=lambda both: losses[both])
    assert (own.temperature_, own.sharpness_) == best
    assert own.sharpness_ > 1


def test_votes_of_overlapping_labels_are_no_less_sure_than_right() -> None:
    rng = np.random.default_rng(0)
    y = rng.choice(10, 3_000, p=np.arange(10, 0, -1) / 55)
    rows = rng.normal(size=(10, 24))[y] + 2 * rng.normal(size=(3_000, 24))
    own = KNNClassifier().fit(rows[:1_000], y[:1_000])
    shares = own.predict_proba(rows[1_000:])
    right = own.classes_[shares.argmax(axis=1)] == y[1_000:]
    assert expected_calibration_error(shares.max(axis=1), right) < 0.05  # .14 at a sharpness of 1


def test_a_label_each_is_the_same_as_lists_of_one() -> None:
    rows, y = blobs(300)
    one = KNNClassifier(temperature=0.05).fit(rows, y)
    several = KNNClassifier(temperature=0.05).fit(rows, [[label] for label in y.tolist()])
    np.testing.assert_allclose(several.predict_proba(rows), one.predict_proba(rows))
    assert several.predict(rows).shape == (300, len(one.classes_))


@pytest.mark.parametrize("model", [ProbeClassifier(strength=1.0), KNNClassifier(k=2)])
def test_a_column_of_lists_is_several_labels_a_text(model: ProbeClassifier | KNNClassifier) -> None:
    expected = model.fit(HASH.embed(TEXTS), SEVERAL).predict(HASH.embed(TEXTS))
    assert (model.fit(HASH.embed(TEXTS), COLUMN).predict(HASH.embed(TEXTS)) == expected).all()


def test_what_has_no_probabilities_can_promise_nothing() -> None:
    with pytest.raises(TypeError, match="predict_proba, got LinearSVC: wrap it in"):
        SelectiveClassifier(LinearSVC()).fit(*blobs(100))


def test_it_is_calibrated_on_one_label_a_text() -> None:
    rows, y = blobs(200)
    model = SelectiveClassifier(KNNClassifier(k=5), error=0.5).fit(rows, y)
    with pytest.raises(ValueError, match="one label a text, got several"):
        model.calibrate(rows, np.eye(200)[:, :3])
    with pytest.raises(ValueError, match="got None at position 1"):
        model.calibrate(rows[:2], [y[0], None])


def test_labels_of_names_and_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="labels of one kind, all texts or none, got"):
        ZeroShotClassifier(["cat", 3], embedder=HASH).fit()


def test_what_is_no_text_is_not_passed_on_as_a_vector() -> None:
    with pytest.raises(ValueError, match="expected texts, got ndarray of no texts"):
        TextEmbedder(embedder=HASH).transform(HASH.embed(TEXTS))


def test_threads_forget_nothing_that_another_one_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "REMEMBERED", 50)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def work(seed: int) -> None:
        drawn = np.random.default_rng(seed)
        for _ in range(100):
            texts = [f"text {n}" for n in drawn.integers(120, size=40).tolist()]
            assert (vectors_of(texts, HASH) == HASH.embed(texts)).all()

    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
    finally:
        sys.setswitchinterval(before)


class Unknown:
    """What pandas' NA is like: whether it equals anything is unknown."""

    def __eq__(self, _: object) -> Unknown:  # type: ignore[override]
        return self

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")


def test_labels_of_two_kinds_are_refused() -> None:
    for mixed in ([0, "a", 0, "a"], np.array([0, "a", 0, "a"], dtype=object)):
        with pytest.raises(
            ValueError, match="labels of one kind, got 'a' and 0: write all as text"
        ):
            KNNClassifier().fit(np.eye(4), mixed)


def test_a_label_that_is_unknown_is_missing() -> None:
    labels = [*LABELS[:5], Unknown()]
    with pytest.raises(ValueError, match=r"a label for each text, got .* at position 5"):
        KNNClassifier(embedder=HASH).fit(TEXTS, labels)
    with pytest.warns(UserWarning, match="1 of 6 texts left out: they have no label"):
        found = evaluate(HASH.embed(TEXTS), labels, KNNClassifier(k=1), curve=False, folds=2)
    assert found.texts == 5


class Frame:
    """What pandas' frame of one column is like."""

    columns = ("text",)

    def __len__(self) -> int:
        return len(TEXTS)

    def __array__(self, dtype: object = None, *, copy: bool | None = None) -> NDArray[np.object_]:
        return np.array(TEXTS, dtype=object)[:, np.newaxis]


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        (
            Frame(),
            r"pass one column, as frame\['text'\]; a ColumnTransformer takes 'text', not .*",
        ),
        (np.array(TEXTS)[:, np.newaxis], "pass one column"),
        ([[text] for text in TEXTS], "pass one column"),
    ],
)
def test_texts_in_columns_are_refused(given: object, advice: str) -> None:
    told = rf"^expected texts of shape \(n,\), got \(6, 1\): {advice}$"
    known = KNNClassifier(k=1, embedder=HASH).fit(TEXTS, LABELS)
    for estimator in (KNNClassifier(embedder=HASH), FewShotClassifier(embedder=HASH)):
        with pytest.raises(ValueError, match=told):
            estimator.fit(given, LABELS)
    with pytest.raises(ValueError, match=told):
        known.predict(given)
    with pytest.raises(ValueError, match=told):
        TextEmbedder(embedder=HASH).fit(given)
    with pytest.raises(ValueError, match=told):
        evaluate(given, LABELS, embedder=HASH)  # type: ignore[arg-type]  # that is refused


@pytest.mark.parametrize("given", [[None] * 6, np.array([None] * 6), [*TEXTS[:5], None]])
def test_a_text_that_is_missing_is_told_by_its_place(given: list[str | None]) -> None:
    place = 5 if given[0] else 0
    told = f"^expected texts, got None at position {place}: leave it out, or write it as text$"
    with pytest.raises(TypeError, match=told):
        FewShotClassifier(embedder=HASH).fit(given, LABELS)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ([1, 2], "expected texts, got 1 at position 0: leave it out, or write it as text"),
        ([np.nan], "expected texts, got nan at position 0: leave it out, or write it as text"),
        ([b"ab"], "expected texts, got b'ab' at position 0: leave it out, or write it as text"),
        (iter(TEXTS), r"expected a list of texts, or vectors \(n, d\), got <list_iterator"),
        ({"a"}, r"expected a list of texts, or vectors \(n, d\), got \{'a'\}"),
        ({"a": 1}, r"expected a list of texts, or vectors \(n, d\), got \{'a': 1\}"),
        (None, r"expected a list of texts, or vectors \(n, d\), got None"),
    ],
)
def test_what_is_no_list_of_texts_is_named(given: Any, fault: str) -> None:
    known = KNNClassifier(k=1, embedder=HASH).fit(TEXTS, LABELS)
    for ask in (
        lambda: known.predict(given),
        lambda: known.fit(given, LABELS),
        lambda: ProbeRegressor(embedder=HASH).fit(given, [1] * 6),
        lambda: TextEmbedder(embedder=HASH).transform(given),
        lambda: suspects(given, LABELS, embedder=HASH),
    ):
        with pytest.raises(TypeError, match=f"^{fault}"):
            ask()


def test_evaluate_gives_vectors_to_what_embeds_texts() -> None:
    pipeline = make_pipeline(TextEmbedder(embedder=HASH), LogisticRegression())
    told = "vectors need no TextEmbedder, and evaluate gives an estimator vectors"
    with pytest.raises(ValueError, match=f"^expected texts, got ndarray of no texts: {told}$"):
        evaluate(TEXTS, LABELS, pipeline, embedder=HASH, folds=3)


def test_no_texts_may_be_an_array() -> None:
    none = np.array([], dtype=object)
    known = KNNClassifier(k=1, embedder=HASH).fit(TEXTS, LABELS)
    assert known.predict(none).tolist() == []
    with pytest.raises(TypeError, match="got one text: put it into a list"):
        known.predict("")
    with pytest.raises(ValueError, match=r"^expected texts or vectors to learn from, got none$"):
        known.fit(none, none)


def test_labels_that_differ_by_case_or_blanks_are_told() -> None:
    with pytest.warns(
        UserWarning, match="'Card ' and 'card' differ only by case or blanks and are kept apart"
    ):
        KNNClassifier(k=1, embedder=HASH).fit(TEXTS, [*LABELS[:5], "Card "])


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (KNNClassifier(k=1, embedder=HASH), LABELS),
        (KNNClassifier(k=1, embedder=HASH), SEVERAL),
        (ProbeRegressor(embedder=HASH), range(6)),
    ],
)
def test_blank_texts_are_told(model: KNNClassifier | ProbeRegressor, y: Sequence[object]) -> None:
    with pytest.warns(UserWarning, match="1 of 6 texts are blank, the first at position 5"):
        model.fit([*TEXTS[:5], " "], y)


def test_one_text_is_no_list_of_texts() -> None:
    model = KNNClassifier(k=1, embedder=HASH).fit(TEXTS, LABELS)
    with pytest.raises(TypeError, match="put it into a list"):
        model.predict("my card")


def test_ten_thousand_classes() -> None:
    rows, _ = blobs(20_000, d=16)
    y = np.arange(20_000) % 10_000
    model = KNNClassifier(k=3).fit(rows, y)
    assert model.predict(rows[:5_000]).shape == (5_000,)


def test_memory_of_texts_is_shared_by_estimators() -> None:
    embedder = Counting()
    vectors_of(TEXTS, embedder)
    KNNClassifier(k=1, embedder=embedder).fit(TEXTS, LABELS).predict(TEXTS)
    assert len(embedder.texts) == 6


def test_what_is_no_embedder_and_nothing_to_learn_from_are_named() -> None:
    told = (
        "^expected as embedder a name, an Embedder, an Index or None, got 3, which has no space, e"
    )
    with pytest.raises(TypeError, match=told):
        KNNClassifier(embedder=3).fit(["a", "b"], ["x", "y"])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="got the class HashEmbedder: call it to make one"):
        KNNClassifier(embedder=HashEmbedder).fit(["a", "b"], ["x", "y"])  # type: ignore[arg-type]
    for estimator in (KNNClassifier(), ProbeClassifier()):
        with pytest.raises(ValueError, match="texts or vectors to learn from, got none"):
            estimator.fit([], [])
