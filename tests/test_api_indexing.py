"""Indexing through an API: what is sent, kept, paid, capped and refused."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import CliRunner
from fault_server import FaultServer, answer, refused, serve, vector

from embedsearch import Client, Document, Index
from embedsearch.classify import KNNClassifier, ProbeClassifier, TextEmbedder
from embedsearch.cli.main import main
from embedsearch.embedders.api import APIEmbedder
from embedsearch.errors import (
    AuthenticationFailed,
    CostLimitReached,
    DimensionMismatch,
    EmbedderMismatch,
    InputRefused,
    InvalidAnswer,
    SecretsFound,
    ServerError,
)
from embedsearch.store.checks import Problem
from embedsearch.store.fulltext import text_hash
from embedsearch.sync import Allowance
from embedsearch.tokens import encoding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

MODEL = "text-embedding-3-small"
DIMENSIONS = 4


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """Return a server that charges what tiktoken counts."""
    count = encoding("cl100k_base").count
    with serve(FaultServer(charge=lambda texts: sum(count(texts)))) as faults:
        yield faults


@pytest.fixture
def client(server: FaultServer) -> Iterator[Client]:
    with Client(base_url=server.url, api_key="sk-test") as opened:
        yield opened


def embedder(client: Client, model: str = MODEL) -> APIEmbedder:
    return APIEmbedder(model, dimensions=DIMENSIONS, client=client)


def documents(count: int) -> list[Document]:
    return [
        Document(f"{n}", f"{chr(33 + 40 * n * n)} is document number {n} here")
        for n in range(count)
    ]


def unit(text: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    row = vector(text, DIMENSIONS)
    return row / np.linalg.norm(row)


def used(index: Index) -> list[tuple[str, int, int]]:
    return [(line.key, line.requests, line.tokens) for line in index.usage(by="command")]


def test_a_text_is_paid_for_once_and_as_planned(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    with Index.open(tmp_path, embedder(client)) as index:
        report = index.add(documents(100), embed=False)
        planned = index.estimate()
        assert (planned.texts, planned.requests, planned.host) == (100, 1, server.url[7:-3])
        report = index.embed_pending()
        assert (report.texts, report.requests, report.pending) == (100, 1, 0)
        assert used(index) == [("index", 1, planned.tokens)]
        assert report.cost == planned.cost == pytest.approx(planned.tokens * 0.02 / 1e6)
        texts = [document.text for document in documents(100)]
        for text in texts[:3]:
            hit = index.search_vector(unit(text), k=1)[0]
            assert (hit.text, round(hit.score, 3)) == (text, 1.0)
        index.remove([f"{n}" for n in range(100)])
        again = index.add(documents(100))
        assert (again.texts, again.requests) == (0, 0)
    assert len(server.requests) == 1
    assert server.requests[0]["dimensions"] == DIMENSIONS


def bills(tokens: float) -> Any:
    """Return what makes a reply say that it cost so many."""
    return lambda reply: reply.update(usage={"prompt_tokens": tokens, "total_tokens": tokens})


@pytest.mark.parametrize(
    "silent",
    [
        lambda reply: reply.pop("usage"),
        lambda reply: reply["usage"].clear(),
        *map(bills, (-1000, 10**30, 1e300)),
    ],
)
def test_where_a_server_tells_no_usage_our_own_count_is_in_the_ledger(
    client: Client, server: FaultServer, tmp_path: Path, silent: Any
) -> None:
    server.change = silent
    with Index.open(tmp_path, embedder(client)) as index:
        index.add(documents(100), embed=False)
        planned = index.estimate()
        assert index.embed_pending().cost == pytest.approx(planned.cost)
        index.search("four words of query")
        assert used(index) == [("index", 1, planned.tokens), ("search", 1, 4)]
        (total,) = index.usage(by="model")
        assert total.cost == pytest.approx((planned.tokens + 4) * 0.02 / 1e6)


@pytest.mark.parametrize("given", [None, {"cost": 1}])
def test_what_is_no_allowance_allows_nothing(
    client: Client, server: FaultServer, tmp_path: Path, given: Any
) -> None:
    with Index.open(tmp_path, embedder(client)) as index:
        expected = r"^expected an Allowance, as Allowance\(cost=0.5\), got "
        with pytest.raises(TypeError, match=expected):
            index.add(documents(3), allowance=given)
        with pytest.raises(TypeError, match=expected):
            index.sync(tmp_path, allowance=given)
        with pytest.raises(TypeError, match=expected):
            index.embed_pending(allowance=given)
        assert (len(index), server.requests) == (0, [])


def test_a_limit_that_would_never_be_reached_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^expected a limit of cost of 0 or more, got nan$"):
        Allowance(cost=float("nan"))
    with pytest.raises(TypeError, match=r"^expected a limit of tokens as a number, got '9'$"):
        Allowance(tokens="9")  # type: ignore[arg-type]


def test_a_query_is_asked_once(client: Client, server: FaultServer, tmp_path: Path) -> None:
    with Index.open(tmp_path, embedder(client)) as index:
        index.add(documents(3))
        first = index.search("document number", k=1)
    with Index.open(tmp_path, embedder(client)) as index:
        assert index.search("document number", k=1) == first
        sent = [(line.document, line.tokens) for line in index.outbox()]
    queries = [request["input"] for request in server.requests[1:]]
    assert queries == [["document number"]]
    assert sent == [("0", 7), ("1", 7), ("2", 7), (None, 2)]


def test_a_damaged_vector_of_a_query_is_asked_for_again_and_no_other(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    whole = np.ones(DIMENSIONS, "<f4")
    damage = {
        "short": whole[1:].tobytes(),
        "torn": whole.tobytes()[1:],
        "empty": b"",
        "zero": 0 * whole,
        "garbage": np.nan * whole,
    }
    with Index.open(tmp_path, embedder(client)) as index:
        index.add(documents(3))
        found = [index.search(query, k=1) for query in (*damage, "sound")]
    with closing(sqlite3.connect(tmp_path / "index.db")) as database, database:
        database.executemany(
            "update queries set vector = ? where sha256 = ?",
            [(stored, text_hash(query)) for query, stored in damage.items()],
        )
        database.execute("insert into queries values (99, x'00', x'00')")
    dropped = "they are dropped; a provider is asked again for those that are needed"
    with Index.open(tmp_path, embedder(client)) as index:
        assert index.search("short", k=1) == found[0]
        assert index.repair() == [
            Problem("queries without their spaces: 1", "they are dropped"),
            Problem("damaged vectors of queries: 4", dropped),
        ]
        assert index.verify() == []
        assert [index.search(query, k=1) for query in (*damage, "sound")] == found
    asked = [query for request in server.requests[1:] for query in request["input"]]
    assert asked == [*damage, "sound", *damage]


@pytest.mark.parametrize("stored", [5, 2.5, "x" * 4 * DIMENSIONS])
def test_what_is_no_vector_of_a_query_is_asked_for_again(
    client: Client, tmp_path: Path, stored: object
) -> None:
    with Index.open(tmp_path, embedder(client)) as index:
        index.add(documents(3))
        found = index.search("document", k=1)
    with closing(sqlite3.connect(tmp_path / "index.db")) as database, database:
        database.execute("update queries set vector = ?", [stored])
    with Index.open(tmp_path, embedder(client)) as index:
        wrong = "index.db is damaged: queries holds rows of wrong types"
        assert index.verify() == [Problem(wrong, "they are dropped")]
        assert index.search("document", k=1) == found
        assert index.verify() == []


def test_an_index_remembers_the_model_but_neither_key_nor_host(
    client: Client, server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Index.open(tmp_path, embedder(client)) as index:
        index.add(documents(3))
    stored = (tmp_path / "index.db").read_bytes()
    assert b"sk-test" not in stored
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    with Index.open(tmp_path) as index:
        assert index.embedder.name == f"openai/{MODEL}?dimensions=4&size=4"
        assert index.search("document", k=3, mode="dense") != []
    with pytest.raises(EmbedderMismatch, match="openai/text-embedding-3-small/4/unit"):
        Index.open(tmp_path, APIEmbedder(MODEL))


def test_without_a_key_an_index_is_still_searched_by_words(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Index.open(tmp_path, embedder(client)) as index:
        index.add(documents(3))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with Index.open(tmp_path) as index:
        assert index.search("number 2", k=1, mode="lexical")[0].document_id == "2"
        assert index.status().embedded == 3


@pytest.mark.parametrize("cap", [10, 16])
def test_a_server_s_cap_and_limits_lose_nothing(
    client: Client, server: FaultServer, tmp_path: Path, cap: int
) -> None:
    server.cap = cap
    server.script = [None, refused(429, "slow down", retry_after_ms="10"), refused(500), None]
    with Index.open(tmp_path, embedder(client)) as index:
        report = index.add(documents(100))
        assert (report.texts, report.pending, report.failed) == (100, 0, ())
        assert max(server.sizes()[1:]) <= cap or server.sizes().count(100) == 1


def test_the_one_text_that_is_refused_is_named_and_the_rest_goes_on(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    server.bad = lambda text: "number 37 " in text
    with Index.open(tmp_path, embedder(client)) as index:
        report = index.add(documents(60))
        assert (report.texts, report.pending) == (59, 1)
        assert [failure.path for failure in report.failed] == ["37"]
        assert "is invalid" in report.failed[0].why


def test_texts_that_are_refused_each_time_stop_no_run(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    server.bad = lambda text: "bad" in text
    bad = [Document(f"bad{n}", f"bad {n}") for n in range(3)]
    for run in range(2):
        # Not proven yet: a client of its own, as another process has.
        with (
            Client(api_key="sk-test", base_url=server.url) as own,
            Index.open(tmp_path, embedder(own)) as index,
        ):
            report = index.add([*bad, Document(f"{run}", f"good {run}")])
            assert (report.texts, report.pending) == (1, 3)
            assert sorted(failure.path for failure in report.failed) == ["bad0", "bad1", "bad2"]
    server.bad = lambda _: False
    with Index.open(tmp_path, embedder(client)) as index:
        assert (index.embed_pending().texts, index.pending().texts) == (3, 0)


def test_an_answer_of_no_use_is_in_the_ledger(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    server.change = lambda reply: reply["data"].clear()
    with Index.open(tmp_path / "i", embedder=embedder(client)) as index:
        with pytest.raises(InvalidAnswer, match="expected 3 vectors, got 0"):
            index.add(documents(3))
        paid = sum(server.charge(request["input"]) for request in server.requests)
        assert used(index) == [("index", 1, paid)]
        server.change = lambda _: None
        index.embed_pending()
        server.change = lambda reply: reply["data"].clear()
        with pytest.raises(InputRefused, match="expected 1 vectors, got 0"):
            index.search("number", k=1)
        asked = server.charge(["number"])
        assert used(index) == [("index", 2, 2 * paid), ("search", 1, asked)]
    assert server.sizes() == [3, 3, 1]


def without_one(reply: dict[str, Any]) -> None:
    reply["data"].pop()


def of_zeros(reply: dict[str, Any]) -> None:
    for item in reply["data"]:
        item["embedding"] = [0.0] * DIMENSIONS


def of_two_lengths(reply: dict[str, Any]) -> None:
    reply["data"][0]["embedding"] = [1.0, 2.0]


@pytest.mark.parametrize("size", [None, DIMENSIONS])
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (dict.clear, "missing required field `data`"),
        (without_one, "expected 3 vectors, got 2"),
        (of_two_lengths, "vectors of 2 and of 4 dimensions"),
        (of_zeros, "the vector of input 0 is zero"),
    ],
)
def test_such_an_answer_is_there_whatever_is_known_of_the_model(
    client: Client, server: FaultServer, size: int | None, spoil: Any, why: str
) -> None:
    server.base64, server.change = "ignored", spoil
    with Index.open(":memory:", APIEmbedder("nobody", size=size, client=client)) as index:
        with pytest.raises(InvalidAnswer, match=why):
            index.add(documents(3))
        ((command, requests, paid),) = used(index)
        server.change = lambda _: None
        report = index.embed_pending()
        assert (report.texts, report.pending) == (3, 0)
    assert (command, requests, paid) == ("index", 1, 0 if spoil == dict.clear else report.tokens)


def test_vectors_of_another_length_than_is_known_are_in_the_ledger(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    with Index.open(tmp_path, APIEmbedder("local", size=8, client=client)) as index:
        with pytest.raises(DimensionMismatch, match="expected vectors of 8 dimensions, local gave"):
            index.add(documents(3))
        texts = [document.text for document in documents(3)]
        assert used(index) == [("index", 1, server.charge(texts))]
        assert (index.pending().texts, server.sizes()) == (3, [3])


def test_of_such_vectors_all_that_was_in_flight_is_in_the_ledger(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    server.cap, server.latency = 1, 0.05
    client.embeddings.create_array(["a", "b"], model="local")
    server.requests.clear()
    with Index.open(tmp_path, APIEmbedder("local", size=8, client=client)) as index:
        with pytest.raises(DimensionMismatch, match="expected vectors of 8 dimensions, local gave"):
            index.add(documents(60))
        sent = [request["input"] for request in server.requests]
        assert 1 < len(sent) < 60
        assert used(index) == [("index", len(sent), sum(map(server.charge, sent)))]


def test_a_query_whose_vector_has_another_length_is_in_the_ledger(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    def longer(reply: dict[str, Any]) -> None:
        for item in reply["data"]:
            item["embedding"] = [1.0] * 5

    server.base64 = "ignored"
    with Index.open(tmp_path, APIEmbedder("local", client=client)) as index:
        index.add(documents(3))
        bill = used(index)
        server.change = longer
        with pytest.raises(DimensionMismatch, match="expected vectors of 4 dimensions, local gave"):
            index.search("four words of query")
        assert used(index) == [*bill, ("search", 1, 4)]


def is_stopped_half_way(index: Index) -> int:
    """Check that half of what all texts take is spent, and no more; return what all take."""
    index.add(documents(100), embed=False)
    tokens = index.estimate().tokens
    with pytest.raises(CostLimitReached, match=r" embedded, \d+ left$"):
        index.embed_pending(allowance=Allowance(tokens=tokens // 2))
    ((_, _, spent),) = used(index)
    assert tokens // 2 - 20 < spent <= tokens // 2
    return tokens


@pytest.mark.parametrize("lie", [-1000, 10**30])
def test_a_bill_that_can_t_be_right_lifts_no_limit(
    client: Client, server: FaultServer, tmp_path: Path, lie: int
) -> None:
    server.change = bills(lie)
    with Index.open(tmp_path, embedder(client)) as index:
        is_stopped_half_way(index)


def test_a_limit_stops_before_the_request_that_would_cross_it(
    client: Client, tmp_path: Path
) -> None:
    with Index.open(tmp_path, embedder(client)) as index:
        tokens = is_stopped_half_way(index)
        index.embed_pending(allowance=Allowance(cost=1.0))
        assert sum(count for _, _, count in used(index)) == tokens
        assert index.pending().texts == 0


@pytest.mark.parametrize("cap", [None, 5])
def test_a_limit_holds_on_what_is_billed(
    client: Client, server: FaultServer, tmp_path: Path, cap: int | None
) -> None:
    """The server counts twice what is planned: its first answers tell."""
    server.cap = cap
    server.charge = lambda texts: 20 * len(texts)
    with Index.open(tmp_path, embedder(client, "m")) as index:
        index.add(
            [Document(f"{n}", f"ten tokens {n} of a b c d e") for n in range(300)], embed=False
        )
        assert index.estimate().tokens == 3000
        with pytest.raises(CostLimitReached, match=r" embedded, \d+ left$"):
            index.embed_pending(allowance=Allowance(tokens=3000))
        ((_, _, billed),) = used(index)
        assert index.pending().texts == 300 - billed // 20
        # Of what a cap breaks up, what is not sent yet counts, too, when the server's rate shows.
        assert billed == 3000 if cap is None else 1280 <= billed <= 3000


def ten_tokens_each(count: int) -> list[Document]:
    return [Document(f"{n}", f"ten tokens {n} of a b c d e") for n in range(count)]


def test_a_limit_holds_though_the_first_bill_shows_that_the_server_counts_otherwise(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    """The server bills six times what is planned: four texts show it, so few are sent beside."""
    server.charge = lambda texts: 60 * len(texts)
    with Index.open(tmp_path, embedder(client, "m")) as index:
        with pytest.raises(CostLimitReached) as caught:
            index.add(ten_tokens_each(400), allowance=Allowance(tokens=1500))
        assert str(caught.value) == (
            "stopped at the limit that was set:"
            " 25 passages (250 tokens, billed as 1,500) embedded, 375 left"
        )
        assert caught.value.hint == (
            "what was paid for is kept; a higher limit goes on from there;"
            " the server bills 6.00 tokens for one that is planned"
        )
        assert server.sizes() == [4, 21]
        assert used(index) == [("index", 2, 1500)]


@pytest.mark.parametrize("allowance", [Allowance(tokens=100), Allowance(cost=100 * 0.02 / 1e6)])
@pytest.mark.parametrize("left", [0, 1])
def test_a_limit_that_the_bill_crosses_is_told_even_if_nothing_is_left(
    client: Client, server: FaultServer, allowance: Allowance, left: int
) -> None:
    server.charge = lambda texts: 60 * len(texts)
    with Index.open(":memory:", embedder(client)) as index:
        with pytest.raises(CostLimitReached) as caught:
            index.add(ten_tokens_each(4 + left), allowance=allowance)
        assert str(caught.value) == (
            "the bill crosses the limit that was set:"
            f" 4 passages (40 tokens, billed as 240) embedded, {left} left"
        )
        assert caught.value.hint == (
            f"what was paid for is kept{'; a higher limit goes on from there' * left}"
            "; the server bills 6.00 tokens for one that is planned"
        )
        assert index.pending().texts == left


def test_how_a_server_bills_is_remembered(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    """What it showed without a limit, too; of another model nothing is known."""
    server.charge = lambda texts: 60 * len(texts)
    with Index.open(tmp_path, embedder(client, MODEL)) as index:
        index.add(ten_tokens_each(2))
        index.add(ten_tokens_each(3), embed=False)
        planned = index.estimate()
        assert (planned.tokens, planned.billed) == (10, 60)
        assert planned.cost == pytest.approx(60 * 0.02 / 1e6)
        with pytest.raises(CostLimitReached) as caught:
            index.embed_pending(allowance=Allowance(tokens=59))
        assert str(caught.value) == (
            "stopped at the limit that was set: 0 passages (0 tokens) embedded, 1 left"
        )
        assert (caught.value.hint or "").endswith("bills 6.00 tokens for one that is planned")
        assert len(server.requests) == 1
        assert index.embed_pending(allowance=Allowance(tokens=60)).texts == 1
    with Index.open(tmp_path / "other", embedder(client, "m")) as index:
        index.add(ten_tokens_each(1), embed=False)
        assert index.estimate().billed == 10


def test_a_note_of_bills_that_cannot_be_read_is_none(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    server.charge = lambda texts: 60 * len(texts)
    with Index.open(tmp_path, embedder(client)) as index:
        index.add(ten_tokens_each(2))
        host = next(iter(index.outbox())).host
    with closing(sqlite3.connect(tmp_path / "index.db")) as database, database:
        database.execute("update settings set value = '6.o' where key like 'factor %'")
    with Index.open(tmp_path, embedder(client)) as index:
        index.add(ten_tokens_each(3), embed=False)
        assert index.estimate().billed == 10
        assert [(problem.what, problem.remedy) for problem in index.repair()] == [
            (f"the note 'factor {host} {MODEL}' can't be read", "it is dropped, and made anew")
        ]
        assert index.verify() == []


def test_what_seemed_not_to_fit_is_sent_where_the_other_bills_show_that_it_does(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    """The first texts are billed at four times what is planned, the others as planned."""
    server.charge = lambda texts: (40 if len(server.requests) == 1 else 10) * len(texts)
    with Index.open(tmp_path, embedder(client, "m")) as index:
        report = index.add(ten_tokens_each(100), allowance=Allowance(tokens=1200))
        assert (report.texts, report.pending) == (100, 0)
        assert server.sizes() == [4, 26, 55, 15]
        assert used(index) == [("index", 4, 4 * 40 + 96 * 10)]


def test_a_refused_text_among_the_first_is_named_and_the_others_go_on(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    server.bad = lambda text: " 0 " in text
    with Index.open(tmp_path, embedder(client, "m")) as index:
        report = index.add(ten_tokens_each(100), allowance=Allowance(tokens=10_000))
        assert (report.texts, report.pending) == (99, 1)
        assert [failure.path for failure in report.failed] == ["0"]


def test_a_failure_is_told_rather_than_the_limit_that_was_met_after_it(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    failed = threading.Event()

    def fail(handler: Any, _: dict[str, Any]) -> None:
        handler.refuse(401, "key revoked")
        failed.set()

    def hold(handler: Any, body: dict[str, Any]) -> None:
        failed.wait(10)
        time.sleep(0.2)
        answer(handler, body)

    server.cap = 64
    server.script = [None, None, fail, *[hold] * 20]
    server.charge = lambda texts: (10 if len(server.requests) < 3 else 300) * len(texts)
    with Index.open(tmp_path, embedder(client, "m")) as index:
        some = [Document(f"{n}", f"ten tokens {n} of a b c d e") for n in range(640)]
        with pytest.raises(AuthenticationFailed, match="key revoked"):
            index.add(some, allowance=Allowance(tokens=7000))


def test_an_interrupt_ends_the_scan_for_secrets(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    with Index.open(tmp_path, embedder(client, "m")) as index:
        some = [Document(f"{n}", f"{n} key token password " * 60) for n in range(1000)]
        key = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vX7zA9cE1gI3kM5"
        index.add([*some, Document("last", f"token = {key}")], embed=False)
        timer = threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            index.embed_pending(progress=lambda _: timer.start())
        assert server.requests == []


def test_a_limit_that_all_keep_to_is_no_end(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    server.charge = lambda texts: 20 * len(texts)
    with Index.open(tmp_path, embedder(client, "m")) as index:
        some = [Document(f"{n}", f"ten tokens {n} of a b c d e") for n in range(100)]
        report = index.add(some, allowance=Allowance(tokens=2000))
        assert (report.texts, report.requests, report.pending) == (100, 3, 0)


def test_a_limit_counts_as_planned_where_nothing_is_billed(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    server.charge = lambda _: 0
    with Index.open(tmp_path, embedder(client, "m")) as index:
        index.add(
            [Document(f"{n}", f"ten tokens {n} of a b c d e") for n in range(100)], embed=False
        )
        with pytest.raises(CostLimitReached, match=r"^stopped .*: 70 passages"):
            index.embed_pending(allowance=Allowance(tokens=705))


def test_a_limit_in_dollars_needs_a_price(client: Client, tmp_path: Path) -> None:
    with (
        Index.open(tmp_path, embedder(client, "nobody-knows")) as index,
        pytest.raises(ValueError, match="the price of nobody-knows is not known"),
    ):
        index.add(documents(3), allowance=Allowance(cost=1.0))


def test_secrets_stay_here_unless_they_are_allowed(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "ok.md").write_text("nothing to hide\n")
    token = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vX7zA9cD1fG3hJ5"
    (docs / "notes.md").write_text(f"# Notes\n\nthe token is\n{token}\n")
    with Index.open(tmp_path / "index", embedder(client)) as index:
        with pytest.raises(SecretsFound, match=r"nothing was sent: notes.md:4 \(github-pat\)"):
            index.sync(docs)
        assert server.requests == []
        assert list(index.outbox()) == []
        assert index.sync(docs, allowance=Allowance(allow_secrets=True)).pending == 0


def test_threads_share_one_client(server: FaultServer) -> None:
    shared = APIEmbedder(MODEL, base_url=server.url, api_key="sk-test")
    ready = threading.Barrier(8)

    def made(_: int) -> Client:
        ready.wait()
        return shared.client

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(made, range(8)))) == 1
    shared.close()


def test_no_texts_are_no_request(client: Client, server: FaultServer) -> None:
    unknown = APIEmbedder("local", client=client)
    assert unknown.embed([]).shape == (0, 0)
    assert APIEmbedder(MODEL, client=client).embed([]).shape == (0, 1536)
    with Index.open(":memory:", unknown) as index:
        assert index.embed([]).shape == (0, 0)
    assert server.requests == []
    for _ in range(2):  # Who wants to know how long vectors are sends one word for that, once.
        assert len(TextEmbedder(embedder=unknown).get_feature_names_out()) == DIMENSIONS
    assert [request["input"] for request in server.requests] == [["dimensions"]]
    assert unknown.embed([]).shape == (0, DIMENSIONS)


def test_the_first_answer_tells_how_long_the_vectors_of_an_unknown_model_are(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    with (
        Index.open(tmp_path, APIEmbedder("local", client=client)) as index,
        Index.open(tmp_path, APIEmbedder("local", client=client)) as reader,
    ):
        index.add(documents(3), embed=False)
        assert (index.status().dimensions, index.embedder.name) == (0, "openai/local")
        assert [hit.document_id for hit in reader.search("number 1", k=1)] == ["1"]
        assert reader.search("number 1", mode="dense") == reader.search_vector(np.ones(4)) == []
        assert reader.document_vectors().vectors.shape == (0, 0)
        assert reader.passages("1").vectors.shape == (0, 0)
        assert server.requests == []
        index.embed_pending()
        assert (index.status().dimensions, index.embedder.name) == (4, "openai/local?size=4")
        assert index.space == "openai/local/4/unit"
        assert len(reader.search("number 1", mode="dense")) == 3
        assert index.verify() == []
    sent = [request["input"] for request in server.requests]
    assert sent == [[document.text for document in documents(3)], ["number 1"]]
    for same in ("openai/local", "openai/local?size=4"):
        named = APIEmbedder.named(same)
        Index.open(tmp_path, named).close()
        assert named.dimensions == 4
    for other in ("openai/local?dimensions=8", "openai/local?size=8", "openai/other", "local"):
        with pytest.raises(EmbedderMismatch, match="the index holds vectors of 'openai/local/4/"):
            Index.open(tmp_path, other)
    assert len(server.requests) == 2


@pytest.mark.parametrize("kind", [KNNClassifier, ProbeClassifier])
def test_a_classifier_of_an_unknown_model_predicts_and_pays_for_each_text_once(
    kind: type[KNNClassifier | ProbeClassifier], client: Client, server: FaultServer
) -> None:
    texts = [document.text for document in documents(6)]
    unknown = APIEmbedder(f"unknown-to-{kind.__name__}", client=client)
    made = kind(embedder=unknown).fit(texts, [0, 1, 0, 1, 0, 1])
    assert made.space_ == f"openai/unknown-to-{kind.__name__}/4/unit"
    assert len(made.predict(texts)) == 6
    assert [request["input"] for request in server.requests] == [texts]


@pytest.mark.parametrize(
    "name", ["openai/", "openai/?size=4", "openai/m?dimension=4", "openai/m?size=four"]
)
def test_a_name_that_says_something_else_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"expected openai/MODEL or .*, got 'openai/"):
        APIEmbedder.named(name)


def test_a_query_is_not_sent_before_there_is_a_vector(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    with Index.open(tmp_path, embedder(client)) as index:
        index.add(documents(3), embed=False)
        assert index.search("document 1", mode="dense") == []
        hits = index.search("document 1", k=1)
        assert [hit.document_id for hit in hits] == ["1"]
        assert [found.meaning for found in index.explain("document 1", hits)] == [None]
        assert server.requests == []


def test_vectors_that_are_given_are_those_of_a_model_that_is_asked(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    with Index.open(tmp_path, APIEmbedder("local", client=client)) as index:
        with pytest.raises(DimensionMismatch, match=r"\(n, 4\), got \(1, 3\)"):
            index.add(documents(1), vectors=np.ones((1, 3)))
        index.add(documents(1), vectors=np.ones((1, 4)))
        assert index.space == "openai/local/4/unit"
    assert [request["input"] for request in server.requests] == [["dimensions"]]


def test_nothing_is_sent_before_a_refusal(shell: Path, server: FaultServer) -> None:
    (shell / "secret.md").write_text("ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vX7zA9cD1fG3hJ5\n")
    unknown = ("-m", "openai/unknown")
    assert run("index", "docs", *unknown, "--dry-run").exit_code == 0
    assert run("index", "gone", *unknown, "-y").exit_code == 2
    assert run("index", "docs", *unknown).exit_code == 2, "nobody answers the question"
    assert run("index", "docs", *unknown, "-y", "--max-cost", 1).exit_code == 2
    assert run("index", "docs", *unknown, "-y", "--max-tokens", 1).exit_code == 5
    assert run("index", "secret.md", *unknown, "-y").exit_code == 2
    assert "openai/unknown (length not known yet)" in run("status").stdout
    assert run("search", "number", "-m", "openai/another").exit_code == 2
    assert server.requests == []


KILLED = """
import sys
import threading
from embedsearch import Client, Document, Index
from embedsearch.embedders.api import APIEmbedder
client = Client(base_url=sys.argv[2], api_key="sk-test")
with Index.open(sys.argv[1], APIEmbedder("m", dimensions=4, client=client)) as index:
    index.add(Document(f"{n}", f"document number {n}") for n in range(200))
