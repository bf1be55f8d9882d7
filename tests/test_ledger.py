"""The ledger of API use and the outbox, as they lie in ``index.db``."""

from __future__ import annotations

import hashlib
import sqlite3
from typing import TYPE_CHECKING

import pytest

from embedsearch import Document, Index
from embedsearch.store import outbox, usage
from embedsearch.store.database import Database, open_database
from embedsearch.store.outbox import Sent
from embedsearch.store.salvage import salvage
from embedsearch.store.schema import MIGRATIONS
from embedsearch.store.usage import Total, Use
from embedsearch.testing import HashEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPENAI, OLLAMA = "api.openai.com", "localhost:11434"
SMALL, NOMIC = "text-embedding-3-small", "nomic-embed-text"

USES = [
    Use("2026-11-01T09:00:00+00:00", "index", OPENAI, SMALL, 3, 50_000, 0.001),
    Use("2026-11-01T23:59:59+00:00", "search", OPENAI, SMALL, 1, 12, 0.0),
    Use("2026-11-02T08:00:00+00:00", "index", OPENAI, SMALL, 2, 25_000, 0.0005),
    Use("2026-11-02T08:30:00+00:00", "index", OLLAMA, NOMIC, 4, 9_000, None),
]


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


SENT = [
    Sent("2026-11-01T09:00:00+00:00", OPENAI, SMALL, "a.md", digest("a"), 7),
    Sent("2026-11-01T09:00:00+00:00", OPENAI, SMALL, "a.md", digest("b"), 5),
    Sent("2026-11-02T08:00:00+00:00", OLLAMA, NOMIC, "query", digest("c"), 3),
    Sent("2026-11-02T09:00:00+00:00", OPENAI, SMALL, None, digest("who"), 2),
]


@pytest.fixture
def database() -> Iterator[Database]:
    """Return an empty database in memory."""
    opened = open_database(None, create=True)
    yield opened
    opened.close()


def test_the_largest_bills_have_a_sum(database: Database) -> None:
    large = Use("2026-11-01T09:00:00+00:00", "ask", OLLAMA, NOMIC, 1, 2**53, None)
    usage.note(database, [large] * 1024)
    (total,) = usage.totals(database, by="day")
    assert (total.tokens, total.unpriced) == (2**63 - 1, 2**63 - 1)


def test_use_is_summed_by_day(database: Database) -> None:
    usage.note(database, USES)
    assert usage.totals(database, by="day") == [
        Total("2026-11-01", 4, 50_012, 0.001, 0),
        Total("2026-11-02", 6, 34_000, 0.0005, 9_000),
    ]


def test_use_is_summed_by_model_command_and_host(database: Database) -> None:
    usage.note(database, USES)
    assert usage.totals(database, by="model") == [
        Total(NOMIC, 4, 9_000, 0.0, 9_000),
        Total(SMALL, 6, 75_012, 0.0015, 0),
    ]
    assert usage.totals(database, by="command") == [
        Total("index", 9, 84_000, 0.0015, 9_000),
        Total("search", 1, 12, 0.0, 0),
    ]
    assert [total.key for total in usage.totals(database, by="host")] == [OPENAI, OLLAMA]


def test_use_is_told_since_a_day(database: Database) -> None:
    usage.note(database, USES)
    assert usage.totals(database, by="command", since="2026-11-02") == [
        Total("index", 6, 34_000, 0.0005, 9_000)
    ]


def test_nothing_used_is_no_total(database: Database) -> None:
    assert usage.totals(database, by="day") == []
    assert list(outbox.sent(database)) == []


def test_what_was_sent_is_listed_oldest_first(database: Database) -> None:
    outbox.note(database, SENT)
    assert list(outbox.sent(database)) == SENT


def test_what_was_sent_is_chosen_by_keys(database: Database) -> None:
    outbox.note(database, SENT)
    assert list(outbox.sent(database, day="2026-11-01")) == SENT[:2]
    assert list(outbox.sent(database, host=OPENAI, day="2026-11-02")) == SENT[3:]
    assert list(outbox.sent(database, model=NOMIC)) == [SENT[2]]


def test_a_query_is_not_taken_for_a_document_of_that_name(database: Database) -> None:
    outbox.note(database, SENT)
    assert list(outbox.sent(database, document="query")) == [SENT[2]]
    assert list(outbox.sent(database, document=None)) == [SENT[3]]


def test_a_long_outbox_is_listed_whole_while_more_is_sent(database: Database) -> None:
    many = [Sent("2026-11-01", OPENAI, SMALL, f"{n}.md", digest(str(n)), n) for n in range(2_500)]
    outbox.note(database, many)
    listed = []
    for number, entry in enumerate(outbox.sent(database)):
        listed.append(entry)
        if number == 10:
            outbox.note(database, SENT)
    assert listed == many + SENT


def test_an_unknown_key_is_refused_with_the_known_ones(database: Database) -> None:
    with pytest.raises(ValueError, match=r"'week': choose from \['command', 'day', 'host'"):
        usage.totals(database, by="week")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"'colour': choose from \['day', 'document'"):
        list(outbox.sent(database, colour="red"))


def test_the_ledgers_leave_the_caches_as_they_are(database: Database) -> None:
    before = database.generation
    usage.note(database, USES)
    outbox.note(database, SENT)
    assert database.generation == before
    with database.writing():
        usage.note(database, USES)
    assert database.generation == before + 1
    with database.writing(generation=False):
        database.set("colour", "red")
        with database.writing():
            database.set("colour", "blue")
    assert database.generation == before + 2


def test_an_index_of_before_gains_the_ledgers(tmp_path: Path) -> None:
    database = open_database(make_old(tmp_path), create=False)
    usage.note(database, USES)
    outbox.note(database, SENT)
    assert database.value("pragma user_version") == len(MIGRATIONS)
    assert database.value("select count(*) from documents") == 1
    assert list(outbox.sent(database)) == SENT
    database.close()


def make_index(folder: Path) -> Path:
    """Make an index with a document, and return its database."""
    with Index.open(folder, HashEmbedder()) as index:
        index.add([Document("a", "some words")])
    return folder / "index.db"


def make_old(folder: Path) -> Path:
    """Make an index as it was before the ledgers: the same without them."""
    path = make_index(folder)
    with sqlite3.connect(path) as connection:
        connection.execute("drop view current_labels")
        for table in ("labels", "labellings", "predictions", "models"):
            connection.execute(f"drop table {table}")
        connection.execute("drop table usage")
        connection.execute("drop table outbox")
        connection.execute("drop table queries")
        connection.execute("drop table transcripts")
        connection.execute("alter table chunks drop column seconds")
        connection.execute("drop index idx_documents_partial")
        connection.execute("alter table documents drop column partial")
        connection.execute("drop view live_texts")
        connection.execute("alter table texts drop column words")
        connection.execute(
            "create view live_texts as select id, text from texts where text is not null"
        )
        connection.execute("pragma user_version = 3")
    connection.close()
    return path


def test_salvage_keeps_the_ledgers(tmp_path: Path) -> None:
    path = make_index(tmp_path)
    database = open_database(path, create=False)
    usage.note(database, USES)
    outbox.note(database, SENT)
    database.close()
    counts = salvage(path, {}).kept
    assert (counts["usage"], counts["outbox"]) == (4, 4)


def test_salvage_of_an_index_of_before_finds_none(tmp_path: Path) -> None:
    counts = salvage(make_old(tmp_path), {}).kept
    assert (counts["documents"], counts["usage"], counts["outbox"]) == (1, 0, 0)
