"""Whether an index may hold an answer: own questions that are kept, strangers that are refused.

    python benchmarks/relevance.py DATA [--model NAME]

where each folder in DATA is a retrieval set in BEIR's layout, which is indexed by default settings.
A set's own questions, those that have a relevant document there, should be kept; those of the other
sets should be refused. ``--model`` is any that an index takes: a folder, ``openai/MODEL``.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from typing import Any

from retrieval import judgments, lines

from embedsearch import Document, Index, embedders
from embedsearch.answering import relevant

OWN, STRANGE = 400, 150
"""How many questions at most are put to their own set, and to each other set."""


def questions(folder: Path) -> list[str]:
    """Return the questions that have an answer there, drawn the same each time."""
    judged = judgments(folder / "qrels" / "test.tsv")
    found = [q["text"] for q in lines(folder / "queries.jsonl") if q["_id"] in judged]
    return random.Random(0).sample(found, min(OWN, len(found)))


def measure(folder: Path, asked: dict[str, list[str]], model: str | None) -> dict[str, Any]:
    strange = [q for name, some in asked.items() if name != folder.name for q in some[:STRANGE]]
    with Index.open(":memory:", embedders.load(model)) as index:
        index.add(
            Document(d["_id"], f"{d.get('title', '')}\n\n{d['text']}".strip())
            for d in lines(folder / "corpus.jsonl")
        )
        kept = [bool(relevant(index, question)) for question in asked[folder.name]]
        refused = [not relevant(index, question) for question in strange]
        return {
            "passages": index.counts().texts,
            "own": len(kept),
            "kept": sum(kept),
            "strangers": len(refused),
            "refused": sum(refused),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model")
    arguments = parser.parse_args()
    folders = sorted(path.parent for path in arguments.data.glob("*/corpus.jsonl"))
    asked = {folder.name: questions(folder) for folder in folders}
    found = {folder.name: measure(folder, asked, arguments.model) for folder in folders}
    print(json.dumps({"model": arguments.model or "packaged", "sets": found}))


if __name__ == "__main__":
    main()
