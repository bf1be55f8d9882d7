"""From labels to predictions: what an index learns, says, doubts, and asks next."""

from __future__ import annotations

import io
import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from embedsearch import Document, Index
from embedsearch.classify import (
    FewShotClassifier,
    KNNClassifier,
    ProbeClassifier,
    SelectiveClassifier,
    saving,
)
from embedsearch.compare.page import points
from embedsearch.errors import EmbedderMismatch, ModelNotFound
from embedsearch.labelling import (
    Chooser,
    chooser,
    classify_documents,
    classify_texts,
    examples,
    suspected,
    train,
)
from embedsearch.testing import HashEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator


WORDS = {
    "refund": ["refund", "money", "back", "paid", "charged"],
    "login": ["password", "login", "account", "locked", "forgot"],
    "card": ["card", "arrive", "delivery", "track", "post"],
}


def texts(label: str, n: int, seed: int = 0) -> list[str]:
    chance = np.random.default_rng([seed, len(label)])
    return [
        " ".join([*chance.permutation(WORDS[label])[:3], f"nr{chance.integers(1_000_000)}"])
        for _ in range(n)
    ]


@pytest.fixture
def index() -> Iterator[Index]:
    """Return an index of 60 documents of three kinds; the first eight of each are labelled."""
    with Index.open(":memory:", HashEmbedder(256)) as index:
        for label in WORDS:
            index.add(
                Document(f"{label}{n}", text, {"kind": label})
                for n, text in enumerate(texts(label, 20))
            )
        index.label({f"{label}{n}": label for label in WORDS for n in range(8)})
        yield index


def test_what_is_trained_on_labels_finds_those_of_the_rest(index: Index) -> None:
    about = train(index)
    assert (about.version, about.labels) == (1, {"card": 8, "login": 8, "refund": 8})
    said = classify_documents(index)
    assert len(said) == 60
    right = [p.labels == (str(p.document_id).rstrip("0123456789"),) for p in said]
    assert sum(right) >= 58
    assert all(0 < p.probability <= 1 and p.version == 1 for p in said)


def test_the_reasons_are_the_nearest_labelled_documents(index: Index) -> None:
    train(index)
    (said,) = classify_texts(index, [texts("login", 1, seed=9)[0]])
    assert said.document_id is None
    assert {reason.labels for reason in said.reasons} == {("login",)}
    vectors = index.document_vectors(where="@label=login")
    cosines = vectors.vectors @ index.embed([texts("login", 1, seed=9)[0]])[0]
    best = [vectors.ids[row] for row in np.argsort(-cosines)[:3]]
    assert [reason.document_id for reason in said.reasons] == best
    of_documents = {p.document_id: p for p in classify_documents(index)}
    own = of_documents["login0"].reasons
    assert "login0" not in {reason.document_id for reason in own}


def test_predictions_are_kept_and_can_be_searched_for(index: Index) -> None:
    train(index)
    classify_documents(index)
    found = index.search("card", 60, where="@predicted=card", group_by="document")
    assert len(found) >= 18
    assert {hit.metadata["kind"] for hit in found} == {"card"}
    train(index)
    assert index.search("card", where="@predicted=card") == []


def test_a_filter_limits_what_is_learned_and_said(index: Index) -> None:
    about = train(index, where={"kind": ["login", "card"]})
    assert set(about.labels) == {"login", "card"}
    assert {p.document_id for p in classify_documents(index, glob=["refund1?"])} == {
        f"refund{n}" for n in range(10, 20)
    }


@pytest.mark.parametrize("estimator", [None, ProbeClassifier(), KNNClassifier(5)])
def test_a_classifier_is_the_same_when_it_is_loaded(index: Index, estimator: Any) -> None:
    train(index, estimator)
    vectors = index.document_vectors().vectors
    loaded = saving.loads(index.models.get()[1])
    fitted = saving.loads(saving.dumps(loaded))
    assert (loaded.predict(vectors) == fitted.predict(vectors)).all()
    if estimator is not None:
        expected = estimator.predict_proba(vectors)
        assert np.allclose(loaded.predict_proba(vectors), expected)


def test_what_is_of_one_group_is_held_out_together_in_a_training(index: Index) -> None:
    threads = ProbeClassifier()
    train(index, threads, group="kind")
    found = examples(index)
    kinds = [label for (label,) in found.labels]
    expected = ProbeClassifier().fit(found.vectors, found.y, groups=kinds)
    assert threads.temperature_ == expected.temperature_
    assert threads.temperature_ != ProbeClassifier().fit(found.vectors, found.y).temperature_
    with pytest.raises(ValueError, match=r"^no document has 'kidn'.*did you mean 'kind'"):
        train(index, group="kidn")
    with pytest.raises(ValueError, match=r"^nothing can be held out"):
        suspected(index, group="kind")