"""


def test_a_killed_run_pays_for_what_was_in_flight_at_most(
    client: Client, server: FaultServer, tmp_path: Path
) -> None:
    server.cap, server.latency = 10, 0.1
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path), server.url])
    while len(server.statuses) < 10:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.5)
    answered = [r["input"] for r, s in zip(server.requests, server.statuses, strict=False)]
    server.latency = 0.0
    with Index.open(tmp_path, APIEmbedder("m", dimensions=4, client=client)) as index:
        kept = 200 - index.pending().texts
        report = index.embed_pending()
        assert report.texts == 200 - kept
        assert index.pending().texts == 0
    assert 0 < kept <= sum(map(len, answered))
    again = sum(map(len, answered)) - kept
    assert again <= 16 * 10 + 200  # what 16 requests in flight held, and the first that was capped


HELD = 16
"""Requests in flight where a test interrupts."""


@contextmanager
def interrupted(
    server: FaultServer, shell: Path, number: int
) -> Iterator[tuple[subprocess.Popen[str], threading.Event]]:
    """Index 200 documents by tens, and interrupt where one request is answered and 16 fly."""
    for n in range(200):
        (shell / "docs" / f"{n}.txt").write_text(f"document number {n}\n")
    free = threading.Event()

    def hold(handler: Any, body: dict[str, Any]) -> None:
        free.wait(30)
        answer(handler, body)

    server.cap = 10
    server.script = [None, None, *[hold] * HELD]
    command = [sys.executable, "-m", "embedsearch", *INDEX]
    with subprocess.Popen(command, cwd=shell, stderr=subprocess.PIPE, text=True) as process:
        try:
            while len(server.requests) < HELD + 2:
                time.sleep(0.01)
            process.send_signal(number)
            yield process, free
        finally:
            free.set()


INDEX = ("index", "docs", "-m", "openai/m", "-y")
WAITS = "stopping: waiting for 16 requests in flight: what was sent is billed; Ctrl-C drops it\n"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)]
)
def test_what_is_in_flight_when_a_run_is_interrupted_is_kept(
    shell: Path, server: FaultServer, number: int, code: int
) -> None:
    with interrupted(server, shell, number) as (process, free):
        assert process.stderr is not None
        lines = [process.stderr.readline() for _ in range(2)]
        free.set()
        rest = process.stderr.read()
    kept = "\ninterrupted; what was done is kept, and the next run goes on from there\n"
    assert lines[1:] == [WAITS]
    assert (process.returncode, rest) == (code, kept if code == 130 else "")
    assert server.sizes() == [200, *[10] * (HELD + 1)]
    run(*INDEX)
    assert server.sizes()[HELD + 2 :] == [30, 10, 10, 10]
    answered = [request["input"] for request in server.requests if len(request["input"]) == 10]
    assert len(set(chain(*answered))) == 10 * len(answered) == 200


def test_a_second_interrupt_ends_a_run_at_once(shell: Path, server: FaultServer) -> None:
    with interrupted(server, shell, signal.SIGINT) as (process, _):
        assert process.stderr is not None
        while process.stderr.readline() != WAITS:
            pass
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    with Index.open(shell / ".embedsearch") as index:
        assert index.pending().texts == 190


def run(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], input=stdin)


@pytest.fixture
def shell(server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with documents, where the environment names the server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    (tmp_path / "docs").mkdir()
    for n in range(5):
        (tmp_path / "docs" / f"{n}.txt").write_text(f"document number {n}\n")
    return tmp_path


def test_a_command_with_another_model_is_told_how_to_make_an_index_for_it(shell: Path) -> None:
    assert shell.is_dir()
    run("index", "docs", "-m", f"openai/{MODEL}", "--dimensions", 4, "-y")
    result = run("search", "number", "-m", "openai/another?dimensions=8")
    assert result.exit_code == 2
    held, new = f"openai/{MODEL}?dimensions=4&size=4", "openai/another?dimensions=8&size=8"
    assert result.stderr == (
        f"error: the index holds vectors of 'openai/{MODEL}/4/unit',"
        " the embedder makes 'openai/another/8/unit'\n"
        f"hint: leave -m out for the index's own, '{held}',"
        f" or make a new index: embedsearch index FOLDER --db NEW -m '{new}'\n"
    )


def test_the_plan_the_run_and_the_ledger_agree(shell: Path, server: FaultServer) -> None:
    name = f"openai/{MODEL}"
    common = ("index", "docs", "-m", name, "--dimensions", 4)
    plan = run(*common, "--dry-run", "--format", "json")
    planned = json.loads(plan.stdout)
    assert (planned["texts"], planned["requests"]) == (5, 1)
    assert server.requests == []
    done = run(*common)
    assert done.exit_code == 0, done.stderr
    assert "5 passages (25 tokens) to embed by 127.0.0.1" in done.stderr
    assert "in 1 request, $0.0000005" in done.stderr
    (line,) = json.loads(run("usage", "--format", "json").stdout)["usage"]
    assert (line["requests"], line["tokens"]) == (1, planned["tokens"])
    assert line["cost"] == pytest.approx(planned["cost"])
    outbox = json.loads(run("outbox", "--format", "json").stdout)["outbox"]
    assert [entry["document"] for entry in outbox] == [f"{n}.txt" for n in range(5)]
    assert run("search", "number 3", "-k", 1).exit_code == 0
    assert (shell / ".embedsearch" / "index.db").exists()


def test_what_costs_much_is_asked_about(
    shell: Path, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shell.is_dir()
    monkeypatch.setattr("embedsearch.cli.spending.ASK_FROM", 0.0)
    common = ("index", "docs", "-m", f"openai/{MODEL}", "--dimensions", 4)
    no = run(*common, stdin="n\n")
    assert (no.exit_code, server.requests) == (2, [])
    assert no.stderr.endswith("not done: the answer was no\n")
    as_json = run(*common, "--json", stdin="n\n").stderr.splitlines()[-1]
    assert json.loads(as_json)["error"]["message"] == "not done: the answer was no"
    nobody = run(*common, stdin="")
    assert (nobody.exit_code, server.requests) == (2, [])
    assert nobody.stderr.endswith("nobody is there to answer: -y says yes\n")
    assert run(*common, stdin="y\n").exit_code == 0
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (refused(401, "Incorrect API key provided", "invalid_api_key"), 4),
        (refused(429, "You exceeded your current quota", "insufficient_quota"), 5),
        (refused(404, "The model does not exist", "model_not_found"), 2),
    ],
)
def test_what_the_provider_refuses_is_one_line_and_an_exit_code(
    shell: Path, server: FaultServer, fault: Any, code: int
) -> None:
    assert shell.is_dir()
    server.script = [fault]
    result = run("index", "docs", "-m", f"openai/{MODEL}", "--dimensions", 4, "-q")
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith("error: ")
    assert "sk-test" not in result.stderr


def test_a_limit_on_the_command_line_exits_with_5(shell: Path) -> None:
    assert shell.is_dir()
    result = run("index", "docs", "-m", f"openai/{MODEL}", "--max-tokens", 12, "--dimensions", 4)
    assert result.exit_code == 5
    assert result.stderr.splitlines()[-2:] == [
        "error: stopped at the limit that was set: 2 passages (10 tokens) embedded, 3 left",
        "hint: what was paid for is kept; a higher limit goes on from there",
    ]


def test_a_bill_that_crosses_a_limit_exits_with_5_and_is_planned_with_from_then_on(
    shell: Path, server: FaultServer
) -> None:
    for n in range(64):
        (shell / "docs" / f"{n}.txt").write_text(f"document number {n} of some more\n")
    count = encoding("cl100k_base").count
    server.charge = lambda texts: 10 * sum(count(texts))
    index = ("index", "docs", "-m", f"openai/{MODEL}", "--dimensions", 4, "-y")
    crossed = run(*index, "--max-tokens", 300)
    assert crossed.exit_code == 5
    assert "the bill crosses the limit that was set: 4 passages (32 tokens, billed as 320)" in (
        crossed.stderr
    )
    assert "; the server bills 10.00 tokens for one that is planned\n" in crossed.stderr
    stopped = run(*index, "--max-tokens", 50)
    assert (stopped.exit_code, server.sizes()) == (5, [4])
    assert "60 passages (480 tokens, billed as some 4,800) to embed by 127" in stopped.stderr
    assert run(*index, "--max-tokens", 4800).exit_code == 0


def test_a_limit_in_tokens_answers_the_question(shell: Path) -> None:
    assert shell.is_dir()
    strange = ("index", "docs", "-m", "openai/strange", "--dimensions", 4)
    asked = run(*strange)
    assert (asked.exit_code, "price not known" in asked.stderr) == (2, True)
    assert "Send them?" in asked.stderr
    told = run(*strange, "--max-tokens", 1000)
    assert (told.exit_code, "Send them?" in told.stderr) == (0, False)


def test_no_key_is_exit_4_and_nothing_is_taken_from_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("OPENAI_"):
            monkeypatch.delenv(name)
    (tmp_path / ".env").write_text("OPENAI_API_KEY=sk-stray\nOPENAI_BASE_URL=http://127.0.0.1:9\n")
    (tmp_path / "a.txt").write_text("text\n")
    result = run("index", "a.txt", "-m", f"openai/{MODEL}")
    assert (result.exit_code, result.stdout) == (4, "")
    assert "no API key" in result.stderr
    plan = run("index", "a.txt", "-m", f"openai/{MODEL}", "--dry-run")
    assert (plan.exit_code, plan.stderr) == (0, "")
    assert plan.stdout == (
        "1 added; 1 passage (2 tokens) to embed by api.openai.com in 1 request, $0.00000004\n"
    )


def test_an_index_of_another_server_is_not_taken_to_openai(
    shell: Path, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shell.is_dir()
    run("index", "docs", "-m", f"openai/{MODEL}", "--dimensions", 4, "-y")
    monkeypatch.delenv("OPENAI_BASE_URL")
    host = server.url.split("/")[2]
    for command in (("search", "where"), ("index", "docs", "--dry-run")):
        result = run(*command)
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"the index's vectors came from {host}, but without a base URL" in result.stderr
        assert result.stderr.endswith("\nhint: say --base-url, or set OPENAI_BASE_URL\n")
    with Index.open(".embedsearch") as index, pytest.raises(EmbedderMismatch) as caught:
        index.search("where")
    there = f"Index.open(path, embedders.load('openai/{MODEL}?dimensions=4&size=4', base_url=...))"
    assert (caught.value.hint or "").endswith(f"OPENAI_BASE_URL; in Python: {there}")
    assert run("search", "number", "--mode", "lexical").exit_code == 0
    assert run("search", "where", "--base-url", server.url).exit_code == 0


def test_an_answer_of_nonsense_names_who_gave_it(shell: Path, server: FaultServer) -> None:
    assert shell.is_dir()
    server.script = [lambda handler, _: handler.send(200, b'{"data": [{"embedding": [NaN]}]}')]
    result = run("index", "docs", "-m", f"openai/{MODEL}", "--dimensions", 4, "-y")
    assert result.exit_code == 2
    assert f"the answer of {server.url.split('/')[2]} is not what was asked for" in result.stderr
    assert run("index", "docs", "-y").exit_code == 0
    server.script = [lambda handler, _: handler.send(200, b"NaN")]
    asked = run("search", "where")
    assert f"the answer of {server.url.split('/')[2]} is not what was asked for" in asked.stderr


def test_an_embedder_that_was_used_is_not_taken_to_openai(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Index.open(tmp_path, embedder(client)) as index:
        index.add(documents(3))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    used_before = APIEmbedder(MODEL, dimensions=DIMENSIONS)
    assert used_before.host == "api.openai.com"
    with (
        Index.open(tmp_path, used_before) as index,
        pytest.raises(EmbedderMismatch, match="the index's vectors came from 127"),
    ):
        index.search("where")
    used_before.close()


def test_a_query_that_holds_a_secret_stays_here(shell: Path, server: FaultServer) -> None:
    assert shell.is_dir()
    token = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vX7zA9cD1fG3hJ5"
    run("index", "docs", "-m", f"openai/{MODEL}", "--dimensions", 4, "-y")
    before = len(server.requests)
    result = run("search", f"who put {token} here?")
    assert (result.exit_code, len(server.requests)) == (2, before)
    assert "nothing was sent: the query:1 (github-pat) looks like a secret" in result.stderr
    assert "--mode lexical" in result.stderr
    assert run("search", token, "--mode", "lexical").exit_code == 1


def test_a_search_by_words_asks_no_provider_even_if_it_finds_nothing(
    shell: Path, server: FaultServer
) -> None:
    assert shell.is_dir()
    run("index", "docs", "-m", f"openai/{MODEL}", "--dimensions", 4, "-y")
    before = len(server.requests)
    result = run("search", "xylophone", "--mode", "lexical")
    assert (result.exit_code, len(server.requests)) == (1, before)
    assert result.stderr.startswith("nothing found among ")


def test_http_to_another_machine_is_allowed_by_every_command_that_may_send(shell: Path) -> None:
    assert shell.is_dir()
    far = ("--base-url", "http://192.0.2.1/v1", "--timeout", 0.05)
    command = ("index", "docs", "-m", f"openai/{MODEL}", "--dimensions", 4, "-y", *far)
    refused = run(*command)
    assert refused.stderr.endswith(": use https, or --insecure\n")
    planned = run(*command, "--insecure", "--dry-run")
    assert (planned.exit_code, refused.exit_code) == (0, 2)
    assert "to embed by 192.0.2.1 in 1 request" in planned.stdout


def test_where_an_api_is_is_never_dropped_in_silence(shell: Path, server: FaultServer) -> None:
    assert shell.is_dir()
    result = run("index", "docs", "--base-url", server.url, "--db", "new")
    assert (result.exit_code, server.requests) == (2, [])
    assert "takes base_url, got 'local'" in result.stderr


def test_usage_since_what_is_no_day_is_wrong_usage(shell: Path) -> None:
    assert shell.is_dir()
    run("index", "docs", "-m", f"openai/{MODEL}", "--dimensions", 4, "-y")
    assert run("usage", "--since", "2000-01-01").exit_code == 0
    assert run("usage", "--since", "2999-01-01").exit_code == 1
    assert run("usage", "--since", "yesterday").exit_code == 2


@pytest.mark.parametrize("quiet", [True, False])
def test_a_run_says_that_it_waits_for_the_server(
    shell: Path,
    server: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
    quiet: bool,  # noqa: FBT001
) -> None:
    assert shell.is_dir()
    monkeypatch.setattr("embedsearch.cli.waits.LONG_WAIT", 0.4)
    server.script = [refused(429, "slow down", retry_after_ms=wait) for wait in ("400", "100")]
    command = ("index", "docs", "-m", f"openai/{MODEL}", "--dimensions", 4, "-y")
    result = run(*command, *["-q"] * quiet)
    assert result.exit_code == 0
    told = [line for line in result.stderr.splitlines() if line.startswith("waiting")]
    assert told == ([] if quiet else ["waiting: 429: slow down; sending again in 0.4 s"])


def test_a_search_whose_provider_is_down_says_that_words_need_none(
    client: Client, server: FaultServer, shell: Path
) -> None:
    run("index", "docs", "-m", f"openai/{MODEL}", "--dimensions", 4, "-y")
    server.script = [refused(500, "boom", x_should_retry="false")] * 2
    result = run("search", "anything")
    advice = "search by words, which asks no server: --mode lexical"
    assert (result.exit_code, result.stderr) == (2, f"error: 500: boom\nhint: {advice}\n")
    with Index.open(shell / ".embedsearch", embedder(client)) as index:
        with pytest.raises(ServerError, match=r"^500: boom$") as caught:
            index.search("anything")
        assert caught.value.hint == f"{advice}; in Python: mode='lexical'"
        assert index.search("anything", mode="lexical") == []
