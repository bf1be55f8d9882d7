"""``embedsearch tokens``: count tokens, show them, and say what they cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from embedsearch import tokens
from embedsearch.cli import options
from embedsearch.cli.inputs import text_of
from embedsearch.cli.listing import as_json
from embedsearch.cli.terminal import CONTROLS, counted, show, show_all
from embedsearch.tokens.models import AS_OF, MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from embedsearch.tokens import Model, Piece

DEFAULT_ENCODING = "o200k_base"
"""The encoding of OpenAI's newer models."""

_VISIBLE = {
    **{sign: f"\\x{sign:02x}" if sign < 256 else f"\\u{sign:04x}" for sign in CONTROLS},
    **str.maketrans({"\n": "\\n", "\r": "\\r", "\t": "\\t", "|": "\\|"}),
}


@dataclass(frozen=True, slots=True)
class Count:
    """How many tokens a text has, and which."""

    text: str
    encoding: str
    tokens: int
    model: Model | None
    pieces: Sequence[Piece] = ()


@click.command("tokens")
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
@click.option("--text", help="Count this text instead of a file.")
@click.option("--show", "show_pieces", is_flag=True, help="Print every token and its id.")
@click.option(
    "-m",
    "--model",
    "for_model",
    metavar="NAME",
    help="A model of OpenAI's: its encoding and price.",
)
@click.option(
    "--encoding", metavar="NAME", help=f"cl100k_base or o200k_base.  [default: {DEFAULT_ENCODING}]"
)
@click.option("--models", "lists", is_flag=True, help="List the models that are known, and prices.")
@options.output_format(options.PLAIN_FORMATS)
def tokens_(
    *,
    file: str | None,
    text: str | None,
    show_pieces: bool,
    for_model: str | None,
    encoding: str | None,
    lists: bool,
    format_: str,
) -> None:
    """Count the tokens of FILE ('-' is stdin) or of a text, exactly and offline."""
    if [file is not None, text is not None, lists].count(True) != 1:
        raise click.UsageError("name a FILE, '-' for stdin, or give --text, or --models")
    if lists:
        if for_model or encoding or show_pieces:
            raise click.UsageError("--models goes without --model, --encoding and --show")
        _list_models(format_)
        return
    content = text if text is not None else text_of(str(file))
    model = tokens.model(for_model) if for_model else None
    if model and encoding not in {None, model.encoding}:
        raise click.UsageError(f"{model.name} counts in {model.encoding}: leave out --encoding")
    name = encoding or (model.encoding if model else DEFAULT_ENCODING)
    tokenizer = tokens.encoding(name)
    pieces = tokenizer.pieces(content) if show_pieces else []
    total = len(pieces) if show_pieces else tokenizer.count([content])[0]
    count = Count(content, name, total, model, pieces)
    if format_ == "json":
        show(as_json(_as_dict(count)))
        return
    for line in _lines(count):
        click.echo(line)


def _list_models(format_: str) -> None:
    if format_ == "json":
        show(as_json({"as_of": AS_OF, "models": [asdict(model) for model in MODELS.values()]}))
    else:
        show_all(f"{model.name:<24}{', '.join(_facts(model))}" for model in MODELS.values())


def _facts(model: Model) -> Iterator[str]:
    yield model.encoding
    if model.context:
        yield f"{counted(model.context, 'token')} of context"
    if model.input_price is None:
        yield "price not known"
    else:
        out = "" if model.output_price is None else f", ${model.output_price:.2f} out"
        yield f"${model.input_price:.2f} in{out} per million"


def _as_dict(count: Count) -> dict[str, Any]:
    record: dict[str, Any] = {
        "tokens": count.tokens,
        "characters": len(count.text),
        "encoding": count.encoding,
    }
    if count.model:
        cost = count.model.cost(count.tokens)
        record["model"] = {**asdict(count.model), "as_of": AS_OF, "cost": cost}
    if count.pieces:
        record["pieces"] = [asdict(piece) for piece in count.pieces]
    return record


def _lines(count: Count) -> Iterator[str]:
    if count.pieces:
        yield _drawn(count.pieces)
        yield " ".join(str(piece.id) for piece in count.pieces)
    characters = counted(len(count.text), "character")
    yield f"{counted(count.tokens, 'token')}, {characters} ({count.encoding})"
    if count.model:
        yield f"{count.model.name}: {', '.join(_costs(count.model, count.tokens))}"


def _drawn(pieces: Sequence[Piece]) -> str:
    """Part the tokens by bars, and by colours where there are any."""
    shown = (piece.text.translate(_VISIBLE) for piece in pieces)
    return "|".join(
        click.style(text, fg=("green", "yellow")[n % 2]) for n, text in enumerate(shown)
    )


def _costs(model: Model, count: int) -> Iterator[str]:
    from embedsearch.cli.spending import dollars  # which a count alone need not wait for

    if model.context:
        yield f"{count / model.context:.2%} of {model.context:,} tokens of context"
    cost = model.cost(count)
    if cost is None:
        yield "price not known"
    else:
        yield f"{dollars(cost)} as input (prices as of {AS_OF})"