def test_what_can_not_be_saved_is_refused() -> None:
    class KNNClassifier(LogisticRegression):  # type: ignore[misc]  # sklearn has no types
        """Not ours, but for the name."""

    foreign = LogisticRegression()
    for estimator in (foreign, KNNClassifier(), SelectiveClassifier(foreign)):
        with pytest.raises(TypeError, match=r"an estimator that can be saved.*got (Logi|KNN)"):
            saving.dumps(estimator)
    odd = ProbeClassifier(random_state=np.random.RandomState(0))
    with pytest.raises(TypeError, match=r"expected random_state to be of JSON .*got RandomState"):
        saving.dumps(odd)


def test_what_has_learned_nothing_is_not_saved() -> None:
    kept = KNNClassifier(), ProbeClassifier(), SelectiveClassifier(ProbeClassifier())
    for estimator in kept:
        with pytest.raises(NotFittedError, match=f"{type(estimator).__name__} .*not fitted yet"):
            saving.dumps(estimator)


def _file(about: Any) -> bytes:
    file = io.BytesIO()
    written = {saving.ABOUT: np.frombuffer(json.dumps(about).encode(), np.uint8)}
    np.savez(file, allow_pickle=False, **written)
    return file.getvalue()


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"PK\x03\x04",
        b"\x80\x04\x95",
        _file([]),
        _file({"format": saving.FORMAT}),
        _file({"format": saving.FORMAT, "class": "suspects", "parameters": {}, "fitted": {}}),
        _file(
            {"format": saving.FORMAT, "class": "KNNClassifier", "parameters": {"x": {"value": 1}}}
        ),
        _file(
            {
                "format": saving.FORMAT,
                "class": "KNNClassifier",
                "parameters": {},
                "fitted": {"x": {}},
            }
        ),
    ],
)
def test_what_is_no_classifier_is_refused(state: bytes) -> None:
    with pytest.raises(ValueError, match="no classifier can be read there"):
        saving.loads(state)


def test_a_classifier_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a classifier of format 4, got 2: train it"):
        saving.loads(_file({"format": 2}))


def test_what_is_keyed_by_numbers_is_so_when_it_is_loaded() -> None:
    names = {1: "refund", 2: "lost card"}
    model = FewShotClassifier(names=names, class_weight={1: 2.0})
    loaded = saving.loads(saving.dumps(model.fit(["pay me back", "my card is gone"], [1, 2])))
    assert (loaded.names, loaded.class_weight) == (names, {1: 2.0})


def test_a_classifier_that_may_abstain_is_kept_too(index: Index) -> None:
    with pytest.warns(UserWarning, match="nothing will be answered"):
        train(index, max_error=0.01)  # far too few examples for that
    assert {p.labels for p in classify_documents(index)} == {()}
    assert {p.label for p in index.models.predicted(1)} == {None}


def test_documents_of_several_labels_are_learned_too(index: Index) -> None:
    index.add(
        Document(f"both{n}", f"{a} {b}")
        for n, (a, b) in enumerate(zip(texts("card", 9), texts("login", 9), strict=True))
    )
    index.label({f"both{n}": ["card", "login"] for n in range(8)})
    with pytest.warns(UserWarning, match="8 of 32 documents have several labels .'both0', .*each"):
        about = train(index)
    assert about.labels == {"card": 16, "login": 16, "refund": 8}
    said = {p.document_id: set(p.labels) for p in classify_documents(index, glob=["both8"])}
    assert said == {"both8": {"card", "login"}}
    shares = dict(zip(*_probabilities_of(index, "both8"), strict=True))
    kept = {p.label: p.probability for p in index.models.predicted(1)}
    assert kept == {label: pytest.approx(shares[label]) for label in ("card", "login")}
    (said_of_it,) = classify_documents(index, glob=["both8"])
    assert list(said_of_it.probabilities) == sorted(kept.values(), reverse=True)
    assert said_of_it.probability == said_of_it.probabilities[0]
    index.label({"card0": "login"})
    with pytest.warns(UserWarning, match="8 of 32 documents have several labels .'both0', 'both1"):
        found = suspected(index)
    assert {(s.document_id, s.label, s.suggested) for s in found} == {
        ("card0", "login", None),
        ("card0", None, "card"),
    }


