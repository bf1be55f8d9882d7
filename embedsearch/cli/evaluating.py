"""``embedsearch evaluate``: how good a classifier of these labels is."""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import click

from embedsearch import evaluate
from embedsearch.cli import opening, options, progress, rows
from embedsearch.cli.listing import show_records
from embedsearch.cli.terminal import note, show
from embedsearch.compare.duplication import THRESHOLD
from embedsearch.labelling.examples import examples, of_one_label
from embedsearch.readers.decoding import streamed

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from io import BufferedReader

    from embedsearch import Index
    from embedsearch.evaluate import Evaluation
    from embedsearch.evaluate.learning import LearningCurve
    from embedsearch.evaluate.scores import Estimate, LabelScore

LABELS = 50
"""How many labels are printed, the worst of more."""

COLUMNS = ("label", "precision", "recall", "f1", "support", "predicted")

WORST = 10
"""How many confused pairs and needs are printed."""


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
@options.from_
@options.conditions
@click.option("--folds", type=click.IntRange(min=2), default=5, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1, min_open=True),
    default=THRESHOLD,
    show_default=True,
    help="From this cosine on texts are near duplicates, and never on both sides.",
)
@click.option("--no-curve", is_flag=True, help="No learning curve, which takes most of the time.")
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page with charts, too.",
)
@options.output_format(options.ROW_FORMATS)
def evaluate_(
    *,
    db: Path | None,
    model: str | None,
    file: str | None,
    text_column: str,
    label_column: str,
    from_: str | None,
    glob: tuple[str, ...],
    where: tuple[str, ...],
    folds: int,
    seed: int,
    threshold: float,
    no_curve: bool,
    html: Path | None,
    format_: str,
) -> None:
    """Say how good a classifier of these labels is at texts it has not learned from.

    Beside it stand what always saying the most frequent label would do, and what the labels'
    names alone would. No text is tested by a classifier that has learned from its near duplicate.
    """
    if file and (glob or where):
        raise click.UsageError("--glob and --where are about the index, not about a file")
    given = _of_file(file, text_column, label_column, from_) if file else None
    with (
        _encoder(db, model, needed=not file) as encoder,
        warnings.catch_warnings(),
        progress.working("evaluating") as told,
    ):
        warnings.simplefilter("ignore")  # the same words are in the notes
        found = given or _of_index(encoder, where, glob)
        measured = evaluate.evaluate(
            found.texts if found.vectors is None else found.vectors,
            found.labels,
            texts=found.texts,
            ids=found.ids,
            embedder=encoder,
            folds=folds,
            seed=seed,
            threshold=threshold,
            curve=not no_curve,
            progress=told,
        )
    for words in (*found.notes, *measured.notes):
        note(words)
    if html:
        html.write_text(evaluate.page(measured), encoding="utf-8")
        note(f"the page is {html}")
    if format_ == "json":
        show(json.dumps(measured.to_dict(), ensure_ascii=False))
    elif format_ == "text":
        show(_text(measured))
    else:
        scores = [asdict(score) for score in _worst_first(measured)]
        show_records(scores, format_, name="labels", line=str, columns=COLUMNS)


def _encoder(db: Path | None, model: str | None, *, needed: bool) -> AbstractContextManager[Index]:
    """Return the index, or where none is needed, and none there, the embedder alone."""
    if needed:
        return opening.open_index(db, model)
    return opening.open_without_making(db, model)


@dataclass(frozen=True, slots=True)
class _Given:
    ids: list[str]
    texts: list[str]
    labels: list[str]
    vectors: Any = None
    notes: tuple[str, ...] = ()


def _of_index(index: Index, where: tuple[str, ...], glob: tuple[str, ...]) -> _Given:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        found = of_one_label(examples(index, where=where, glob=glob))
    notes = tuple(str(warning.message) for warning in heard)
    return _Given(found.ids, index.texts(found.ids), list(map(str, found.y)), found.vectors, notes)


