"""Cuts documents into chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedsearch.chunking.cutter import Cutter
from embedsearch.chunking.outline import Outline
from embedsearch.chunking.ruler import Ruler
from embedsearch.records import Chunk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from embedsearch.chunking.cutter import Slice
    from embedsearch.records import Document
    from embedsearch.tokens.protocol import Tokenizer


def chunk(document: Document, tokenizer: Tokenizer, *, limit: int, overlap: int = 0) -> list[Chunk]:
    """Cut a document into slices of at most ``limit`` tokens, each encoded on its own.

    Together the chunks cover the whole text; their starts and ends strictly ascend. A cut is
    made where a page ends that fits the limit, as a slide does, else at the best boundary in the
    second half of the limit: heading or top-level definition,
    blank line, list item, line, sentence, word, punctuation, grapheme. A fence that fits the
    limit is never cut; a grapheme only if it alone exceeds the limit, down to a single
    character, whatever its tokens. A chunk repeats up to ``overlap`` tokens of the one before
    it, from the best boundary in the first half of them, unless it starts a section.

    Raises ValueError unless ``0 <= overlap < limit``.
    """
    (chunks,) = chunk_all([document], tokenizer, limit=limit, overlap=overlap)
    return chunks


def chunk_all(
    documents: Sequence[Document], tokenizer: Tokenizer, *, limit: int, overlap: int = 0
) -> list[list[Chunk]]:
    """Cut documents as ``chunk`` does one; their texts are tokenized together, which is faster."""
    if not 0 <= overlap < limit:
        raise ValueError(f"expected 0 <= overlap < limit, got overlap {overlap}, limit {limit}")
    rulers = Ruler.of_all([document.text for document in documents], tokenizer)
    return [
        _chunks(document, ruler, limit, overlap)
        for document, ruler in zip(documents, rulers, strict=True)
    ]


def _chunks(document: Document, ruler: Ruler, limit: int, overlap: int) -> list[Chunk]:
    outline = Outline.of(document)
    slices = Cutter(document, outline, ruler, limit=limit).slices(overlap)
    return list(_locate(document.text, outline, slices))


def _locate(text: str, outline: Outline, slices: Iterable[Slice]) -> Iterator[Chunk]:
    """Say of each slice on what lines and page, under which headings and at what time it stands."""
    line, counted = 1, 0
    for start, end, tokens in slices:
        line, counted = line + text.count("\n", counted, start), start
        yield Chunk(
            text=text[start:end],
            start=start,
            end=end,
            tokens=tokens,
            start_line=line,
            end_line=line + text.count("\n", start, end - 1),
            page=outline.page(start),
            heading=outline.heading_path(text, start, end),
            seconds=outline.seconds(start),
        )
