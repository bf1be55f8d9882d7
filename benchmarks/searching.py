"""Search at 100,000 chunks with ready vectors, beside the bare FAISS call, zvec and chromadb.

    python benchmarks/searching.py [--rows 100000] [--passages FOLDER]

Vectors: passages of FOLDER (by default this Python's own documentation topics) embedded by the
packaged model, enlarged to the rows asked for by points between near neighbours; queries are rows
held out. Peers are used where they are installed (``pip install zvec chromadb``). All sides store
a text of about 150 characters and three metadata keys a row, and return them with each hit.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import tempfile
import time
from pathlib import Path
from pydoc_data.topics import topics
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np
from vectors import enlarged, normalised

from embedsearch import Document, Index
from embedsearch.chunking import chunk
from embedsearch.embedders import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

K = 10
EMBEDDED = 24_000
"""How many passages are really embedded; the other rows lie between near ones of them."""
QUERIES = 200
"""How many are measured; as many others are our first ones after opening."""
WARMING = 3_000
"""Searches for stored rows that go before what is measured, so that SQLite's pages are in memory."""
BARE_FACTORS = (12, 16, 20, 24, 32, 48)
"""Candidates for each result that FAISS's own index takes: the first is the mark to meet, the
others show what it takes for more recall."""
FILTERS = {"10 %": ("tenth", 10), "1 %": ("hundredth", 100), "0.1 %": ("thousandth", 1000)}


def passages(folder: Path | None, most: int) -> list[str]:
    texts = [p.read_text(errors="replace") for p in folder.rglob("*.txt")] if folder else []
    tokenizer = load().tokenizer
    found: dict[str, None] = {}
    for text in texts or topics.values():
        chunks = chunk(Document("text", text), tokenizer, limit=48)
        found.update(dict.fromkeys(c.text.strip() for c in chunks if len(c.text.strip()) > 40))
        if len(found) >= most:
            break
    return list(found)[:most]


def data(rows: int, folder: Path | None) -> tuple[list[Document], Vectors, Vectors]:
    """Return documents, their vectors, and the queries' vectors: the first to be used come last."""
    texts = passages(folder, EMBEDDED)
    vectors = normalised(load().embed(texts))
    order = np.random.default_rng(1).permutation(len(vectors))
    queries, kept = vectors[order[: 2 * QUERIES]], vectors[order[2 * QUERIES :]]
    stored = enlarged(kept, rows)[:rows]
    documents = [
        Document(
            f"document-{n}",
            f"{texts[n % len(texts)][:140]} #{n}",
            {"tenth": n % 10, "hundredth": n % 100, "thousandth": n % 1000},
        )
        for n in range(rows)
    ]
    return documents, stored, queries


def p50_ms(search: Callable[[Vectors], object], queries: Vectors) -> float:
    taken = []
    for query in queries:
        begin = time.perf_counter()
        search(query)
        taken.append(time.perf_counter() - begin)
    return round(1000 * statistics.median(taken), 3)


def warm(search: Callable[[Vectors], object], vectors: Vectors) -> None:
    for row in np.random.default_rng(2).choice(len(vectors), WARMING):
        search(vectors[row])


def recall(found: list[list[int]], exact: NDArray[np.int64]) -> float:
    shared = [len(set(f) & set(e.tolist())) / K for f, e in zip(found, exact, strict=True)]
    return round(float(np.mean(shared)), 4)


def truth(vectors: Vectors, queries: Vectors, residue: int | None) -> NDArray[np.int64]:
    """Return the K best rows for each query, of those with n % residue == 0."""
    rows = np.arange(len(vectors))[:: residue or 1]
    return rows[np.argsort(-(queries @ vectors[rows].T), axis=1)[:, :K]]


def bare_faiss(vectors: Vectors) -> faiss.Index:
    """Return FAISS's own index that the target speaks of."""
    index = faiss.index_factory(
        vectors.shape[1],
        f"IVF1,PQ{vectors.shape[1] // 2}x4fs,Refine(SQ8)",
        faiss.METRIC_INNER_PRODUCT,
    )
    faiss.omp_set_num_threads(1)
    index.train(vectors[:16_384])
    index.add(vectors)
    index.k_factor = BARE_FACTORS[0]
    return index


