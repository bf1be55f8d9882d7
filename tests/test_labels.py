"""Labels live in the index: given, replaced, taken back, and never lost with a file."""

from __future__ import annotations

import copy
import pickle
import re
import sqlite3
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from embedsearch import Document, Index
from embedsearch.classify import ProbeClassifier, saving
from embedsearch.errors import DocumentNotFound, ModelNotFound
from embedsearch.files import salvage
from embedsearch.store.clock import now
from embedsearch.testing import HashEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from embedsearch.embedders.protocol import Role, Vectors


@pytest.fixture
def index() -> Iterator[Index]:
    with Index.open(":memory:", HashEmbedder(), chunk_tokens=8, chunk_overlap=2) as index:
        index.add([Document(str(n), " ".join(f"w{m}" for m in range(7 * n + 1))) for n in range(5)])
        yield index


def test_new_labels_take_the_place_of_old_ones(index: Index) -> None:
    assert index.label({"0": "a", "1": ["b", "c"]}) == 2
    assert index.labels() == {"0": ("a",), "1": ("b", "c")}
    index.label({"1": "d"})
    assert index.labels() == {"0": ("a",), "1": ("d",)}


def test_no_labels_take_away_what_was_there(index: Index) -> None:
    index.label({"0": "a", "1": "b"})
    index.label({"0": []})
    assert index.labels() == {"1": ("b",)}


def test_taking_back_brings_what_was_there_before(index: Index) -> None:
    assert index.undo_label() is None
    index.label({"0": "a"}, source="first")
    index.label({"0": "b", "1": "b"}, source="second")
    undone = index.undo_label()
    assert undone is not None
    assert (undone.source, undone.documents) == ("second", 2)
    assert index.labels() == {"0": ("a",)}
    assert [row.source for row in index.labelled()] == ["first"]


def test_blanks_around_a_label_and_repeats_are_nothing(index: Index) -> None:
    index.label({"0": [" a ", "a"]})
    assert index.labels() == {"0": ("a",)}


def test_nothing_is_labelled_where_one_id_is_wrong(index: Index) -> None:
    with pytest.raises(DocumentNotFound, match="no document 'nope'"):
        index.label({"0": "a", "nope": "a"})
    with pytest.raises(ValueError, match="'0#0' is a chunk: labels are for documents"):
        index.label({"0": "a", "0#0": "a"})
    with pytest.raises(ValueError, match="labels of '0' as text that is not blank, got ' '"):
        index.label({"0": " "})
    for strange in ("\x1b[A", "a\nb", "a\tb", "a\x85b", "a\u2028b"):
        said = f"labels of '0' without control characters, got {strange!r}"
        with pytest.raises(ValueError, match=re.escape(said)):
            index.label({"1": "a", "0": strange})
    assert index.labels() == {}


def test_labels_wait_for_a_document_that_is_removed(index: Index) -> None:
    index.label({"0": "a"})
    index.remove("0")
    assert index.labels() == {}
    index.add([Document("0", "another text")])
    assert index.labels() == {"0": ("a",)}


