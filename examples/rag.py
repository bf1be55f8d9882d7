"""Answer from your own documents: find passages, ask a chat model, look up what it cites.

Run it from the project's folder: python examples/rag.py "who discovered oxygen". The model is the
one that EMBEDSEARCH_CHAT_MODEL names; without one, what it would be asked is printed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from embedsearch import Client, Index
from embedsearch.answering import answer, messages, relevant

WIKIPEDIA = Path(__file__).parent / "wikipedia"


def main(question: str, model: str | None) -> None:
    """Print the answer to a question, and its sources."""
    with Index.open(":memory:") as index:
        index.sync(WIKIPEDIA)
        passages = relevant(index, question, k=3)
        if model is None:
            print(*(message["content"] for message in messages(question, passages)), sep="\n\n")
            return
        with Client() as client:
            found = answer(index, question, client=client, model=model, passages=passages)
            for piece in found:
                print(piece, end="", flush=True)
        for source in found.citations:
            print(f"\n[{source.number}] {source.document_id}:{source.start_line}", end="")
        print()


if __name__ == "__main__":
    main(
        " ".join(sys.argv[1:]) or "who discovered oxygen", os.environ.get("EMBEDSEARCH_CHAT_MODEL")
    )