def number(id: str) -> int:
    return int(id.rsplit("-", 1)[1])


def ours(documents: list[Document], vectors: Vectors, queries: Vectors) -> dict[str, Any]:
    others, queries = queries[QUERIES:], queries[:QUERIES]
    with tempfile.TemporaryDirectory() as home:
        begin = time.perf_counter()
        with Index.open(home) as index:
            index.add(documents, vectors=vectors)
            added = time.perf_counter() - begin
        closed = time.perf_counter() - begin
        begin = time.perf_counter()
        index = Index.open(home)
        index.search_vector(queries[0], k=K)
        opened = time.perf_counter() - begin
        size = sum(path.stat().st_size for path in Path(home).iterdir())
        bare = bare_faiss(vectors)
        result: dict[str, Any] = {
            "add_per_second": round(len(documents) / added),
            "add_and_close_per_second": round(len(documents) / closed),
            "open_and_first_query_ms": round(1000 * opened),
            "bytes_per_row": round(size / len(documents)),
        }
        bare.search(others, K)
        result["ratio_after_opening"] = side_by_side(index, bare, others)[2]
        warm(lambda q: index.search_vector(q, k=K), vectors)
        own, base, ratio = side_by_side(index, bare, queries)
        found = [[number(h.document_id) for h in index.search_vector(q, k=K)] for q in queries]
        exact = truth(vectors, queries, None)
        result |= {"p50_ms": own, "bare_faiss_p50_ms": base, "ratio_to_bare": ratio}
        result["recall"] = recall(found, exact)
        result["bare_faiss_recall"] = recall(bare.search(queries, K)[1].tolist(), exact)
        result["bare_faiss_by_candidates"] = by_candidates(index, bare, queries, exact)
        for name, (key, residue) in FILTERS.items():
            result[f"filter {name}"] = filtered(index, key, residue, vectors, queries)
        texts = [document.text for document in documents[: len(queries)]]
        for mode in ("hybrid", "lexical", "dense"):
            taken = [seconds(lambda t=text, m=mode: index.search(t, mode=m)) for text in texts[:50]]
            result[f"{mode}_search_p50_ms"] = round(1000 * statistics.median(taken), 2)
        index.close()
    return result


def side_by_side(index: Index, bare: faiss.Index, queries: Vectors) -> tuple[float, float, float]:
    """Return our p50 and FAISS's in ms, and their ratio; they take turns, 20 queries each."""
    both = [
        (p50_ms(lambda q: index.search_vector(q, k=K), queries[at : at + 20]),
         p50_ms(lambda q: bare.search(q[None], K), queries[at : at + 20]))
        for at in range(0, len(queries), 20)
    ]  # fmt: skip
    own, base = (round(statistics.median(side), 3) for side in zip(*both, strict=True))
    return own, base, round(statistics.median(own / base for own, base in both), 3)


def by_candidates(
    index: Index, bare: faiss.Index, queries: Vectors, exact: NDArray[np.int64]
) -> list[dict[str, float]]:
    """Compare with FAISS's own index at each number of candidates: its recall has a ceiling."""
    curve = []
    for factor in BARE_FACTORS:
        bare.k_factor = factor
        reached = recall(bare.search(queries, K)[1].tolist(), exact)
        _, base, ratio = side_by_side(index, bare, queries)
        curve.append({"factor": factor, "recall": reached, "p50_ms": base, "ratio": ratio})
    return curve


def seconds(job: Callable[[], object]) -> float:
    begin = time.perf_counter()
    job()
    return time.perf_counter() - begin


def filtered(
    index: Index, key: str, residue: int, vectors: Vectors, queries: Vectors
) -> dict[str, Any]:
    """Measure a filter: the first query reads it from SQLite, later ones find it kept."""
    first = seconds(lambda: index.search_vector(queries[0], k=K, where={key: 0}))
    p50 = p50_ms(lambda q: index.search_vector(q, k=K, where={key: 0}), queries)
    found = [
        [number(h.document_id) for h in index.search_vector(q, k=K, where={key: 0})]
        for q in queries
    ]
    exact = truth(vectors, queries, residue)
    return {"first_ms": round(1000 * first, 1), "p50_ms": p50, "recall": recall(found, exact)}