def test_a_map_tells_every_label_that_was_predicted(index: Index) -> None:
    version = index.models.put(index.space, "ProbeClassifier", {}, b"").version
    index.models.note(version, [("card0", "card", 0.9), ("card0", "login", 0.6)])
    found = index.document_vectors(["card0", "card1", "login0"])
    drawn = points(index, found, by="predicted")
    assert dict(zip(drawn.ids, drawn.groups, strict=True)) == {
        "card0": "card + login",
        "card1": "(none)",
        "login0": "(none)",
    }


def _probabilities_of(index: Index, id: str) -> tuple[list[str], list[float]]:
    classifier = saving.loads(index.models.get()[1], embedder=index)
    vectors = index.document_vectors(glob=[id]).vectors
    return classifier.classes_.tolist(), classifier.predict_proba(vectors)[0].tolist()


def test_a_classifier_outlives_the_labels_it_learned_from(index: Index) -> None:
    train(index)
    index.undo_label()
    (said,) = classify_texts(index, ["password forgot"])
    assert (said.labels, said.reasons) == (("login",), ())


def test_conditions_that_no_label_meets_are_told(index: Index) -> None:
    with pytest.raises(ValueError, match="no document that meets the conditions is labelled"):
        examples(index, glob=["nope*"])
    assert len(examples(index, where=["kind=card"], glob=["*[0-3]"]).ids) == 4


def test_labelled_documents_without_vectors_are_named(index: Index) -> None:
    index.add([Document("new", "not embedded")], embed=False)
    index.label({"new": "card"})
    with pytest.warns(UserWarning, match="1 of 25 labelled documents left out, as they are not em"):
        found = examples(index)
    assert found.pending == ["new"]
    assert len(found.ids) == 24


def test_nothing_is_learned_from_nothing(index: Index) -> None:
    index.undo_label()
    with pytest.raises(ValueError, match="no document is labelled"):
        train(index)
    index.label({"card0": "card", "card1": "card"})
    with pytest.raises(ValueError, match="at least two classes, got one class, 'card'"):
        train(index)
    with pytest.raises(ModelNotFound, match="no classifier was trained yet"):
        classify_texts(index, ["a text"])


def test_a_label_of_one_document_is_told_of(index: Index) -> None:
    index.label({"card0": "lone"})
    with pytest.warns(UserWarning, match="1 of 4 labels have a single document, .* of 'lone'$"):
        train(index)
    with pytest.warns(UserWarning, match="1 of 4 labels can't be judged, .* 1 more of 'lone'$"):
        suspected(index)


def test_a_blank_text_and_another_space_are_refused(index: Index) -> None:
    train(index)
    with pytest.raises(ValueError, match="text 1 is blank"):
        classify_texts(index, ["a", " "])
    state = index.models.get()[1]
    index.models.put("another/space", "ProbeClassifier", {}, state)
    with pytest.raises(EmbedderMismatch, match="trained in 'another/space'"):
        classify_texts(index, ["a"])


def test_wrong_labels_are_suspected(index: Index) -> None:
    index.label({f"{label}{n}": label for label in WORDS for n in range(20)})
    index.label({"card3": "login", "refund7": "card"})
    found = {s.document_id: (s.label, s.suggested) for s in suspected(index)[:2]}
    assert found == {"card3": ("login", "card"), "refund7": ("card", "refund")}
    first = suspected(index)[0]
    assert first.probability < first.suggested_probability
    assert {reason.labels for reason in first.disagreeing} == {(first.suggested,)}


def test_a_few_labels_are_enough_to_suspect_one(index: Index) -> None:
    index.undo_label()
    index.label({f"{label}{n}": label for label in WORDS for n in range(4)})
    index.label({"card3": "login"})
    assert "card3" in {suspect.document_id for suspect in suspected(index)}
    index.undo_label()
    with pytest.warns(UserWarning, match="4 folds instead of 5, as 'card' has 4 different"):
        assert suspected(index) == []
    index.undo_label()
    index.label({"card3": "card", "login0": "login"})
    with pytest.raises(ValueError, match="label 1 more of each of 'card', 'login'"):
        suspected(index)


def test_copies_do_not_vouch_for_their_wrong_label(index: Index) -> None:
    index.label({f"{label}{n}": label for label in WORDS for n in range(20)})
    copies = [f"copy{n}" for n in range(8)]
    index.add(Document(id, "refund money back again") for id in copies)
    index.label(dict.fromkeys(copies, "login"))
    assert {suspect.document_id for suspect in suspected(index)} == set(copies)


