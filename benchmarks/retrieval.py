"""How well it finds: nDCG@10, recall@10 and MRR@10 on retrieval sets in BEIR's layout.

    python benchmarks/retrieval.py DATA

where each folder in DATA holds ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/test.tsv``.
Documents are taken as they are, cut and embedded by default settings, one hit a document. Averages
are over the queries that have judgments.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from embedsearch import Document, Index
from embedsearch.evaluate import retrieval

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
            run = {
                id: [
                    hit.document_id for hit in index.search(text, K, mode=mode, group_by="document")
                ]
                for id, text in queries.items()
            }
            found = retrieval(run, judged, k=K)
            result[mode] = {
                "ndcg@10": round(found.ndcg, 4),
                "recall@10": round(found.recall, 4),
                "mrr@10": round(found.mrr, 4),
            }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    folders = sorted(p.parent for p in parser.parse_args().data.glob("*/corpus.jsonl"))
    print(json.dumps({folder.name: evaluate(folder) for folder in folders}))


if __name__ == "__main__":
    main()
