"""Answer from your own documents: search, then hand the best passages to a model as its context.

Run it from the project's folder: python examples/rag.py "who discovered oxygen"
"""

from __future__ import annotations

import sys
from pathlib import Path

from embedsearch import Hit, Index

WIKIPEDIA = Path(__file__).parent / "wikipedia"

PROMPT = """\
Answer from the numbered passages only, and name the ones you used.

{passages}

Question: {question}
"""


def cited(number: int, hit: Hit) -> str:
    """Return a passage with the place it can be checked at."""
    return f"[{number}] {hit.document_id}:{hit.start_line}-{hit.end_line}\n{hit.text.strip()}"


def prompt(question: str, k: int = 3) -> str:
    """Return a prompt for a question, built on the best passages of the example folder."""
    with Index.open(":memory:") as index:
        index.sync(WIKIPEDIA)
        hits = index.search(question, k=k)
    passages = "\n\n".join(cited(number, hit) for number, hit in enumerate(hits, 1))
    return PROMPT.format(passages=passages, question=question)


if __name__ == "__main__":
    print(prompt(" ".join(sys.argv[1:]) or "who discovered oxygen"))
