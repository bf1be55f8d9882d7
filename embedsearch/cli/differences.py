"""How two sets of documents differ, as text for people and as rows for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from embedsearch.cli.listing import fitted
from embedsearch.cli.terminal import first
from embedsearch.compare.checking import LIKELY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Record = Mapping[str, Any]

SHOWN = 20
"""How many documents a comparison lists as text, of each kind."""

MOST_CHANGED = 5
"""How many clusters a comparison tells the change of, as text."""

EXCERPT = 80
"""How many characters of a passage are shown."""

COLUMNS = ("change", "document_id", "before", "similarity", "lost", "gained")


def rows(record: Record) -> Iterator[dict[str, Any]]:
    """Yield a row for each document that is new, gone or drifted.

    ``similarity`` is the cosine to the nearest of the other set, of what drifted that to what it
    was; ``lost`` and ``gained`` are passages' texts.
    """
    for change in ("new", "gone"):
        for found in record[change]:
            yield dict.fromkeys(COLUMNS) | {
                "change": change,
                "document_id": found["document_id"],
                "similarity": found["nearest"],
            }
    for found in record["drifted"]:
        texts = {name: found[name] and found[name]["text"] for name in ("lost", "gained")}
        yield {"change": "drifted"} | {name: found[name] for name in COLUMNS[1:4]} | texts


def words(record: Record) -> str:
    """Return a comparison as text, each list under a line that says what its figures are."""
    (one, other), (before, after) = record["sets"], record["documents"]
    moved = "moved" if record["p_value"] <= LIKELY else "no more apart than by chance"
    lines = [
        f"{before:,} documents in {one}, {after:,} in {other}, {record['in_both']:,} in both",
        f"their means have cosine {record['similarity']:.4f}: {moved}, p = {record['p_value']:.3f}",
    ]
    nearest = f"cosine to the nearest there, below {record['near']:g}"
    lines += _listed(f"new in {other} ({nearest})", "+", record["new"])
    lines += _listed(f"gone from {one} ({nearest})", "-", record["gone"])
    lines += _drifted(record["drifted"])
    lines += ["", "clusters (change of their share, how many before -> after, terms)"]
    lines += map(_cluster, record["clusters"][:MOST_CHANGED])
    return "\n".join(lines)


def _listed(head: str, sign: str, listed: Sequence[Record]) -> list[str]:
    return _headed(
        head, listed, lambda found: f"{sign} {found['nearest']:.2f}  {found['document_id']}"
    )


def _headed(head: str, listed: Sequence[Record], line: Callable[[Record], str]) -> list[str]:
    if not listed:
        return []
    return ["", f"{len(listed):,} {head}", *first(SHOWN, listed, "--json has all", line=line)]


def _drifted(listed: Sequence[Record]) -> list[str]:
    head = "drifted (cosine of then and now; of each the passage least like the other's)"
    return _headed(head, listed, _move)


def _move(found: Record) -> str:
    passages = (
        fitted(f"    {sign} {passage['nearest']:.2f} {_place(passage)}  {_excerpt(passage)}")
        for sign, passage in (("-", found["lost"]), ("+", found["gained"]))
        if passage
    )
    return "\n".join([f"~ {found['similarity']:.4f}  {found['document_id']}", *passages])


def _place(passage: Record) -> str:
    return f":{passage['start_line']}-{passage['end_line']}"


def _excerpt(passage: Record) -> str:
    said = " ".join(passage["lines"]) or passage["text"]
    return " ".join(said.split())[:EXCERPT]


def _cluster(cluster: Record) -> str:
    counts = f"{cluster['before']:,} -> {cluster['after']:,}"
    return f"{100 * cluster['change']:+.1f} %  {counts}  {', '.join(cluster['terms'])}"
