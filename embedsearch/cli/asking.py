"""``embedsearch ask``: an answer from the index's passages, with the sources it cites."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

import embedsearch
from embedsearch import answering, tokens
from embedsearch.answering import Answer
from embedsearch.cli import opening, options, snippets, sourced
from embedsearch.cli.errors import NOTHING_FOUND
from embedsearch.cli.searching import half_embedded
from embedsearch.cli.terminal import counted, draw, note, show
from embedsearch.cli.unmet import say_what_is_unmet
from embedsearch.errors import AuthenticationFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from embedsearch import Index
    from embedsearch.search.packing import Passage
    from embedsearch.search.ranking import Mode

KEY = "EMBEDSEARCH_CHAT_API_KEY"
"""The variable with the key of the chat's server, where it is not that of ``OPENAI_API_KEY``."""


@click.command("ask")
@click.argument("words", metavar="QUESTION...", nargs=-1, required=True)
@options.of_the_index
@options.of_a_chat
@options.mode
@click.option("-k", type=int, default=10, show_default=True, help="How many hits at most.")
@options.conditions
@click.option(
    "--min-score",
    type=options.Number(),
    help="Leave out hits below this score.  [default: judge whether the best may hold an answer]",
)
@click.option(
    "--budget",
    metavar="TOKENS",
    type=click.IntRange(min=1),
    default=answering.BUDGET,
    show_default=True,
    help="How much of the passages is sent at most.",
)
@options.output_format(options.ANSWER_FORMATS)
@click.pass_context
def ask_(
    ctx: click.Context,
    *,
    words: tuple[str, ...],
    db: Path | None,
    model: str | None,
    chat_model: str | None,
    chat_base_url: str | None,
    max_answer_tokens: int,
    allow_secrets: bool,
    show_prompt: bool,
    mode: Mode,
    k: int,
    glob: tuple[str, ...],
    where: tuple[str, ...],
    min_score: float | None,
    budget: int,
    format_: str,
) -> None:
    """Have a chat model answer from the passages that a search finds, and name those it cites.

    '-' reads the question from stdin. The exit code is 1, and nothing is sent, when no passage is
    relevant. --show-prompt prints what would be sent.
    """
    question = sys.stdin.read() if words == ("-",) else " ".join(words)
    if chat_model is None and not show_prompt:
        raise click.UsageError("say who shall answer: --chat-model, or $EMBEDSEARCH_CHAT_MODEL")
    with opening.open_index(db, model, asks=True) as index:
        passages = answering.relevant(
            index,
            question,
            k=k,
            mode=mode,
            where=where,
            glob=glob,
            budget=budget,
            min_score=min_score,
        )
        if not passages:
            nearest = index.search(question, 1, mode=mode, where=where, glob=glob)
            _refuse(index, question, format_, is_judged=bool(nearest))
            say_what_is_unmet(index, where, glob)
            if mode != "lexical" and format_ != "json":
                _say_what_is_pending(index, mode)
        elif show_prompt:
            chat = answering.messages(question, passages)
            _print_prompt(chat, chat_model or "", format_)
        else:
            with (
                _key_named(),
                embedsearch.Client(
                    api_key=os.environ.get(KEY), **options.said_of_a_client(chat_base_url)
                ) as client,
            ):
                answer = answering.answer(
                    index,
                    question,
                    client=client,
                    model=str(chat_model),
                    passages=passages,
                    max_tokens=max_answer_tokens,
                    allow_secrets=allow_secrets,
                )
                _print(index, question, answer, format_)
                if mode != "lexical" and format_ != "json":
                    _say_what_is_pending(index, mode)
    ctx.exit(0 if passages else NOTHING_FOUND)


@contextmanager
def _key_named() -> Iterator[None]:
    """Say which variables hold the key of the chat's server, where that is what is wrong."""
    try:
        yield
    except AuthenticationFailed as error:
        error.hint = f"the chat's key is {KEY}, else OPENAI_API_KEY"
        raise


def _refuse(index: Index, question: str, format_: str, *, is_judged: bool) -> None:
    if format_ == "json":
        show(sourced.as_json(question, Answer(()), set()))
        return
    here = index.counts()
    places = f"{counted(here.chunks, 'chunk')} of {counted(here.documents, 'document')}"
    note(f"nothing relevant was found among {places}, so nobody was asked")
    if is_judged:
        note("hint: embedsearch search shows what comes nearest, --min-score -1 takes it")


def _print_prompt(chat: list[dict[str, str]], model: str, format_: str) -> None:
    total = tokens.count_messages(chat, answering.counted_as(model))
    if format_ == "json":
        record = {"schema_version": 1, "messages": chat, "tokens": total}
        show(json.dumps(record, ensure_ascii=False, indent=2))
        return
    for message in chat:
        show(f"{message['role']}:\n{message['content']}\n")
    note(f"{counted(total, 'token')}; nobody was asked")


def _print(index: Index, question: str, answer: Answer, format_: str) -> None:
    with answer:
        if format_ == "json":
            for _ in answer:
                pass
        else:
            sourced.print_pieces(answer)
    cited = [hit for passage in answer.citations for hit in passage.hits]
    stale = index.stale(cited)
    if format_ == "json":
        show(sourced.as_json(question, answer, stale))
        return
    if answer.citations:
        show("")
    for passage in answer.citations:
        shown = _timed(
            index, passage, f"{question} {answering.claims(answer.text, passage.number)}"
        )
        draw(sourced.LINES[format_](shown, stale=passage.document_id in stale))
    for oddity in sourced.oddities(answer):
        note(f"note: {oddity}")


def _timed(index: Index, passage: Passage, words: str) -> Passage:
    """Give a passage of a recording the time of the line that has most of some words."""
    if passage.seconds is None:
        return passage
    (marked,) = index.highlighted(words, [passage.text], marks=snippets.MARKS)
    line = snippets.matching(snippets.lines(marked, passage.start_line))
    return replace(passage, seconds=index.said_at(passage.hits[0], line.number))


def _say_what_is_pending(index: Index, mode: Mode) -> None:
    if (pending := index.pending()).texts:
        note(f"note: {half_embedded(pending, mode)}")
