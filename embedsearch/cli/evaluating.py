"""``embedsearch evaluate``: how good a classifier of these labels is."""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import click
import numpy as np

from embedsearch import evaluate
from embedsearch.cli import opening, options, outputs, progress, rows
from embedsearch.cli.figures import words, worst_first
from embedsearch.cli.listing import show_records
from embedsearch.cli.terminal import for_commands, note, show
from embedsearch.compare.duplication import THRESHOLD
from embedsearch.evaluate.evidence import left_out
from embedsearch.labelling.examples import examples
from embedsearch.labelling.grouping import group_of, groups_by
from embedsearch.readers.decoding import streamed
from embedsearch.replacing import replacing

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from io import BufferedReader

    from embedsearch import Index
    from embedsearch.evaluate import Evaluation, SeveralEvaluation

COLUMNS = ("label", "precision", "recall", "f1", "support", "predicted")


@click.command("evaluate")
@options.of_the_index
@click.option(
    "--labels",
    "file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="Texts with labels in a table, instead of those of the index; '-' is stdin.",
)
@click.option("--text-column", default="text", show_default=True, help="The texts in FILE.")
@click.option("--label-column", default="label", show_default=True, help="The labels in FILE.")
@options.group("a column of FILE, or a key of the metadata")
@options.from_
@options.conditions
@click.option("--folds", type=click.IntRange(min=2), default=5, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--threshold",
    type=options.Number(0, 1, min_open=True),
    default=THRESHOLD,
    show_default=True,
    help="From this cosine on texts are near duplicates, and never on both sides.",
)
@click.option("--no-curve", is_flag=True, help="No learning curve, which takes half of the time.")
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page with charts, too.",
)
@outputs.force
@options.output_format(options.ROW_FORMATS)
def evaluate_(
    *,
    db: Path | None,
    model: str | None,
    file: str | None,
    text_column: str,
    label_column: str,
    group: str | None,
    from_: str | None,
    glob: tuple[str, ...],
    where: tuple[str, ...],
    folds: int,
    seed: int,
    threshold: float,
    no_curve: bool,
    html: Path | None,
    force: bool,
    format_: str,
) -> None:
    """Say how good a classifier of these labels is at texts it has not learned from.

    Beside it stand what always saying the most frequent label would do, and what the labels'
    names alone would. No text is tested by a classifier that has learned from its near duplicate,
    or from another of its group; a text without one is a group of its own.
    Where texts have several labels, each label is measured by itself, without a learning curve.
    """
    if file and (glob or where):
        raise click.UsageError("--glob and --where are about the index, not about a file")
    if html:
        read = Path(file) if file else opening.database(db)
        outputs.claim_page(html, force=force, inputs=[read])
    given = _of_file(file, text_column, label_column, group, from_) if file else None
    with (
        _encoder(db, model, needed=not file) as encoder,
        warnings.catch_warnings(),
        progress.working("evaluating") as told,
    ):
        warnings.simplefilter("ignore")  # the same words are in the notes
        found = given or _of_index(encoder, group, where, glob)
        same: dict[str, Any] = {
            "embedder": encoder,
            "folds": folds,
            "seed": seed,
            "threshold": threshold,
            "progress": told,
        }
        measured: Evaluation | SeveralEvaluation
        if found.several:
            found = found.labelled()
            measured = evaluate.evaluate_several(**found.named(found.lists), **same)
        else:
            measured = evaluate.evaluate(**found.named(found.names), **same, curve=not no_curve)
    for said in (*found.notes, *measured.notes):
        note(said)
    if html:
        content = evaluate.page(measured, group=group).encode()
        with replacing(html) as page:
            page.write(content)
        note(f"the page is {html}")
    if format_ == "json":
        show(json.dumps(measured.to_dict() | {"grouped_by": group}, ensure_ascii=False))
    elif format_ == "text":
        show(words(measured))
    else:
        scores = [asdict(score) for score in worst_first(measured)]
        show_records(scores, format_, name="labels", line=str, columns=COLUMNS)


