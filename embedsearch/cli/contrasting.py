"""``embedsearch compare``: two texts, or two sets of documents."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedsearch import compare as comparison
from embedsearch.cli import inputs, opening, options
from embedsearch.cli.comparing import embedded
from embedsearch.cli.listing import show_records
from embedsearch.cli.places import document_id
from embedsearch.compare.drifting import NEAR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedsearch import Index
    from embedsearch.store.vectors import DocumentVectors

SHOWN = 20
"""How many documents a comparison lists as text, of each kind."""

MOST_CHANGED = 5
"""How many clusters a comparison tells the change of, as text."""

LIKELY = 0.05
"""The usual bound on a p-value."""


@click.command("compare")
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@options.of_the_index
@click.option(
    "--near",
    type=click.FloatRange(0, 1),
    default=NEAR,
    show_default=True,
    help="From this similarity on a document has a counterpart.",
)
@options.output_format(options.PLAIN_FORMATS)
def compare_(
    *,
    one: str,
    other: str,
    db: Path | None,
    model: str | None,
    quiet: bool,  # noqa: ARG001 -- notes know
    near: float,
    format_: str,
) -> None:
    """Compare two texts, or two sets of documents: what is new in B, gone from A, how far apart.

    A set is a folder of the index, a glob with '*' in it, a condition on metadata as year=2024, or
    another index by its folder. A document is named by its id, a file by its path; all else is a
    text.
    """
    with opening.open_index(db, model) as index:
        if _is_set(index, one) != _is_set(index, other):
            name = other if _is_set(index, one) else one
            raise click.UsageError(
                f"compare two texts or two sets, not one with the other: {name!r} is neither a"
                " folder of the index nor a glob, a condition or another index"
            )
        if _is_set(index, one):
            record = _sets(index, one, other, near)
        else:
            texts = [inputs.meant(index, name) for name in (one, other)]
            a, b = index.embed(texts)
            record = {"similarity": round(float(a @ b), 4)}
    show_records([record], format_, name="comparison", line=_comparison, columns=tuple(record))


def _is_set(index: Index, name: str) -> bool:
    if document_id(index, name) in index:
        return False
    return any(sign in name for sign in "*=<>") or _is_index(name) or _is_folder(index, name)


def _is_folder(index: Index, name: str) -> bool:
    return bool(name.strip("/ ")) and index.counts(glob=(_within(name),)).documents > 0


def _within(folder: str) -> str:
    """Return the glob of what a folder of the index holds, its signs taken by themselves."""
    literal = re.sub(r"[][*?!\\]", r"\\\g<0>", folder.strip("/"))
    return f"/{literal}/"


def _is_index(name: str) -> bool:
    return inputs.there(f"{name}/index.db") is not None


def _members(index: Index, name: str) -> tuple[DocumentVectors, list[str]]:
    """Return the documents of a set, and their texts."""
    if _is_index(name):
        with opening.open_index(Path(name), None) as other:
            if other.space != index.space:
                raise ValueError(f"{name} holds vectors of {other.space!r}, not {index.space!r}")
            found = embedded(other)
            return found, other.texts(found.ids)
    if any(sign in name for sign in "=<>"):
        found = embedded(index, where=(name,))
    else:
        found = embedded(index, glob=(name if "*" in name else _within(name),))
    return found, index.texts(found.ids)


def _sets(index: Index, one: str, other: str, near: float) -> dict[str, Any]:
    (a, before), (b, after) = _members(index, one), _members(index, other)
    for name, members in ((one, a), (other, b)):
        if not members.ids:
            raise ValueError(f"no document is in {name!r}")
    moved = comparison.drift(a.vectors, b.vectors, near=near)
    changed = comparison.shifts(a.vectors, b.vectors, [*before, *after])
    return {
        "similarity": round(moved.similarity, 4),
        "p_value": moved.p_value,
        "documents": [len(a.ids), len(b.ids)],
        "new": _without(b.ids, moved.new, moved.nearest_new),
        "gone": _without(a.ids, moved.gone, moved.nearest_gone),
        "clusters": [asdict(shift) | {"change": round(shift.change, 4)} for shift in changed],
    }


def _without(
    ids: Sequence[str], rows: Sequence[int], nearest: Sequence[float]
) -> list[dict[str, Any]]:
    return [
        {"document_id": ids[row], "nearest": round(cosine, 4)}
        for row, cosine in zip(rows, nearest, strict=True)
    ]


def _comparison(record: dict[str, Any]) -> str:
    if "new" not in record:
        return f"similarity {record['similarity']:.4f}"
    moved = "moved" if record["p_value"] <= LIKELY else "no more apart than by chance"
    head = (
        f"{record['documents'][0]:,} documents and {record['documents'][1]:,}: their means have"
        f" similarity {record['similarity']:.4f} ({moved}, p = {record['p_value']:.3f})"
    )
    lines = [head]
    for what, sign in (("new", "+"), ("gone", "-")):
        listed = record[what]
        lines += [f"{sign} {r['nearest']:.2f}  {r['document_id']}" for r in listed[:SHOWN]]
        if len(listed) > SHOWN:
            lines.append(f"{sign} ... and {len(listed) - SHOWN:,} more (--json has all)")
    lines += map(_shift_line, record["clusters"][:MOST_CHANGED])
    return "\n".join(lines)


def _shift_line(cluster: dict[str, Any]) -> str:
    counts = f"{cluster['before']:,} -> {cluster['after']:,}"
    return f"{100 * cluster['change']:+.1f} % of all  {counts}  {', '.join(cluster['terms'])}"
