"""Relevance: what is refused as only the nearest, whatever model gives the vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner
from fault_server import FaultServer, serve

from embedsearch import Document, Index, embedders
from embedsearch.answering import relevant
from embedsearch.cli.main import main
from embedsearch.relevance import judged
from embedsearch.testing import HashEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result
    from numpy.typing import NDArray

    from embedsearch.search.ranking import Mode

FACTS = {
    "refunds": "Money for a returned order comes back to your card within five days.",
    "bread": "Knead the dough until it is smooth, let it rise for an hour, and bake it.",
    "moon": "The gravity of the moon raises the tides of the seas twice a day.",
    "lease": "The tenant must give three months' notice before moving out of the flat.",
    "bicycle": "Oil the chain of the bicycle every month, and check its brakes.",
    "choir": "The choir rehearses on Thursdays in the hall behind the church.",
}
ANSWERED = [
    ("How long does a reimbursement take?", "refunds"),
    ("When do the singers practise?", "choir"),
    ("Why are there high and low waters?", "moon"),
]
STRANGE = ["who won the cricket world cup", "kubernetes pod is stuck in pending", "zebras"]
GERMAN = {
    "Wie lange dauert es, bis ich mein Geld wiederbekomme?": "How long does a refund take?",
    "Wer hat die Weltmeisterschaft im Kricket gewonnen?": "Who won the cricket world cup?",
}
"""And what they mean: a model of many languages gives both the same vector."""


@pytest.fixture(scope="module")
def plain() -> Iterator[Index]:
    """Return an index with the packaged model."""
    with Index.open(":memory:") as opened:
        opened.add([Document(id, text) for id, text in FACTS.items()])
        yield opened


@pytest.fixture(scope="module")
def server(plain: Index) -> Iterator[FaultServer]:
    """Return a server whose vectors have so much in common that all cosines are above 0.7."""

    def vector(text: str, _: int) -> NDArray[np.float32]:
        row = plain.embedder.embed([GERMAN.get(text, text)])[0]
        return np.append(row, np.float32(2))

    with serve(FaultServer(vector=vector)) as faults:
        yield faults


@pytest.fixture(scope="module")
def narrow(server: FaultServer) -> Iterator[Index]:
    """Return an index whose embedder is behind that server."""
    with opened(server) as index:
        yield index


def opened(server: FaultServer, texts: dict[str, str] = FACTS) -> Index:
    """Return an index of texts that a server embeds."""
    named = embedders.load("openai/m", base_url=server.url, api_key="sk-test")
    index = Index.open(":memory:", named)
    index.add([Document(id, text) for id, text in texts.items()])
    return index


def ask(index: Index, question: str, mode: Mode = "hybrid") -> bool | None:
    return judged(index, question, index.search(question, mode=mode), mode=mode)


@pytest.mark.parametrize("mode", ["hybrid", "dense"])
@pytest.mark.parametrize(("question", "answer"), ANSWERED)
def test_what_has_an_answer_is_relevant_by_any_model(
    plain: Index, narrow: Index, question: str, answer: str, mode: Mode
) -> None:
    for index in (plain, narrow):
        assert relevant(index, question, mode=mode)[0].document_id == answer


@pytest.mark.parametrize("mode", ["hybrid", "dense"])
@pytest.mark.parametrize("question", STRANGE)
def test_what_only_comes_nearest_is_refused_by_any_model(
    plain: Index, narrow: Index, question: str, mode: Mode
) -> None:
    assert narrow.search(question, 1, mode="dense")[0].score > 0.75
    for index in (plain, narrow):
        assert relevant(index, question, mode=mode) == []
        assert relevant(index, question, mode=mode, min_score=0)


def test_a_question_in_another_language_is_judged_by_its_meaning(narrow: Index) -> None:
    assert [ask(narrow, question) for question in GERMAN] == [True, False]


def test_the_command_line_says_so_of_an_api_s_model(server: FaultServer, tmp_path: Path) -> None:
    for id, text in FACTS.items():
        (tmp_path / f"{id}.txt").write_text(text)

    def run(command: str, *arguments: str) -> Result:
        api = ("--db", str(tmp_path / "index"), "--base-url", server.url)
        key = {"OPENAI_API_KEY": "sk-test"}
        return CliRunner().invoke(main, [command, *arguments, *api], env=key)

    assert run("index", str(tmp_path), "-m", "openai/m", "-y").exit_code == 0
    far = run("ask", STRANGE[1], "--show-prompt")
    assert (far.exit_code, far.stdout) == (1, "")
    assert far.stderr.startswith("nothing relevant was found among 6 chunks of 6 documents, so")
    assert far.stderr.endswith("shows what comes nearest, --min-score -1 takes it\n")
    assert run("ask", STRANGE[1], "--show-prompt", "--min-score", "-1").exit_code == 0
    by_words = run("ask", STRANGE[1], "--show-prompt", "--mode", "lexical")
    assert (by_words.exit_code, "hint" in by_words.stderr) == (1, False)
    assert run("ask", ANSWERED[0][0], "--show-prompt").exit_code == 0
    note = "note: no text has a word of the query or is near its meaning: at best 0.4"
    assert run("search", STRANGE[2]).stderr.startswith(note)
    assert run("search", ANSWERED[0][0]).stderr == ""


def test_a_condition_changes_nothing_about_what_is_near(narrow: Index) -> None:
    question, answer = ANSWERED[0]
    assert relevant(narrow, question, glob=[answer])[0].document_id == answer
    assert relevant(narrow, STRANGE[0], glob=[answer]) == []


def test_by_words_alone_nothing_is_judged(narrow: Index) -> None:
    assert ask(narrow, "money for zebras", mode="lexical") is None
    hits = narrow.search("money for zebras")
    with pytest.raises(ValueError, match="unknown mode 'words'"):
        judged(narrow, "money for zebras", hits, mode="words")  # type: ignore[arg-type]


def test_one_text_that_waits_is_judged_by_its_words_more_leave_it_open() -> None:
    """A text that a provider refuses waits for ever."""
    with Index.open(":memory:", HashEmbedder(4096)) as index:
        index.add([Document(id, text) for id, text in FACTS.items()])
        index.add([Document("cricket", "A match of cricket lasts five days.")], embed=False)
        assert ask(index, "zebras") is False
        assert ask(index, "how long does a match of cricket last") is True
        index.add([Document("zebra", "It has stripes.")], embed=False)
        assert ask(index, "zebras") is None


def test_passages_that_are_gone_meanwhile_are_not_judged() -> None:
    with Index.open(":memory:", HashEmbedder()) as index:
        index.add([Document("a", "Refunds take five days.")])
        hits = index.search("the moons of Jupiter")
        assert judged(index, "the moons of Jupiter", hits, mode="hybrid") is False
        index.remove("a")
        index.add([Document("b", "We deliver to Austria.")])
        assert judged(index, "the moons of Jupiter", hits, mode="hybrid") is None


def test_a_model_for_which_all_is_alike_leaves_it_to_the_words() -> None:
    def vector(text: str, _: int) -> NDArray[np.float32]:
        return np.array([30, len(text) % 2], np.float32)  # cosines from 0.9994

    with serve(FaultServer(vector=vector)) as server, opened(server) as index:
        assert [ask(index, question) for question in STRANGE] == [False] * 3
        assert ask(index, "When does the choir rehearse in the church?") is True


def test_of_few_passages_a_cosine_is_taken_as_it_is(narrow: Index) -> None:
    few = dict(list(FACTS.items())[:4])
    with Index.open(":memory:", narrow.embedder) as index:
        index.add([Document(id, text) for id, text in few.items()])
        assert [ask(index, question) for question in STRANGE] == [True] * 3
        index.add([Document("bicycle", FACTS["bicycle"])])
        assert [ask(index, question) for question in STRANGE] == [False] * 3


def test_what_is_usual_is_drawn_evenly_from_all_passages() -> None:
    texts = [f"number {n}" for n in range(5)]
    with Index.open(":memory:", HashEmbedder()) as index:
        index.add([Document(text, text) for text in texts])
        each = [hit.score for t in texts for hit in index.search("four", mode="dense", glob=[t])]
        assert index.cosines("four").tolist() == pytest.approx(each, abs=1e-6)
        assert index.cosines("four", most=3).tolist() == pytest.approx(each[::2], abs=1e-6)
        index.remove([texts[0]])
        index.add([Document(texts[0], texts[0])])  # embedded last
        assert index.cosines("four", most=3).tolist() == pytest.approx(
            [each[1], each[3], each[0]], abs=1e-6
        )
        with pytest.raises(ValueError, match=r"^expected most of at least 1, got 0$"):
            index.cosines("four", most=0)