def test_the_next_to_label_is_typical_new_and_in_doubt(index: Index) -> None:
    index.undo_label()
    asked = chooser(index)
    labels: dict[str, tuple[str, ...]] = {}
    for _ in range(3):
        choice = asked.next(labels)
        assert choice is not None
        labels[choice.document_id] = (choice.document_id.rstrip("0123456789"),)
    assert {label for (label,) in labels.values()} == set(WORDS)  # one of each kind
    for n in range(10):
        labels[f"card{n}"], labels[f"login{n}"] = ("card",), ("login",)
    choice = asked.next(labels)
    assert choice is not None
    assert choice.document_id not in labels
    assert set(choice.guesses) == set(WORDS)
    everything = dict.fromkeys(index.document_vectors().ids, ("x",))
    assert asked.next(everything) is None
    assert asked.next({}, frozenset(everything)) is None


def test_what_is_odd_about_labels_is_told_once_while_they_are_chosen(index: Index) -> None:
    asked = chooser(index)
    labels = {f"{kind}{n}": (kind,) for kind in ("card", "login") for n in range(8)}
    labels["card0"] = ("Card",)
    with pytest.warns(UserWarning, match="'Card' and 'card' differ only by case"):
        assert asked.next(labels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert asked.next(labels)


def test_a_document_sure_of_both_its_labels_is_not_in_doubt(index: Index) -> None:
    rows = np.random.default_rng(0).normal(scale=0.05, size=(26, 256))
    rows[:, 0] += np.arange(26) % 4 != 1
    rows[:, 1] += np.arange(26) % 4 != 0
    rows[24] = [1, 1] + [0] * 254  # surely both
    rows[25] = [1, 0.45] + [0] * 254  # the first, and perhaps the second
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    ids = [str(n) for n in range(26)]
    kinds = {0: ("one",), 1: ("two",)}
    labels = {str(n): kinds.get(n % 4, ("one", "two")) for n in range(24)}
    choice = Chooser(index, ids, rows.astype(np.float32)).next(labels)
    assert choice is not None
    assert (choice.document_id, set(choice.guesses)) == ("25", {"one", "two"})


def test_an_error_is_promised_for_several_labels_too() -> None:
    draw = np.random.default_rng(0)
    words = {kind: [f"{kind}{n}" for n in range(9)] for kind in ("card", "login")}
    with Index.open(":memory:", HashEmbedder(256)) as index:
        given = {}
        for n in range(900):
            kinds = [["card"], ["login"], ["card", "login"]][n % 3]
            text = " ".join(draw.choice(words[kind], 6).tolist() and kind for kind in kinds)
            text += " " + " ".join(
                str(word) for kind in kinds for word in draw.choice(words[kind], 4)
            )
            index.add([Document(str(n), text)], embed=False)
            given[str(n)] = kinds
        index.embed_pending()
        index.label(given)
        told = "300 of 900 documents have several labels .*: an answer with one missing, or one too"
        with pytest.warns(UserWarning, match=told):
            about = train(index, max_error=0.05)
        assert about.estimator == "SelectiveClassifier"
        both, one, strange = classify_texts(
            index, ["card login card1 login2", "card card3", "zebra"]
        )
        assert set(both.labels) == {"card", "login"}
        assert both.probabilities[0] >= both.probabilities[1] > 0.5
        assert one.labels == ("card",)
        assert (strange.labels, strange.probabilities) == ((), ())


def test_a_text_unlike_all_that_is_labelled_is_marked(index: Index) -> None:
    train(index)
    said = classify_texts(index, ["my refund money back", "whales sing in the deep blue sea"])
    assert [prediction.unlike for prediction in said] == [False, True]
    assert all(prediction.labels for prediction in said)
    index.add([Document("odd", "zebras graze"), Document("copy", index.get("card0").text)])
    marks = {said.document_id: said.unlike for said in classify_documents(index)}
    assert marks["odd"]
    assert not marks["copy"]
    assert sum(marks.values()) < 10


def test_with_few_labelled_documents_nothing_is_said_to_be_unlike(index: Index) -> None:
    train(index)
    index.undo_label()
    assert not classify_texts(index, ["whales sing"])[0].unlike
    index.label({"card0": "card", "login0": "login"})
    assert not classify_texts(index, ["whales sing"])[0].unlike
