"""``embedsearch train``, ``classify`` and ``suspects``."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from embedsearch import classify, labelling
from embedsearch.cli import inputs, opening, options, progress
from embedsearch.cli.errors import NOTHING_FOUND
from embedsearch.cli.listing import show_records
from embedsearch.cli.places import document_id
from embedsearch.cli.terminal import counted, note
from embedsearch.cli.unmet import left_out, say_what_is_unmet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from embedsearch import Index
    from embedsearch.records import Prediction

ESTIMATORS = {
    "few-shot": "FewShotClassifier",
    "knn": "KNNClassifier",
    "probe": "ProbeClassifier",
}

SHOWN = 20
"""How many labels are listed with their examples, as text."""


@click.command("train")
@options.of_the_index
@options.conditions
@click.option(
    "--with",
    "with_",
    type=click.Choice(sorted(ESTIMATORS)),
    help="Which classifier; else the one that is best for so many labels.",
)
@click.option(
    "--max-error",
    metavar="SHARE",
    type=options.Number(0, 1, min_open=True, max_open=True),
    help="Answer only as often as keeps wrong answers below this share of the answers: 0.05.",
)
@options.group("a key of the metadata")
@options.output_format(options.PLAIN_FORMATS)
def train_(
    *,
    db: Path | None,
    model: str | None,
    glob: tuple[str, ...],
    where: tuple[str, ...],
    with_: str | None,
    max_error: float | None,
    group: str | None,
    format_: str,
) -> None:
    """Train a classifier on the labels of the index, and keep it there as the newest version.

    How good it is, embedsearch evaluate tells.
    """
    with opening.open_index(db, model) as index, progress.working("training"):
        kind = getattr(classify, ESTIMATORS[with_]) if with_ else None
        about = labelling.train(
            index,
            kind(embedder=index) if kind else None,
            max_error=max_error,
            group=group,
            where=where,
            glob=glob,
        )
    show_records(
        [asdict(about)],
        format_,
        name="trained",
        line=_trained,
        columns=(),
    )


def _trained(row: dict[str, Any]) -> str:
    head = f"version {row['version']}: {row['estimator']}, {counted(len(row['labels']), 'label')}"
    frequent = sorted(row["labels"].items(), key=lambda item: (-item[1], item[0]))
    lines = [f"{count:>7,}  {label}" for label, count in frequent[:SHOWN]]
    if len(frequent) > SHOWN:
        lines.append(f"         ... and {len(frequent) - SHOWN:,} more (--json has all)")
    return "\n".join([head, *lines])


@click.command("classify")
@click.argument("words", metavar="[TEXT...|FILE|-]", nargs=-1)
@options.of_the_index
@options.conditions
@click.option("--all", "all_", is_flag=True, help="The documents of the index, and keep it there.")
@click.option("--version", "version", type=int, help="A classifier trained before the newest.")
@options.allow_secrets
@options.output_format(options.ROW_FORMATS)
@click.pass_context
def classify_(
    ctx: click.Context,
    *,
    words: tuple[str, ...],
    db: Path | None,
    model: str | None,
    glob: tuple[str, ...],
    where: tuple[str, ...],
    all_: bool,
    version: int | None,
    allow_secrets: bool,
    format_: str,
) -> None:
    """Say which label a text, a file, or each document of the index has, and why.

    The reason is the nearest labelled documents. '-' reads a text from stdin. A text unlike all
    labelled ones gets a label, too, and a mark, unless the classifier was trained with --max-error.
    Documents that were labelled are marked: the classifier knows them.
    """
    if words and all_:
        raise click.UsageError("give a text or a file, or say --all: not both")
    if not words and not all_:
        raise click.UsageError("give a text, a file or '-'; or say --all")
    if words and (glob or where):
        raise click.UsageError("--glob and --where are about documents: say --all")
    with opening.open_index(db, model) as index:
        if all_:
            said = labelling.classify_documents(index, where=where, glob=glob, version=version)
            missing = left_out(index, len(said), where, glob)
            if not said:
                say_what_is_unmet(index, where, glob)
        else:
            text = _text(index, words)
            said = labelling.classify_texts(
                index, [text], version=version, allow_secrets=allow_secrets
            )
            named = "" if words == ("-",) else document_id(index, " ".join(words))
            if named in index:
                said = [replace(prediction, document_id=named) for prediction in said]
        given = index.labels()
    show_records(
        [_record(prediction, given) for prediction in said],
        format_,
        name="predictions",
        line=_line if all_ else _reasoned,
        columns=("document_id", "labels", "probability", "version", "given", "unlike"),
        head="probability, label, document"
        if all_
        else "probability, label; below, the nearest that are labelled: cosine, label, document",
    )
    if all_:
        note("; ".join(filter(None, [f"{counted(len(said), 'document')} classified", missing])))
    ctx.exit(0 if said else NOTHING_FOUND)


def _text(index: Index, words: tuple[str, ...]) -> str:
    if words != ("-",):
        return inputs.meant(index, *words)
    text = inputs.text_of("-")
    if not text.strip():
        raise click.UsageError("the text is blank")
    return text


def _record(prediction: Prediction, given: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    return asdict(prediction) | {
        "probabilities": [round(probability, 4) for probability in prediction.probabilities],
        "probability": round(prediction.probability, 4),
        "given": list(given.get(prediction.document_id or "", ())),
    }


def _line(row: dict[str, Any]) -> str:
    # Where there is no answer, the probability is of the one that was withheld.
    sure = f"{row['probability']:.2f}" if row["labels"] else "   -"
    head = f"{sure}  {' | '.join(row['labels']) or '(none)'}"
    place = f"  {row['document_id']}" if row["document_id"] else ""
    given = f"  (labelled {' | '.join(row['given'])})" if row["given"] else ""
    unlike = "  (unlike all that is labelled)" if row["unlike"] else ""
    return f"{head}{place}{given}{unlike}"


def _reasoned(row: dict[str, Any]) -> str:
    return "\n".join([_line(row), *_reasons(row["reasons"])])


@click.command("suspects")
@options.of_the_index
@options.conditions
@options.group("a key of the metadata")
@options.output_format(options.ROW_FORMATS)
@click.pass_context
def suspects_(
    ctx: click.Context,
    *,
    db: Path | None,
    model: str | None,
    group: str | None,
    glob: tuple[str, ...],
    where: tuple[str, ...],
    format_: str,
) -> None:
    """List the documents whose label is probably wrong, with the neighbours that disagree.

    Where documents have several labels, one of them may be too much, or another missing.
    """
    with opening.open_index(db, model) as index, progress.working("judging"):
        said = labelling.suspicions(index, group=group, where=where, glob=glob)
    found = [asdict(document) for document in said.documents]
    show_records(
        found,
        format_,
        name="suspects",
        line=_suspicion,
        columns=("document_id", "label", "suggested", "probability", "suggested_probability"),
        head="document, its label (probability), a likelier one; below, near ones by cosine",
    )
    note(counted(len(found), "suspect"))
    if said.others:
        note(
            f"{counted(said.others, 'more label')} told otherwise by the examples, but less"
            " surely: embedsearch evaluate lists mistakes"
        )
    ctx.exit(0 if found else NOTHING_FOUND)


def _suspicion(row: dict[str, Any]) -> str:
    if row["label"] is None:
        said = f"{row['suggested']} is missing ({row['suggested_probability']:.2f})"
    elif row["suggested"] is None:
        said = f"{row['label']} is too much ({row['probability']:.2f})"
    else:
        said = (
            f"{row['label']} ({row['probability']:.2f}),"
            f" rather {row['suggested']} ({row['suggested_probability']:.2f})"
        )
    head = f"{row['document_id']}  {said}"
    return "\n".join([head, *_reasons(row["disagreeing"])])


def _reasons(reasons: Sequence[dict[str, Any]]) -> list[str]:
    return [
        f"      {r['similarity']:.2f}  {' | '.join(r['labels'])}  {r['document_id']}"
        for r in reasons
    ]