def chroma(documents: list[Document], vectors: Vectors, queries: Vectors) -> dict[str, Any]:
    import chromadb

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        client = chromadb.PersistentClient(home)
        table = client.create_collection("rows", metadata={"hnsw:space": "cosine"})
        begin = time.perf_counter()
        for at in range(0, len(documents), 5_000):
            part = documents[at : at + 5_000]
            table.add(
                ids=[d.id for d in part],
                embeddings=vectors[at : at + 5_000],
                documents=[d.text for d in part],
                metadatas=[dict(d.metadata) for d in part],
            )
        added = time.perf_counter() - begin

        def search(query: Vectors, where: dict[str, Any] | None = None) -> list[int]:
            found = table.query(query_embeddings=query[None], n_results=K, where=where)
            return [number(id) for id in found["ids"][0]]

        return peer(documents, vectors, queries, added, search, lambda key: {key: 0})


def zvec_(documents: list[Document], vectors: Vectors, queries: Vectors) -> dict[str, Any]:
    import zvec

    with tempfile.TemporaryDirectory() as home:
        schema = zvec.CollectionSchema(
            name="rows",
            fields=[
                zvec.FieldSchema("text", zvec.DataType.STRING),
                *(
                    zvec.FieldSchema(key, zvec.DataType.INT64, index_param=zvec.InvertIndexParam())
                    for key, _ in FILTERS.values()
                ),
            ],
            vectors=zvec.VectorSchema(
                "vector",
                zvec.DataType.VECTOR_FP32,
                vectors.shape[1],
                index_param=zvec.HnswIndexParam(metric_type=zvec.MetricType.IP),
            ),
        )
        table = zvec.create_and_open(path=f"{home}/rows", schema=schema)
        begin = time.perf_counter()
        for at in range(0, len(documents), 1_000):
            part = zip(documents[at : at + 1_000], vectors[at : at + 1_000], strict=True)
            table.insert(
                [
                    zvec.Doc(
                        id=d.id,
                        vectors={"vector": v.tolist()},
                        fields={"text": d.text, **d.metadata},
                    )
                    for d, v in part
                ]
            )
        table.optimize()
        added = time.perf_counter() - begin

        def search(query: Vectors, where: str | None = None) -> list[int]:
            wanted = zvec.Query("vector", vector=query.tolist())
            found = table.query(wanted, topk=K, filter=where)
            return [number(doc.id) for doc in found]

        return peer(documents, vectors, queries, added, search, lambda key: f"{key} = 0")


def peer(
    documents: list[Document],
    vectors: Vectors,
    queries: Vectors,
    added: float,
    search: Callable[..., list[int]],
    where: Callable[[str], Any],
) -> dict[str, Any]:
    queries = queries[:QUERIES]
    warm(search, vectors)
    result: dict[str, Any] = {
        "add_per_second": round(len(documents) / added),
        "p50_ms": p50_ms(search, queries),
        "recall": recall([search(q) for q in queries], truth(vectors, queries, None)),
    }
    for name, (key, residue) in FILTERS.items():
        condition = where(key)
        result[f"filter {name}"] = {
            "p50_ms": p50_ms(lambda q, c=condition: search(q, c), queries[:50]),
            "recall": recall(
                [search(q, condition) for q in queries[:50]], truth(vectors, queries[:50], residue)
            ),
        }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--passages", type=Path)
    arguments = parser.parse_args()
    given = data(arguments.rows, arguments.passages)
    result: dict[str, Any] = {"rows": arguments.rows, "embedsearch": ours(*given)}
    for name, measure in {"zvec": zvec_, "chromadb": chroma}.items():
        installed = importlib.util.find_spec(name)
        result[name] = measure(*given) if installed else "not installed"
    print(json.dumps(result))


if __name__ == "__main__":
    main()