def test_labels_follow_renamed_files(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in "ab":
        (docs / name).with_suffix(".txt").write_text(f"this is the text of {name}")
    with Index.open(tmp_path / "index", HashEmbedder()) as index:
        index.sync(docs)
        index.label({"a.txt": "A", "b.txt": "B"})
        (docs / "b.txt").unlink()
        index.sync(docs)
        (docs / "a.txt").rename(docs / "b.txt")  # in the place of one that is gone
        assert index.sync(docs).renamed == 1
        assert index.labels() == {"b.txt": ("A",)}
        assert index.undo_label() is not None  # the act that was about both
        assert index.labels() == {}


def test_taking_back_passes_over_an_act_of_which_nothing_is_left(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in "ab":
        (docs / name).with_suffix(".txt").write_text(f"this is the text of {name}")
    with Index.open(tmp_path / "index", HashEmbedder()) as index:
        index.sync(docs)
        index.label({"a.txt": "A"}, source="first")
        index.label({"b.txt": "B"}, source="second")
        (docs / "b.txt").unlink()
        index.sync(docs)
        (docs / "a.txt").rename(docs / "b.txt")
        index.sync(docs)
        undone = index.undo_label()
        assert undone is not None
        assert undone.source == "first"


def test_a_prediction_ends_with_its_text_be_that_replaced_in_the_same_second(index: Index) -> None:
    version = index.models.put(index.space, "ProbeClassifier", {}, b"").version
    older = index.models.put(index.space, "ProbeClassifier", {}, b"").version
    for known in (version, older):
        index.models.note(known, [("0", "a", 0.5), ("1", "a", 0.5), ("2", "a", 0.5)])
    index.add([Document("0", "another text")])
    index.remove("1")
    index.add([Document("1", "a text that came back as another")])
    for known in (version, older):
        assert [said.document for said in index.models.predicted(known)] == ["2"]
        index.models.note(known, [("nope", "a", 0.5)])
    index.models.note(version, [("0", "a", 0.5)], at="2020-01-31T00:00:00+00:00")
    assert [said.document for said in index.models.predicted(version)] == ["2"]


def test_what_is_said_of_a_document_put_by_a_clock_that_is_ahead_is_kept(index: Index) -> None:
    version = index.models.put(index.space, "ProbeClassifier", {}, b"").version
    with index._database.writing():
        index._database.execute("update documents set updated = '2999-01-01T00:00:00+00:00'")
    index.models.note(version, [("0", "a", 0.5)], at=now(), generation=index.models.generation)
    assert [said.document for said in index.models.predicted(version)] == ["0"]
    assert [document.id for document in index.documents(where="@predicted=a")] == ["0"]
    assert index.models.classified(version) == 1


def test_what_an_older_version_kept_of_texts_that_are_gone_is_dropped(tmp_path: Path) -> None:
    with Index.open(tmp_path, HashEmbedder()) as index:
        index.add([Document("a", "some words"), Document("b", "other words")])
        version = index.models.put(index.space, "ProbeClassifier", {}, b"").version
        index.models.note(version, [("a", "A", 0.5), ("b", "B", 0.5)])
    with sqlite3.connect(tmp_path / "index.db") as connection:
        connection.execute("update predictions set at = '2020-01-31' where document = 'b'")
        connection.execute(
            "insert into predictions (version, document, probability, at) values (1, 'c', 1, 'z')"
        )
        connection.execute("create view current_predictions as select * from predictions")
        connection.execute("pragma user_version = 11")
    connection.close()
    with Index.open(tmp_path, HashEmbedder()) as index:
        assert [said.document for said in index.models.predicted(version)] == ["a"]


def test_what_was_read_before_a_text_was_replaced_in_the_same_second_is_not_kept(
    index: Index,
) -> None:
    version = index.models.put(index.space, "ProbeClassifier", {}, b"").version
    said = [("0", "a", 0.5), ("1", "a", 0.5), ("2", "a", 0.5)]
    index.add([Document("0", "another text")])
    index.models.note(version, said, at=now(), generation=index.models.generation)
    assert [p.document for p in index.models.predicted(version)] == ["0", "1", "2"]
    read, generation = now(), index.models.generation
    index.add([Document("1", "one more text")])
    index.models.note(version, said, at=read, generation=generation)
    assert "1" not in [p.document for p in index.models.predicted(version)]


def test_predictions_follow_renamed_files(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in "ab":
        (docs / name).with_suffix(".txt").write_text(f"this is the text of {name}")
    with Index.open(tmp_path / "index", HashEmbedder()) as index:
        index.sync(docs)
        version = index.models.put(index.space, "ProbeClassifier", {}, b"").version
        index.models.note(version, [("a.txt", "A", 0.5), ("b.txt", "B", 0.5)])
        (docs / "b.txt").unlink()
        index.sync(docs)
        (docs / "a.txt").rename(docs / "b.txt")
        index.sync(docs)
        assert [(p.document, p.label) for p in index.models.predicted(version)] == [("b.txt", "A")]
        assert list(index.documents(where="@predicted=B")) == []


def test_salvage_keeps_labels_and_classifiers(tmp_path: Path) -> None:
    state = saving.dumps(ProbeClassifier().fit(np.eye(4, dtype=np.float32), [*"xyxy"]))
    with Index.open(tmp_path, HashEmbedder()) as index:
        index.add([Document("a", "some words")])
        index.label({"a": "x"}, source="test")
        index.models.put(index.space, "ProbeClassifier", {"x": 1}, state)
    kept = salvage(tmp_path).kept
    assert (kept["labels"], kept["labellings"], kept["models"]) == (1, 1, 1)
    with Index.open(tmp_path, HashEmbedder()) as index:
        assert index.labels() == {"a": ("x",)}
        assert index.models.get()[1] == state
        assert index.verify() == []


def test_classifiers_are_numbered_and_found_again(index: Index) -> None:
    with pytest.raises(ModelNotFound, match="no classifier was trained yet"):
        index.models.get()
    first = index.models.put(index.space, "ProbeClassifier", {"é": 3}, b"1")
    second = index.models.put(index.space, "KNNClassifier", {"é": 4}, b"2")
    assert (first.version, second.version) == (1, 2)
    assert index.models.get() == (second, b"2")
    assert index.models.get(1) == (first, b"1")
    assert list(index.models) == [first, second]
    with pytest.raises(ModelNotFound, match="no classifier of version 3"):
        index.models.get(3)


def test_what_a_classifier_said_is_kept_and_replaced(index: Index) -> None:
    version = index.models.put(index.space, "ProbeClassifier", {}, b"").version
    index.models.note(version, [("0", "a", 0.5), ("1", None, 0.1)])
    index.models.note(version, [("0", "b", 0.75)])
    said = [(p.document, p.label, p.probability) for p in index.models.predicted(version)]
    assert said == [("0", "b", 0.75), ("1", None, 0.1)]


def test_what_was_said_of_a_text_is_not_known_of_the_one_in_its_place(index: Index) -> None:
    version = index.models.put(index.space, "ProbeClassifier", {}, b"").version
    index.models.note(version, [("0", "a", 0.5), ("1", "a", 0.5)])
    time.sleep(1.1)  # times are kept to the second
    index.add([Document("0", "another text")])
    assert [p.document for p in index.models.predicted(version)] == ["1"]
    assert [d.id for d in index.documents(where="@predicted=a")] == ["1"]


def test_labels_and_predictions_are_conditions_like_metadata(index: Index) -> None:
    index.label({"0": "a", "1": ["a", "b"], "2": "c"})
    for condition, found in {
        "@label=a": {"0", "1"},
        "@label!=a": {"2", "3", "4"},
        "@label>=b": {"1", "2"},
    }.items():
        assert {hit.document_id for hit in index.search("w0", where=condition)} == found
    assert [d.id for d in index.documents(where={"@label": ["b", "c"]})] == ["1", "2"]
    index.undo_label()
    assert index.search("w0", where="@label=a") == []
    version = index.models.put(index.space, "ProbeClassifier", {}, b"").version
    index.models.note(version, [("0", "a", 0.5), ("1", None, 0.1)])
    assert [d.id for d in index.documents(where="@predicted=a")] == ["0"]
    index.models.put(index.space, "ProbeClassifier", {}, b"")  # which has said nothing yet
    assert list(index.documents(where="@predicted=a")) == []


def test_a_documents_vector_is_the_mean_of_its_passages(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = index.document_vectors()
    assert found.ids == ["0", "1", "2", "3", "4"]
    for id, vector in zip(found.ids, found.vectors, strict=True):
        passages = index.embedder.embed([chunk.text for chunk in index.chunks(id)])
        mean = passages.mean(axis=0)
        assert np.allclose(vector, mean / np.linalg.norm(mean), atol=1e-3)
    monkeypatch.setattr("embedsearch.store.vectors.PAGE", 3)  # documents lie across pages
    assert np.allclose(index.document_vectors().vectors, found.vectors, atol=1e-6)


def test_documents_without_vectors_are_left_out_and_filters_hold(index: Index) -> None:
    index.add([Document("new", "not embedded", {"lang": "en"})], embed=False)
    assert "new" not in index.document_vectors().ids
    index.embed_pending()
    assert index.document_vectors(where={"lang": "en"}).ids == ["new"]
    assert index.document_vectors(["4", "new"]).ids == ["4", "new"]
    with pytest.raises(DocumentNotFound, match="no document 'nope'"):
        index.document_vectors(["4", "nope"])
    assert index.document_vectors(["4", "new"], glob=["4"]).ids == ["4"]
    assert index.document_vectors([]).ids == []
    assert index.document_vectors(glob=["nope*"]).vectors.shape == (0, 64)


def test_texts_come_whole_in_the_order_asked(index: Index) -> None:
    assert index.texts(["3", "0", "3"]) == [index.get(id).text for id in ("3", "0", "3")]
    index.add([Document("blank", "")])
    assert index.texts(["blank"]) == [""]
    with pytest.raises(DocumentNotFound, match="no document 'nope'"):
        index.texts(["0", "nope"])


def test_what_the_index_holds_is_not_embedded_again() -> None:
    asked: list[str] = []

    class Counting(HashEmbedder):
        def embed(self, texts: Sequence[str], *, kind: Role = "document") -> Vectors:
            asked.extend(texts)
            return super().embed(texts, kind=kind)

    with Index.open(":memory:", Counting()) as index:
        index.add([Document("a", "a text")])
        asked.clear()
        rows = index.embed(["a text", "another", "another"])
        assert asked == ["another"]
        assert np.allclose(rows, HashEmbedder().embed(["a text", "another", "another"]), atol=1e-3)
        assert index.embed([]).shape == (0, 64)


def test_what_is_no_label_is_named_and_an_index_in_memory_is_not_sent_to_others() -> None:
    with Index.open(":memory:", HashEmbedder(16)) as index:
        index.add([Document("a", "one")])
        for said in (3, None):
            with pytest.raises(TypeError, match=f"a label of 'a', or a list of them, got {said}"):
                index.label({"a": said})  # type: ignore[dict-item]
        for copied in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match=r"give vectors .* or n_jobs=1"):
                copied(index)


def test_an_index_is_opened_once_where_it_is_sent_to(tmp_path: Path) -> None:
    with Index.open(tmp_path / "index", HashEmbedder(16)) as index:
        index.add([Document("a", "one")])
        sent = pickle.dumps(index)
        for copied in (copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="an index can't be copied"):
                copied(index)
        one, other = (pickle.loads(sent) for _ in range(2))  # noqa: S301 -- as joblib's workers do
        assert one is other
        assert one is not index
        assert (one.path, one.space, len(one)) == (index.path, index.space, 1)
        assert (one.embed(["one"]) == index.embed(["one"])).all()
        one.close()
        again = pickle.loads(sent)  # noqa: S301 -- the same
        assert len(again) == 1
        again.close()
