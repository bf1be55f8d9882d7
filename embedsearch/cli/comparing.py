"""``cluster``, ``dedupe``, ``outliers``, ``sample``, ``recommend``, ``compare`` and ``map``."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import click
import numpy as np

from embedsearch import compare as comparison
from embedsearch.cli import opening, options
from embedsearch.cli.errors import NOTHING_FOUND
from embedsearch.cli.listing import show_records
from embedsearch.cli.places import document_id
from embedsearch.cli.terminal import confirmed, counted, note, printable
from embedsearch.compare.drifting import NEAR
from embedsearch.compare.duplication import THRESHOLD
from embedsearch.compare.page import page, points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedsearch import Index
    from embedsearch.store.vectors import DocumentVectors


class Asked(TypedDict):
    """What every command here takes: which documents of which index, and how to print."""

    db: Path | None
    model: str | None
    quiet: bool
    glob: tuple[str, ...]
    where: tuple[str, ...]
    format_: str


SHOWN = 20
"""How many documents a comparison lists as text, of each kind."""

MOST_CHANGED = 5
"""How many clusters a comparison tells the change of, as text."""

LIKELY = 0.05
"""The usual bound on a p-value."""

EXCERPT = 80
"""How many characters of a document are shown in a list."""


def _excerpts(index: Index, ids: Sequence[str]) -> list[str]:
    return [" ".join(text.split())[:EXCERPT] for text in index.texts(ids)]


def _found(index: Index, asked: Asked) -> DocumentVectors:
    return _vectors(index, asked["where"], asked["glob"])


def _vectors(index: Index, where: Sequence[str] = (), glob: Sequence[str] = ()) -> DocumentVectors:
    """Return the vectors of the documents that are meant, and say how many are missing."""
    found = index.document_vectors(where=where, glob=glob)
    missing = index.counts(where=where, glob=glob).documents - len(found.ids)
    if missing:
        note(f"note: {counted(missing, 'document')} of which nothing is embedded yet left out")
    return found


@click.command("cluster")
@options.of_the_index
@options.conditions
@click.option("-k", type=click.IntRange(min=1), help="How many clusters; else as fits best.")
@options.output_format(options.ROW_FORMATS)
@click.pass_context
def cluster_(
    ctx: click.Context,
    *,
    k: int | None,
    **asked: Unpack[Asked],
) -> None:
    """Say which groups the documents fall into, what each is about, and what is typical of it."""
    with opening.open_index(asked["db"], asked["model"]) as index:
        found = _found(index, asked)
        texts = index.texts(found.ids)
        groups = comparison.clusters(found.vectors, texts, k) if found.ids else []
        records = [
            {
                "cluster": n,
                "documents": [found.ids[row] for row in group.rows],
                "terms": group.terms,
                "cohesion": round(group.cohesion, 4),
                "representatives": [found.ids[row] for row in group.representatives],
            }
            for n, group in enumerate(groups, 1)
        ]
    show_records(
        records,
        asked["format_"],
        name="clusters",
        line=_cluster_line,
        columns=("cluster", "terms", "cohesion", "documents"),
    )
    note(
        f"{counted(len(records), 'cluster')} of {len(found.ids):,} documents", quiet=asked["quiet"]
    )
    ctx.exit(0 if records else NOTHING_FOUND)


def _cluster_line(record: dict[str, Any]) -> str:
    head = f"{len(record['documents']):>5,}  {record['cohesion']:.2f}  {', '.join(record['terms'])}"
    return "\n".join([head, *(f"{'':13}{id_}" for id_ in record["representatives"])])


@click.command("outliers")
@options.of_the_index
@options.conditions
@click.option("-k", type=click.IntRange(min=1), default=10, show_default=True, help="How many.")
@options.output_format(options.ROW_FORMATS)
@click.pass_context
def outliers_(
    ctx: click.Context,
    *,
    k: int,
    **asked: Unpack[Asked],
) -> None:
    """List the documents that are least like any others, the oddest first."""
    with opening.open_index(asked["db"], asked["model"]) as index:
        found = _found(index, asked)
        odd = comparison.oddity(found.vectors)
        rows = np.argsort(-odd, kind="stable")[:k]
        ids = [found.ids[row] for row in rows]
        records = [
            {"document_id": id_, "oddity": round(float(odd[row]), 4), "text": text}
            for id_, row, text in zip(ids, rows, _excerpts(index, ids), strict=True)
        ]
    _show_scored(records, asked["format_"], name="outliers", score="oddity")
    ctx.exit(0 if records else NOTHING_FOUND)


def _show_scored(records: Sequence[dict[str, Any]], format_: str, *, name: str, score: str) -> None:
    show_records(
        records,
        format_,
        name=name,
        line=lambda r: f"{r[score]:.2f}  {r['document_id']}  {printable(r['text'])}",
        columns=("document_id", score, "text"),
    )


@click.command("dedupe")
@options.of_the_index
@options.conditions
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1, min_open=True),
    default=THRESHOLD,
    show_default=True,
    help="From this similarity on two documents say the same; 1: copies only.",
)
@click.option("--remove", is_flag=True, help="Remove from the index what need not be kept.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@options.output_format(options.ROW_FORMATS)
@click.pass_context
def dedupe_(
    ctx: click.Context,
    *,
    threshold: float,
    remove: bool,
    yes: bool,
    **asked: Unpack[Asked],
) -> None:
    """List documents that say the same, and which one to keep: the longest.

    Nothing is removed without --remove; files are never touched.
    """
    with opening.open_index(asked["db"], asked["model"]) as index:
        found = _found(index, asked)
        groups = comparison.duplicates(found.vectors, index.texts(found.ids), threshold=threshold)
        records = [
            {
                "keep": found.ids[group.keep],
                "others": [found.ids[row] for row in group.others],
                "similarities": [round(cosine, 4) for cosine in group.similarities],
                "exact": group.exact,
            }
            for group in groups
        ]
        show_records(
            records,
            asked["format_"],
            name="duplicates",
            line=_duplicate_line,
            columns=("keep", "others", "similarities", "exact"),
        )
        spare = [found.ids[row] for group in groups for row in group.others]
        note(f"{counted(len(spare), 'document')} more than needed", quiet=asked["quiet"])
        what = f"{counted(len(spare), 'document')}, {spare[0]!r} first" if spare else ""
        if what and remove and (yes or confirmed("remove", what)):
            note(f"{counted(index.remove(spare), 'document')} removed", quiet=asked["quiet"])
    ctx.exit(0 if records else NOTHING_FOUND)


def _duplicate_line(record: dict[str, Any]) -> str:
    pairs = zip(record["others"], record["similarities"], strict=True)
    return "\n".join([f"keep  {record['keep']}", *(f"{cos:.2f}  {id_}" for id_, cos in pairs)])


@click.command("sample")
@options.of_the_index
@options.conditions
@click.option("-k", type=click.IntRange(min=1), default=10, show_default=True, help="How many.")
@options.output_format(options.ROW_FORMATS)
@click.pass_context
def sample_(
    ctx: click.Context,
    *,
    k: int,
    **asked: Unpack[Asked],
) -> None:
    """List documents that differ from each other as much as they can; say how varied all are."""
    with opening.open_index(asked["db"], asked["model"]) as index:
        found = _found(index, asked)
        rows = comparison.diverse(found.vectors, min(k, len(found.ids))) if found.ids else []
        ids = [found.ids[row] for row in rows]
        records = [
            {"document_id": id_, "text": text}
            for id_, text in zip(ids, _excerpts(index, ids), strict=True)
        ]
    show_records(
        records,
        asked["format_"],
        name="documents",
        line=lambda r: f"{r['document_id']}  {printable(r['text'])}",
        columns=("document_id", "text"),
    )
    if records:
        whole = comparison.diversity(found.vectors)
        note(
            f"of {counted(whole.texts, 'document')}, as varied as {whole.kinds:.1f} that have"
            f" nothing in common; mean dissimilarity {whole.dissimilarity:.2f}",
            quiet=asked["quiet"],
        )
    ctx.exit(0 if records else NOTHING_FOUND)


@click.command("recommend")
@options.of_the_index
@click.option("--like", metavar="ID", multiple=True, required=True, help="More like this one.")
@click.option("--unlike", metavar="ID", multiple=True, help="Less like this one.")
@options.conditions
@click.option("-k", type=click.IntRange(min=1), default=10, show_default=True, help="How many.")
@options.output_format(options.ROW_FORMATS)
@click.pass_context
def recommend_(
    ctx: click.Context,
    *,
    like: tuple[str, ...],
    unlike: tuple[str, ...],
    k: int,
    **asked: Unpack[Asked],
) -> None:
    """List documents that are like some and unlike others."""
    with opening.open_index(asked["db"], asked["model"]) as index:
        all_ = index.document_vectors()
        row = {id_: n for n, id_ in enumerate(all_.ids)}
        named = [document_id(index, id_) for id_ in (*like, *unlike)]
        index.texts(named)  # raises for what is not there
        if missing := [id_ for id_ in named if id_ not in row]:
            raise ValueError(f"{missing[0]!r} is not embedded yet: run embedsearch index")
        rows = [row[id_] for id_ in named]
        vector = comparison.wanted(all_.vectors[rows[: len(like)]], all_.vectors[rows[len(like) :]])
        hits = index.search_vector(
            vector, k + len(named), where=asked["where"], glob=asked["glob"], group_by="document"
        )
        records = [
            {
                "document_id": hit.document_id,
                "score": round(hit.score, 4),
                "text": " ".join(hit.text.split())[:EXCERPT],
            }
            for hit in hits
            if hit.document_id not in named
        ][:k]
    _show_scored(records, asked["format_"], name="documents", score="score")
    ctx.exit(0 if records else NOTHING_FOUND)


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
    quiet: bool,
    near: float,
    format_: str,
) -> None:
    """Compare two texts, or two sets of documents: what is new in B, gone from A, how far apart.

    A set is a folder of the index, a glob with '*' in it, a condition on metadata as year=2024, or
    another index by its folder. A document is named by its id or path; all else is a text.
    """
    del quiet
    with opening.open_index(db, model) as index:
        if _is_set(index, one) != _is_set(index, other):
            raise click.UsageError("compare two texts or two sets, not one with the other")
        if _is_set(index, one):
            record = _sets(index, one, other, near)
        else:
            a, b = index.embed([_text(index, one), _text(index, other)])
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
    return (Path(name) / "index.db").exists()


def _text(index: Index, name: str) -> str:
    id_ = document_id(index, name)
    return index.get(id_).text if id_ in index else name


def _members(index: Index, name: str) -> tuple[DocumentVectors, list[str]]:
    """Return the documents of a set, and their texts."""
    if _is_index(name):
        with opening.open_index(Path(name), None) as other:
            if other.space != index.space:
                raise ValueError(f"{name} holds vectors of {other.space!r}, not {index.space!r}")
            found = _vectors(other)
            return found, other.texts(found.ids)
    if any(sign in name for sign in "=<>"):
        found = _vectors(index, where=(name,))
    else:
        found = _vectors(index, glob=(name if "*" in name else _within(name),))
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


@click.command("map")
@options.of_the_index
@options.conditions
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True),
    required=True,
    help="The page to write; '-' is stdout.",
)
@click.option(
    "--method",
    type=click.Choice(["pca", "umap"]),
    default="pca",
    show_default=True,
    help="How dimensions are reduced to two.",
)
@click.option(
    "--by",
    metavar="KEY",
    default="cluster",
    show_default=True,
    help="What colours mean: cluster, label, predicted, or a key of the metadata.",
)
def map_(
    *,
    db: Path | None,
    model: str | None,
    quiet: bool,
    glob: tuple[str, ...],
    where: tuple[str, ...],
    output: str,
    method: Any,
    by: str,
) -> None:
    """Draw the documents as points on one HTML page: near is alike; hover, search, colour.

    The page holds everything it needs, and the first lines of each document.
    """
    with opening.open_index(db, model) as index:
        found = _vectors(index, where, glob)
        html = page(points(index, found, by=by, method=method), by=by)
    with click.open_file(output, "w", encoding="utf-8") as file:
        file.write(html)
    note(f"{counted(len(found.ids), 'document')} on {output}", quiet=quiet or output == "-")