def _encoder(db: Path | None, model: str | None, *, needed: bool) -> AbstractContextManager[Index]:
    """Return the index, or where none is needed, and none there, the embedder alone."""
    if needed:
        return opening.open_index(db, model)
    return opening.open_without_making(db, model)


@dataclass(frozen=True, slots=True)
class _Given:
    """Texts with what each is labelled: a name, "" for none, or a list of names; and its group."""

    ids: list[str]
    texts: list[str]
    labels: list[str | list[str]]
    groups: list[str] | None
    vectors: Any = None
    notes: tuple[str, ...] = ()

    @property
    def several(self) -> bool:
        """Whether a text has several labels, or is said to have none."""
        return any(isinstance(label, list) and len(label) != 1 for label in self.labels)

    @property
    def lists(self) -> list[list[str]]:
        """The labels of each text."""
        return [label if isinstance(label, list) else [label] for label in self.labels]

    @property
    def names(self) -> list[str]:
        """The label of each text, where none has several."""
        return [name for (name,) in self.lists]

    def labelled(self) -> _Given:
        """Return the texts that have words and of which is said what they are, and tell of all."""
        named = np.array([all(map(str.strip, names)) for names in self.lists], np.bool_)
        spoken = np.array([bool(text.strip()) for text in self.texts], np.bool_)
        rows = np.flatnonzero(named & spoken).tolist()
        labels = [self.labels[row] for row in rows]
        count = sum(isinstance(label, list) and len(label) != 1 for label in labels)
        several = (
            f"{count:,} of {len(labels):,} texts do not have one label, so each label is measured"
            " by itself: a text may be told none or several, so fewer are told rightly"
        )
        return _Given(
            [self.ids[row] for row in rows],
            [self.texts[row] for row in rows],
            labels,
            [self.groups[row] for row in rows] if self.groups else None,
            None if self.vectors is None else self.vectors[rows],
            (*self.notes, *left_out(named, spoken), several),
        )

    def named(self, labels: list[str] | list[list[str]]) -> dict[str, Any]:
        """Return the arguments of an evaluation."""
        given = self.texts if self.vectors is None else self.vectors
        return {
            "given": given,
            "labels": labels,
            "texts": self.texts,
            "ids": self.ids,
            "groups": self.groups,
        }


def _of_index(
    index: Index, group: str | None, where: tuple[str, ...], glob: tuple[str, ...]
) -> _Given:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        found = examples(index, where=where, glob=glob)
    notes = tuple(for_commands(str(warning.message)) for warning in heard)
    labels: list[str | list[str]] = [list(own) for own in found.labels]
    groups = groups_by(index, group, found.ids)
    return _Given(found.ids, index.texts(found.ids), labels, groups, found.vectors, notes)


def _of_file(file: str, text: str, label: str, group: str | None, from_: str | None) -> _Given:
    with click.open_file(file, "rb") as opened:
        stream: IO[str] = streamed(cast("BufferedReader", opened))
        needed = {text, label, *([group] if group else ())}
        columns = rows.Columns(text, (label,), tuple(needed - {text, label}))
        ids: list[str] = []
        texts: list[str] = []
        labels: list[str | list[str]] = []
        groups: list[str] = []
        failed = []
        names: dict[str, Any] = {}
        for place, row in rows.read(file, stream, from_ or rows.format_of(file)):
            try:
                known = rows.as_object(row)
                if not needed <= names.keys():
                    names |= known  # in JSON each row has those it needs
                said, own = rows.words_in(known, text), _labels_in(known, label)
            except rows.RowError as error:
                failed.append(f"{file}:{place}: {error}")
                continue
            ids.append(f"{file}:{place}")
            texts.append(said)
            labels.append(own)
            groups.append(group_of(group and known.get(group), ids[-1]))
    if names:
        columns.check(names, "csv")
    return _Given(ids, texts, labels, groups if group else None, notes=tuple(failed))


def _labels_in(row: rows.Row, name: str) -> str | list[str]:
    """Return what a cell, a list of them in JSON, says that a text is."""
    value = row.get(name)
    if isinstance(value, list):
        return [str(_labels_in({name: each}, name)) for each in value]
    return str(value) if isinstance(value, bool) else rows.words_in(row, name)
