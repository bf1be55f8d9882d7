"""Conditions: what ``where`` and ``glob`` match, against the same conditions in Python."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedsearch import Document, Index
from embedsearch.testing import HashEmbedder

BOOKS: dict[str, dict[str, Any]] = {
    "a": {"lang": "en", "year": 2019, "tags": ["red", "old"], "author": {"name": "Ann"}},
    "b": {"lang": "de", "year": 2020, "tags": ["red"], "draft": True},
    "c": {"lang": "en", "year": 2021.5, "draft": False},
    "d": {
        "year": "2020",
        "note": None,
        "mark": "<b>",
        "og.title": "T",
        "date": "2024-05-01",
        "n": 10**20,
    },
    "e": {},
}

OPENAI = r"expected {'type': eq\|.*, 'key', 'value'} or {'type': and\|or, 'filters': \[...\]}, got"


@pytest.fixture(scope="module")
def books() -> Index:
    index = Index.open(":memory:", HashEmbedder())
    index.add(Document(id, f"book {id}", facts) for id, facts in BOOKS.items())
    return index


def found(index: Index, where: Any) -> str:
    return "".join(document.id for document in index.documents(where=where))


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (None, "abcde"),
        ({}, "abcde"),
        ({"lang": "en"}, "ac"),
        ({"lang": "en", "year": 2019}, "a"),
        ({"lang": ["en", "de"]}, "abc"),
        ({"lang": {"ne": "en"}}, "bde"),
        ({"lang": {"nin": ["en", "de"]}}, "de"),
        ({"year": {"gte": 2020}}, "bc"),
        ({"year": {">=": 2020, "<": 2021}}, "b"),
        ({"year": {"$gt": 2019}}, "bc"),
        ({"year": {"gte": "2"}}, "d"),
        ({"tags": "red"}, "ab"),
        ({"tags": "old"}, "a"),
        ({"draft": True}, "b"),
        ({"author.name": "Ann"}, "a"),
        ({"note": None}, "d"),
        ({"type": "eq", "key": "lang", "value": "en"}, "ac"),
        ({"type": "in", "key": "year", "value": [2019, 2020]}, "ab"),
        (
            {
                "type": "or",
                "filters": [
                    {"type": "eq", "key": "lang", "value": "de"},
                    {"type": "gt", "key": "year", "value": 2021},
                ],
            },
            "bc",
        ),
        ({"type": "and", "filters": [{"lang": "en"}, {"year": {"lt": 2020}}]}, "a"),
        ("lang=en", "ac"),
        ("lang != en", "bde"),
        ("mark= <b>", "d"),
        ("year>=2020", "bcd"),
        ("year<2020", "a"),
        ("date>=2020", "d"),
        ("date<2024-06", "d"),
        ({"date": {"gte": 2020}}, ""),
        ("n>=99999999999999999999", "d"),
        ({"n": 10**20}, "d"),
        ({"n": [1, 10**20]}, "d"),
        ("n>=1e999", ""),
        ({"og.title": "T"}, "d"),
        ({"og.title": {"ne": "T"}}, "abce"),
        ("og.title=T", "d"),
        ({"type": ["book", "map"]}, ""),
        ({"type": "book", "key": "lang"}, ""),
        ({"type": {"eq": "and"}}, ""),
        ({"year": range(2015, 300_000)}, "ab"),
        ({"type": "or", "filters": [{"year": n} for n in range(1_000, 2_100)]}, "ab"),
        ([f"year!={n}" for n in range(1_000, 2_020)], "bcde"),
        ({"type": "or", "filters": []}, ""),
        ({"type": "or", "filters": [{}, {"lang": "en"}]}, "abcde"),
        ({"type": "and", "filters": []}, "abcde"),
        ("year=2020", "bd"),
        ("draft=true", "b"),
        (["lang=en", "year<2020"], "a"),
        ({"lang": "' or 1=1 --"}, ""),
        ({"la'ng": "en"}, ""),
        ({"lang": []}, ""),
        ({"year": {2020}}, "b"),
    ],
)
def test_conditions_match_the_documents_they_describe(
    books: Index, where: Any, expected: str
) -> None:
    assert found(books, where) == expected


@pytest.mark.parametrize(
    ("where", "complaint"),
    [
        ("lang", "expected KEY=VALUE"),
        ("=en", "expected KEY=VALUE"),
        ("year=>2020", "unknown comparison '=>' in 'year=>2020': choose from =, ==, !=, >, >=, <,"),
        ("year<>2020", "unknown comparison '<>' in 'year<>2020'"),
        ({"lang": {"like": "e%"}}, "unknown comparison 'like': choose from"),
        ({'la"ng': "en"}, "expected a metadata key without quotation marks"),
        ({"la\0ng": "en"}, "expected a metadata key without quotation marks"),
        ({"": "en"}, "expected a metadata key"),
        ({"lang": {"gt": {"a": 1}}}, "expected text, a finite number, .* a date for 'lang'"),
        ({"year>=": 2020}, "expected a metadata key, got 'year>='"),
        ({"n": float("inf")}, "expected text, a finite number, .* a date for 'n'"),
        ({"n": 10**400}, "expected text, a finite number, .* a date for 'n'"),
        ({"lang": {"in": "en"}}, "expected a list for 'in' of 'lang', got 'en'"),
        ({"lang": {"nin": None}}, "expected a list for 'nin' of 'lang', got None"),
        ({"type": "contains", "key": "lang", "value": "en"}, OPENAI),
        ({"type": "eq", "key": "lang"}, OPENAI),
        ({"type": "eq", "key": "lang", "value": "en", "year": 2019}, OPENAI),
        ({"type": "and"}, "write {'type': {'eq': 'and'}}"),
        ({"type": "and", "filters": "lang=en"}, OPENAI),
        ({"type": "xor", "filters": []}, OPENAI),
        ({"type": "or", "filters": [{"type": "foo", "key": "lang", "value": "en"}]}, OPENAI),
        ([f"year!={n}" for n in range(200_000)], "more than SQLite can take"),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused(
    books: Index, where: Any, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        found(books, where)


MOMENT = datetime(2024, 5, 1, 8, 30, tzinfo=timezone(timedelta(hours=2)))


@pytest.fixture(scope="module")
def typed() -> Index:
    index = Index.open(":memory:", HashEmbedder())
    facts = {
        "n": np.int64(3),
        "x": np.float32(0.1),
        "ok": np.bool_(True),  # noqa: FBT003 -- as rows of numpy have it
        "on": date(2024, 5, 1),
        "at": MOMENT,
        "local": datetime(2024, 5, 1, 8, 30),  # noqa: DTZ001 -- it has no zone
        "all": [np.int64(1), {"at": MOMENT}],
    }
    index.add([Document("a", "a text", facts)])
    return index


def test_scalars_of_numpy_and_moments_are_stored_as_json_has_them(typed: Index) -> None:
    assert typed.get("a").metadata == {
        "n": 3,
        "x": 0.10000000149011612,
        "ok": True,
        "on": "2024-05-01",
        "at": "2024-05-01T06:30:00Z",
        "local": "2024-05-01T08:30:00",
        "all": [1, {"at": "2024-05-01T06:30:00Z"}],
    }


@pytest.mark.parametrize(
    ("where", "matches"),
    [
        ({"n": np.int64(3)}, True),
        ({"n": {"gt": np.int64(3)}}, False),
        ({"n": np.array([2, 3])}, True),
        ({"x": np.float32(0.1)}, True),
        ({"ok": np.bool_(True)}, True),  # noqa: FBT003
        ({"ok": np.bool_(False)}, False),  # noqa: FBT003
        ({"on": date(2024, 5, 1)}, True),
        ({"at": MOMENT}, True),
        ({"at": MOMENT.astimezone(UTC)}, True),
        ({"at": {"gte": MOMENT}}, True),
        ({"at": {"gt": MOMENT}}, False),
        ({"at": {"lt": MOMENT + timedelta(seconds=1)}}, True),
        ({"at": {"gte": date(2024, 5, 1), "lt": date(2024, 5, 2)}}, True),
        ({"at": [MOMENT, "x"]}, True),
        ("at=2024-05-01T06:30:00Z", True),
        ("at<2024-05-01T06:30:00Z", False),
    ],
)
def test_a_condition_says_moments_and_scalars_of_numpy_as_metadata_does(
    typed: Index, where: Any, *, matches: bool
) -> None:
    assert found(typed, where) == ("a" if matches else "")


VALUES = st.one_of(st.integers(-3, 3), st.sampled_from(["x", "y", "-1"]), st.booleans())


@settings(max_examples=60, deadline=None)
@given(
    facts=st.lists(st.dictionaries(st.sampled_from(["p", "q"]), VALUES), max_size=8),
    key=st.sampled_from(["p", "q"]),
    operation=st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"]),
    value=st.one_of(st.integers(-3, 3), st.sampled_from(["x", "y"])),
)
def test_a_filtered_search_brings_back_every_match(
    facts: list[dict[str, Any]], key: str, operation: str, value: int | str
) -> None:
    def matches(document: dict[str, Any]) -> bool:
        held = document.get(key)
        same = held == value
        if operation in {"eq", "ne"}:
            return same == (operation == "eq")
        if held is None or isinstance(held, str) != isinstance(value, str):
            return False
        return bool(
            {
                "gt": held > value,
                "gte": held >= value,
                "lt": held < value,
                "lte": held <= value,
            }[operation]
        )

    with Index.open(":memory:", HashEmbedder()) as index:
        index.add(Document(str(n), f"word number {n}", d) for n, d in enumerate(facts))
        expected = {str(n) for n, document in enumerate(facts) if matches(document)}
        for mode in ("hybrid", "dense", "lexical"):
            hits = index.search("word", k=10, mode=mode, where={key: {operation: value}})
            assert {hit.document_id for hit in hits} == expected


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("langg=en", ["no document has 'langg' in its metadata: did you mean 'lang'?"]),
        ({"Lang": "en", "lang": "xx"}, ["no document has 'Lang' in its metadata: did you mean"]),
        ("author.nam=x", ["no document has 'author.nam' in its metadata: did you mean 'author.n"]),
        ("og:title=T", ["no document has 'og:title' in its metadata: did you mean 'og.title'?"]),
        ("labels=x", ["no document has 'labels' in its metadata: did you mean '@label'?"]),
        (
            "zzz=1",
            ["no document has 'zzz' in its metadata; there is 'year', 'lang', 'draft', 'tags"],
        ),
        (["zz=1", "lang=xx", "yy=2"], ["no document has 'yy'", "no document has 'zz'"]),
        ("@label=a", ["no document is labelled yet"]),
        ("@predicted=a", ["no classifier was trained yet"]),
        ("lang=xx", []),
        ("note=1", []),
        ("tags=blue", []),
        ("author.name=x", []),
        ("zzz!=1", []),
        (None, []),
    ],
)
def test_a_key_that_no_document_has_is_named_with_those_alike(
    books: Index, where: Any, said: list[str]
) -> None:
    told = books.unmet(where)
    assert len(told) == len(said)
    for words, beginning in zip(told, said, strict=True):
        assert words.startswith(beginning)


def test_a_key_is_named_beside_one_of_which_it_is_the_last_part() -> None:
    with Index.open(":memory:", HashEmbedder()) as index:
        index.add([Document("a", "a text", {"m": {"a": {"b": 3}}, "b": True})])
        (said,) = index.unmet("zzz=1")
        assert said.endswith("metadata; there is 'b', 'm', 'm.a', 'm.a.b'")


def test_of_an_index_without_documents_or_metadata_no_key_is_suggested() -> None:
    with Index.open(":memory:", HashEmbedder()) as index:
        assert index.unmet("lang=en") == []
        index.add([Document("a", "a text")])
        assert index.unmet("lang=en") == ["no document has 'lang' in its metadata; none has any"]
