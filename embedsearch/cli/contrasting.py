"""``embedsearch compare``: two texts, or two sets of documents."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedsearch import compare as comparison
from embedsearch.cli import inputs, opening, options
from embedsearch.cli.comparing import embedded
from embedsearch.cli.differences import COLUMNS, rows, words
from embedsearch.cli.listing import show_records
from embedsearch.cli.places import document_id
from embedsearch.cli.terminal import note
from embedsearch.cli.unmet import without_vectors
from embedsearch.compare.drifting import NEAR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedsearch import Index
    from embedsearch.compare import Move, Odd
    from embedsearch.store.vectors import DocumentVectors

EXPLAINED = 1_000
"""Of so many documents, the most moved ones, it is told what changed: 1 s of work."""


def _named(_: click.Context, __: click.Parameter, name: str) -> str:
    """Return a name that is not empty: the path of nothing would be the current folder."""
    if not name:
        raise click.BadParameter("it is empty: say '.' for the current folder")
    return name


@click.command("compare")
@click.argument("one", metavar="A", callback=_named)
@click.argument("other", metavar="B", callback=_named)
@options.of_the_index
@click.option(
    "--near",
    type=options.Number(0, 1),
    default=NEAR,
    show_default=True,
    help="From this similarity on a document has a counterpart.",
)
@options.output_format(options.ROW_FORMATS)
def compare_(
    *,
    one: str,
    other: str,
    db: Path | None,
    model: str | None,
    near: float,
    format_: str,
) -> None:
    """Compare two texts, or two sets of documents: what is new in B, gone from A, and has drifted.

    A set is a folder of the index or one on disk that is in it, a glob with '*' in it, a condition
    on metadata as year=2024, or another index by its folder. What has the same id in both, else
    the same path within two folders, is one document, which may have drifted. A document is named
    by its id, a file by its path; all else is a text.
    """
    with ExitStack() as opened:
        index = opened.enter_context(opening.open_index(db, model))
        if _is_set(index, one) != _is_set(index, other):
            name = other if _is_set(index, one) else one
            raise click.UsageError(
                f"compare two texts or two sets, not one with the other: {name!r} is neither a"
                " folder that is in the index nor a glob, a condition or another index;"
                f" {inputs.AS_A_TEXT}"
            )
        if _is_set(index, one):
            before, after = (_side(index, name, opened) for name in (one, other))
            _show_sets(_sets(before, after, near), format_)
        else:
            _show_texts(index, [inputs.meant(index, name) for name in (one, other)], format_)


def _show_texts(index: Index, texts: Sequence[str], format_: str) -> None:
    a, b = index.embed(texts)
    show_records(
        [{"similarity": round(float(a @ b), 4)}],
        format_,
        name="comparison",
        line=lambda record: f"similarity {record['similarity']:.4f}",
        columns=("similarity",),
    )


def _show_sets(record: dict[str, Any], format_: str) -> None:
    by_document = format_ in {"jsonl", "csv"}
    show_records(
        list(rows(record)) if by_document else [record],
        format_,
        name="comparison",
        line=words,
        columns=COLUMNS,
    )


def _is_set(index: Index, name: str) -> bool:
    if document_id(index, name) in index or name[:1].isspace():
        return False
    return any(sign in name for sign in "*=<>") or _is_index(name) or bool(_paths(index, name))


def _paths(index: Index, folder: str) -> dict[str, str]:
    """Return the documents of a folder, one of the index or else one on disk: by id, their path."""
    start = f"{folder.strip('/ ')}/"
    if start != "/" and index.counts(glob=(_within(start),)).documents:
        held = index.documents(glob=(_within(start),))
        return {document.id: document.id.removeprefix(start) for document in held}
    place = inputs.there(folder)
    return index.ids_below(place) if place and place.is_dir() else {}


def _within(start: str) -> str:
    """Return the glob of all ids that start with a folder, its signs taken by themselves."""
    return "/" + re.sub(r"[][*?!\\]", r"\\\g<0>", start)


def _is_index(name: str) -> bool:
    return inputs.there(f"{name}/index.db") is not None


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two sets: its documents, the index that holds them, their paths in a folder."""

    name: str
    index: Index
    found: DocumentVectors
    paths: dict[str, str] = field(default_factory=dict)


