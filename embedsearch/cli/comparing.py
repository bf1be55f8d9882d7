"""``cluster``, ``dedupe``, ``outliers``, ``sample`` and ``recommend``: lists of documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import click
import numpy as np

from embedsearch import compare as comparison
from embedsearch.cli import opening, options
from embedsearch.cli.errors import NOTHING_FOUND
from embedsearch.cli.listing import fitted, show_records
from embedsearch.cli.places import document_id
from embedsearch.cli.terminal import confirmed, counted, note
from embedsearch.cli.unmet import left_out, say_nothing_meets, say_what_is_unmet
from embedsearch.compare.duplication import THRESHOLD
from embedsearch.embedders import unread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from embedsearch import Index
    from embedsearch.store.vectors import DocumentVectors


class Asked(TypedDict):
    """What every command here takes: which documents of which index, and how to print."""

    db: Path | None
    model: str | None
    glob: tuple[str, ...]
    where: tuple[str, ...]
    format_: str


EXCERPT = 80
"""How many characters of a document are shown in a list."""


def _excerpts(index: Index, ids: Sequence[str]) -> list[str]:
    return list(map(_excerpt, index.texts(ids)))


def _excerpt(text: str) -> str:
    return " ".join(text.split())[:EXCERPT]


def _found(index: Index, asked: Asked) -> DocumentVectors:
    return embedded(index, asked["where"], asked["glob"])


def embedded(index: Index, where: Sequence[str] = (), glob: Sequence[str] = ()) -> DocumentVectors:
    """Return the vectors of the documents that are meant; say how many are missing, or why all."""
    found = index.document_vectors(where=where, glob=glob)
    if missing := left_out(index, len(found.ids), where, glob):
        note(f"note: {missing}")
    elif not found.ids:
        say_nothing_meets(index, where, glob)
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
        told = dict(zip(found.ids, texts, strict=True))
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
        line=lambda record: _cluster_line(record, told),
        columns=("cluster", "terms", "cohesion", "documents"),
        head="documents, mean cosine to their centre, terms; below, the most central ones",
    )
    note(f"{counted(len(records), 'cluster')} of {len(found.ids):,} documents")
    ctx.exit(0 if records else NOTHING_FOUND)


def _cluster_line(record: dict[str, Any], texts: Mapping[str, str]) -> str:
    head = f"{len(record['documents']):>5,}  {record['cohesion']:.2f}  {', '.join(record['terms'])}"
    typical = (fitted(f"{'':13}{id_}  {_excerpt(texts[id_])}") for id_ in record["representatives"])
    return "\n".join([head, *typical])


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
    head = "oddity (1 - mean cosine to the nearest others), document, how it begins"
    _show_scored(records, asked["format_"], name="outliers", score="oddity", head=head)
    ctx.exit(0 if records else NOTHING_FOUND)


def _show_scored(
    records: Sequence[dict[str, Any]], format_: str, *, name: str, score: str, head: str
) -> None:
    show_records(
        records,
        format_,
        name=name,
        line=lambda r: fitted(f"{r[score]:.2f}  {r['document_id']}  {r['text']}"),
        columns=("document_id", score, "text"),
        head=head,
    )


@click.command("dedupe")
@options.of_the_index
@options.conditions
@click.option(
    "--threshold",
    type=options.Number(0, 1, min_open=True),
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
        texts = index.texts(found.ids)
        blind = unread(index.embedder, texts)
        groups = comparison.duplicates(found.vectors, texts, threshold=threshold, unread=blind)
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
            head="the document to keep; below, cosines to it of what says the same",
        )
        spare = [found.ids[row] for group in groups for row in group.others]
        if blind.any():
            note(
                f"note: {counted(int(blind.sum()), 'document')} mostly in signs that"
                f" {index.embedder.name!r} can't read: of these only copies are listed"
            )
        note(f"{counted(len(spare), 'document')} more than needed")
        what = f"{counted(len(spare), 'document')}, {spare[0]!r} first" if spare else ""
        if what and remove and (yes or confirmed("remove", what)):
            note(f"{counted(index.remove(spare), 'document')} removed")
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
        line=lambda r: fitted(f"{r['document_id']}  {r['text']}"),
        columns=("document_id", "text"),
    )
    if records:
        whole = comparison.diversity(found.vectors)
        note(
            f"of {counted(whole.texts, 'document')}, as varied as {whole.kinds:.1f} that have"
            f" nothing in common; mean dissimilarity {whole.dissimilarity:.2f}",
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
        named = [document_id(index, id_) for id_ in (*like, *unlike)]
        if both := set(named[: len(like)]) & set(named[len(like) :]):
            raise ValueError(f"{min(both)!r} is named both as liked and as not: take one away")
        index.texts(named)  # raises for what is not there
        known = index.document_vectors(named)
        if missing := [id_ for id_ in named if id_ not in known.ids]:
            raise ValueError(f"{missing[0]!r} is not embedded yet: run embedsearch index")
        rows = [known.ids.index(id_) for id_ in named]
        liked, unliked = known.vectors[rows[: len(like)]], known.vectors[rows[len(like) :]]
        vector = comparison.wanted(liked, unliked)
        hits = index.search_vector(
            vector, k + len(named), where=asked["where"], glob=asked["glob"], group_by="document"
        )
        records = [
            {
                "document_id": hit.document_id,
                "score": round(hit.score, 4),
                "text": _excerpt(hit.text),
            }
            for hit in hits
            if hit.document_id not in named
        ][:k]
        if not hits:
            say_what_is_unmet(index, asked["where"], asked["glob"])
    head = "cosine to what is wanted, document, its passage"
    _show_scored(records, asked["format_"], name="documents", score="score", head=head)
    if not records:
        note("nothing but what was named")
    ctx.exit(0 if records else NOTHING_FOUND)
