"""How well it finds: nDCG@10, recall@10 and MRR@10 on retrieval sets in BEIR's layout.

    python benchmarks/retrieval.py DATA

where each folder in DATA holds ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/test.tsv``.
Documents are taken as they are, cut and embedded by default settings, one hit a document. Averages
are over the queries that have judgments.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from pathlib import Path
from typing import Any

from embedsearch import Document, Index

K = 10


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def judgments(path: Path) -> dict[str, dict[str, int]]:
    judged: dict[str, dict[str, int]] = {}
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        if int(grade) > 0:
            judged.setdefault(query, {})[document] = int(grade)
    return judged


def measures(found: list[str], relevant: dict[str, int]) -> tuple[float, float, float]:
    """Return nDCG, recall and reciprocal rank of a ranking (Jaervelin and Kekaelaeinen, 2002)."""
    gains = [relevant.get(id, 0) / math.log2(rank + 2) for rank, id in enumerate(found)]
    best = sorted(relevant.values(), reverse=True)[:K]
    ideal = sum(grade / math.log2(rank + 2) for rank, grade in enumerate(best))
    first = next((1 / (rank + 1) for rank, id in enumerate(found) if id in relevant), 0.0)
    return sum(gains) / ideal, sum(id in relevant for id in found) / len(relevant), first


def evaluate(folder: Path) -> dict[str, Any]:
    judged = judgments(folder / "qrels" / "test.tsv")
    queries = {q["_id"]: q["text"] for q in lines(folder / "queries.jsonl") if q["_id"] in judged}
    result: dict[str, Any] = {"queries": len(queries)}
    with Index.open(":memory:") as index:
        index.add(
            Document(d["_id"], f"{d.get('title', '')}\n\n{d['text']}".strip())
            for d in lines(folder / "corpus.jsonl")
        )
        result |= {"documents": len(index), "chunks": index.counts().chunks}
        for mode in ("dense", "lexical", "hybrid"):
            rows = []
            for id, text in queries.items():
                hits = index.search(text, k=K, mode=mode, group_by="document")
                rows.append(measures([hit.document_id for hit in hits], judged[id]))
            columns = zip(*rows, strict=True)
            names = ("ndcg@10", "recall@10", "mrr@10")
            result[mode] = {
                name: round(statistics.fmean(column), 4)
                for name, column in zip(names, columns, strict=True)
            }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    folders = sorted(p.parent for p in parser.parse_args().data.glob("*/corpus.jsonl"))
    print(json.dumps({folder.name: evaluate(folder) for folder in folders}))


if __name__ == "__main__":
    main()