def _of_file(file: str, text: str, label: str, from_: str | None) -> _Given:
    with click.open_file(file, "rb") as opened:
        stream: IO[str] = streamed(cast("BufferedReader", opened))
        columns = rows.Columns(text, (label,))
        ids, texts, labels, failed = [], [], [], []
        checked = False
        for place, row in rows.read(file, stream, from_ or rows.format_of(file)):
            try:
                known = rows.as_object(row)
                if not checked:
                    columns.check(known, "csv")
                    checked = True
                words = rows.words_in(known, text)
                is_bool = isinstance(known.get(label), bool)
                name = str(known[label]) if is_bool else rows.words_in(known, label)
            except rows.RowError as error:
                failed.append(f"{file}:{place}: {error}")
                continue
            ids.append(f"{file}:{place}")
            texts.append(words)
            labels.append(name)
    return _Given(ids, texts, labels, notes=tuple(failed))


def _text(measured: Evaluation) -> str:
    parts = [_figures(measured)]
    if measured.calibration_error is not None:
        parts.append(
            _table(
                "surest     right   confidence",
                [
                    f"{row.coverage:6.0%}   {row.accuracy:7.1%}   {row.confidence:.3f} or more"
                    for row in measured.coverage
                ],
            )
        )
        parts[-1] += f"\n\nexpected calibration error {measured.calibration_error:.3f}"
    parts.append(
        _table(
            "   F1   precision   recall   texts   label",
            _first(
                LABELS,
                [
                    f"{s.f1:5.2f}   {s.precision:9.2f}   {s.recall:6.2f}   {s.support:5,}"
                    f"   {s.label}"
                    for s in _worst_first(measured)
                ],
            ),
        )
    )
    if measured.confused:
        parts.append(
            _table(
                "texts   label taken for another",
                _first(
                    WORST,
                    [
                        f"{pair.count:5,}   {pair.label} -> {pair.predicted}"
                        for pair in measured.confused
                    ],
                ),
            )
        )
    if measured.curve:
        parts.append(_forecast(measured.curve))
    return "\n\n".join(parts)


def _worst_first(measured: Evaluation) -> list[LabelScore]:
    return sorted(measured.labels, key=lambda score: score.f1)


def _first(most: int, lines: list[str]) -> list[str]:
    """Return the first lines, and how many more there are."""
    if len(lines) <= most:
        return lines
    return [*lines[:most], f"... and {len(lines) - most:,} more: --format json or --html FILE"]


def _figures(measured: Evaluation) -> str:
    head = (
        f"{measured.texts:,} texts, {len(measured.labels):,} labels, {measured.folds} folds over"
        f" {measured.groups:,} groups"
    )
    lines = [
        f"{head}\n",
        f"{'':20}   accuracy              macro F1",
        _line(measured.estimator, measured.accuracy, measured.macro_f1),
    ]
    for rival in reversed(measured.baselines):
        gain = f"{_range(rival.gain).rstrip()} points won"
        lines.append(f"{_line(rival.name, rival.accuracy, rival.macro_f1)}   {gain}")
    return "\n".join(lines)


def _line(name: str, accuracy: Estimate, macro: Estimate) -> str:
    return f"{name:20}   {_range(accuracy)}   {_range(macro)}"


def _range(measure: Estimate) -> str:
    value, low, high = (
        f"{100 * share:.1f}" for share in (measure.value, measure.low, measure.high)
    )
    return f"{value:>5} ({low} to {high})".ljust(20)


def _table(head: str, lines: list[str]) -> str:
    return "\n".join([head, *lines])


def _forecast(curve: LearningCurve) -> str:
    lines = [
        f"{n:8,}   {accuracy:8.1%}"
        for n, accuracy in zip(curve.examples, curve.accuracies, strict=True)
    ]
    lines += [f"{n:8,}   {accuracy:8.1%}   expected" for n, accuracy in curve.forecast]
    if not curve.forecast:
        lines.append("more examples have not helped so far: nothing can be foretold")
    lines += _first(
        WORST,
        [
            f"about {need.more:,} more of {need.label} would help: recall"
            f" {need.recall:.0%} -> {need.recall_then:.0%}"
            for need in curve.needs
            if need.more
        ],
    )
    return _table("examples   accuracy", lines)