def _side(index: Index, name: str, opened: ExitStack) -> _Side:
    """Return the set of a name; another index stays open as long as this one."""
    if _is_index(name):
        other = opened.enter_context(opening.open_index(Path(name), None))
        if other.space != index.space:
            raise ValueError(f"{name} holds vectors of {other.space!r}, not {index.space!r}")
        side = _Side(name, other, embedded(other))
    elif any(sign in name for sign in "=<>"):
        side = _Side(name, index, embedded(index, where=(name,)))
    elif "*" in name:
        side = _Side(name, index, embedded(index, glob=(name,)))
    else:
        paths = _paths(index, name)
        side = _Side(name, index, _in_folder(index, paths), paths)
    if not side.found.ids:
        raise ValueError(f"no document is in {name!r}; {inputs.AS_A_TEXT}")
    return side


def _in_folder(index: Index, paths: dict[str, str]) -> DocumentVectors:
    found = index.document_vectors(list(paths))
    if missing := len(paths) - len(found.ids):
        note(f"note: {without_vectors(missing, len(paths.keys() & set(index.blank())))}")
    return found


def _sets(one: _Side, other: _Side, near: float) -> dict[str, Any]:
    a, b = one.found, other.found
    pairs = _pairs(one, other)
    moved = comparison.drift(a.vectors, b.vectors, pairs=pairs, near=near)
    texts = [*one.index.texts(a.ids), *other.index.texts(b.ids)]
    changed = comparison.shifts(a.vectors, b.vectors, texts)
    return {
        "sets": [one.name, other.name],
        "documents": [len(a.ids), len(b.ids)],
        "in_both": len(pairs),
        "near": near,
        "similarity": round(moved.similarity, 4),
        "p_value": moved.p_value,
        "new": _without(b.ids, moved.new, moved.nearest_new),
        "gone": _without(a.ids, moved.gone, moved.nearest_gone),
        "drifted": [
            _drifted(one, other, move, explained=n < EXPLAINED)
            for n, move in enumerate(moved.moved)
        ],
        "clusters": [asdict(shift) | {"change": round(shift.change, 4)} for shift in changed],
    }


def _pairs(one: _Side, other: _Side) -> list[tuple[int, int]]:
    """Return what is one document on both sides: by id, of two folders then by the path within."""
    if not (one.paths and other.paths):
        return comparison.paired(one.found.ids, other.found.ids)
    both = {*one.found.ids} & {*other.found.ids}
    return comparison.paired(*(_known_by(side, both) for side in (one, other)))


def _known_by(side: _Side, both: set[str]) -> list[tuple[str, str]]:
    """Return what the documents of a folder are known by: their id if it is in both, or path."""
    return [("id", id_) if id_ in both else ("path", side.paths[id_]) for id_ in side.found.ids]


def _without(
    ids: Sequence[str], rows: Sequence[int], nearest: Sequence[float]
) -> list[dict[str, Any]]:
    return [
        {"document_id": ids[row], "nearest": round(cosine, 4)}
        for row, cosine in zip(rows, nearest, strict=True)
    ]


def _drifted(one: _Side, other: _Side, move: Move, *, explained: bool) -> dict[str, Any]:
    then, now = one.found.ids[move.before], other.found.ids[move.after]
    changed = comparison.Change(None, None)
    if explained:
        changed = comparison.change(one.index.passages(then), other.index.passages(now))
    return {
        "document_id": now,
        "before": then,
        "similarity": round(move.similarity, 4),
        "lost": _passage(changed.lost),
        "gained": _passage(changed.gained),
    }


def _passage(odd: Odd | None) -> dict[str, Any] | None:
    if odd is None:
        return None
    return {
        "text": odd.chunk.text,
        "lines": odd.lines,
        "start_line": odd.chunk.start_line,
        "end_line": odd.chunk.end_line,
        "nearest": round(odd.nearest, 4),
    }
