"""What changed in a document: the passages of each version that are least like the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from embedsearch.compare.checking import both
from embedsearch.compare.drifting import SAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from embedsearch.records import Chunk
    from embedsearch.store.vectors import Passages


@dataclass(frozen=True, slots=True)
class Odd:
    """A passage of one version, and its cosine to the nearest of the other's.

    ``lines`` are those of its lines that the other version does not hold.
    """

    chunk: Chunk
    nearest: float
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What one version of a document says and the other does not.

    ``lost`` is the passage of the first that is least like any of the second, ``gained`` that of
    the second least like any of the first; ``None`` where all have their like.
    """

    lost: Odd | None
    gained: Odd | None


def change(before: Passages, after: Passages) -> Change:
    """Return what changed between two versions of a document, as ``Index.passages`` gives them.

    Raises:
        DimensionMismatch: they are of different spaces.
        ValueError: nothing of one of them is embedded.

    """
    if not before.chunks or not after.chunks:
        raise ValueError("expected two versions with embedded passages, got one without any")
    a, b = both(before.vectors, after.vectors)
    cosines = a @ b.T
    lost = _oddest(before, cosines.max(axis=1), after)
    return Change(lost, _oddest(after, cosines.max(axis=0), before))


def _oddest(passages: Passages, nearest: NDArray[Any], other: Passages) -> Odd | None:
    least = int(nearest.argmin())
    if nearest[least] >= SAME:
        return None
    chunk = passages.chunks[least]
    lines = _changed(chunk, _text(passages), _text(other))
    return Odd(chunk, float(nearest[least]), tuple(lines))


def _text(passages: Passages) -> str:
    """Return the text that chunks were cut from; what is missing of it is empty lines."""
    text = ""
    for chunk in passages.chunks:
        text += "\n" * (chunk.start - len(text))
        text += chunk.text[len(text) - chunk.start :]
    return text


def _changed(chunk: Chunk, own: str, other: str) -> Iterator[str]:
    """Yield the lines of a chunk of a text that another text does not hold.

    Of a line that the chunk cuts it is the part in the chunk, unless that stands anywhere.
    """
    held, place = {*other.splitlines()}, 0
    for ended in own.splitlines(keepends=True):
        line, begin = ended.splitlines()[0], place
        place += len(ended)
        part = own[max(begin, chunk.start) : min(begin + len(line), chunk.end)]
        stands = line in held or (len(part) < len(line) and part in other)
        if part.strip() and not stands:
            yield part
