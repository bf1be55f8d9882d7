"""Relevance: whether what a search found may hold an answer, or is only what comes nearest.

What a cosine means depends on the model, so it is held against the question's cosines with passages
drawn from all of the index, most of which have nothing to do with it: from there to 1 it counts as
0 to 1. To that comes the share of the best BM25 score that the passage's words have.

Measured on xquad (263 passages), medline (1,422), cisi (1,598) and limit-small (46): how many of a
set's own questions pass (906 in all), and how many of those to the other sets, and of 60 about
anything, are refused, both in percent. A dash is 100. ``floors`` are scores of the packaged model
that were measured for it before, 0.25 by meaning or 0.3 by both.

=================  ========  ========  ========  ===========
model              xquad     medline   cisi      limit-small
=================  ========  ========  ========  ===========
packaged, floors   -    55   -    73   -    54   -    94
packaged           -    56   -    81   -    68   -    97
WordLlama          -    46   -    77   -    68   -    91
USE multilingual   -    70   -    84   98.7 82   -    100
e5-small, 4 bits   -    55   -    92   -    77   -    99
=================  ========  ========  ========  ===========

The numbers below were chosen on the first three models. e5's medline and cisi were held out: with
a ``BAR`` of 0.12, 100 and 97.4 % of their own questions passed, and 94 and 80 % of the others were
refused; as that was two of cisi's 76, it was lowered. ``BAR_OF_MEANING`` was chosen on 24 German
questions to xquad, of which the two multilingual models have 22 and 23 pass, 9 and 12 without it.
Of folders with 100, 20 and 5 documents of xquad 99.6 % and more of the
questions pass with each model; of medline's and cisi's, whose relevant documents seldom hold the
answer by themselves, 98 to 100 %, 93 to 100 % and 86 to 100 %. Of the others at least 49 %, 54 %
and 67 % are refused; of those to documents that were left out, 0 to 32 %, 1 to 88 % and 10 to 90 %.
"""

from __future__ import annotations

import re
from math import log, sqrt
from typing import TYPE_CHECKING

import numpy as np

from embedsearch import arguments
from embedsearch.errors import DocumentNotFound
from embedsearch.store.fulltext import STOP_WORDS, terms
from embedsearch.store.words import terms as words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from embedsearch.index import Index
    from embedsearch.records import Explanation, Hit
    from embedsearch.search.ranking import Mode
    from embedsearch.store.filters import Where

SAMPLE = 1_000
"""How many passages are drawn."""

FEWEST = 5
"""With fewer passages there is nothing to hold a cosine against: it is taken as it is."""

UNRELATED = 0.05
"""The share of the drawn passages that are surely unrelated, as the farthest ones."""

BAR, BAR_OF_MEANING = 0.115, 0.07
"""What the best passage must have by meaning and words, over the square root of 2 ln n.

So grows the best of n that mean nothing to the question. The lower one is for a question that may
be in another language: of its words, ``UNSPOKEN`` or more and most of all are in no hit.
"""

UNSPOKEN = 3

THE = re.compile(r"\bthe\b", re.IGNORECASE)
"""Tells that hits are in English: then the stop words of an English question are theirs, too."""

MOST_WAITING = 0.2
"""The share of passages not embedded yet up to which is judged by the others, and by words: a text
that a provider refuses waits for ever."""

LEAST_ROOM = 0.01
"""A model for which all is alike is not to be believed where it finds tiny differences."""


def judged(
    index: Index,
    question: str,
    hits: Sequence[Hit],
    *,
    mode: Mode,
    where: Where = None,
    glob: Sequence[str] = (),
) -> bool | None:
    """Say whether what a search found, best first, may hold an answer, whatever the embedder.

    It may if one passage has all words of the question, stop words left out, or is near enough by
    meaning and words together. ``None`` by words alone, while more than a fifth of the passages
    wait to be embedded, and where a hit's document was removed meanwhile. Conditions don't matter
    to what is near.

    Raises what ``index.search`` does.
    """
    if not hits or arguments.mode(mode) == "lexical" or _is_waiting(index):
        return None
    near = [*hits, *index.search(question, 1, mode="dense", where=where, glob=glob)]
    try:
        found = index.explain(question, near)
    except DocumentNotFound:
        return None
    if _has_all_words(question, found):
        return True
    drawn = index.cosines(question, most=SAMPLE)
    bar = BAR_OF_MEANING if _is_foreign(question, near, found) else BAR
    return _best(found, drawn) >= bar * sqrt(2 * log(max(2, len(drawn))))


def _is_waiting(index: Index) -> bool:
    waiting = index.pending().texts
    return waiting > 0 and waiting > MOST_WAITING * index.counts().texts


def _has_all_words(question: str, found: Sequence[Explanation]) -> bool:
    """Tell whether one passage has all words of a question that say something."""
    if STOP_WORDS.issuperset(terms(question)):
        return False
    return any(all(each.terms.values()) for each in found)


def _best(found: Sequence[Explanation], drawn: NDArray[np.float32]) -> float:
    """Return the most that a passage has by meaning and words together, each from 0 to 1."""
    far = float(np.quantile(drawn, UNRELATED)) if len(drawn) >= FEWEST else 0.0
    room = max(1 - far, LEAST_ROOM)
    cosines = [far if each.meaning is None else each.meaning for each in found]
    return max(
        (cosine - far) / room + each.words for cosine, each in zip(cosines, found, strict=True)
    )


def _is_foreign(question: str, hits: Sequence[Hit], found: Sequence[Explanation]) -> bool:
    """Tell whether a question may be in another language than the passages."""
    asked = terms(question).keys()
    english = STOP_WORDS.intersection(word.lower() for word in words(question))
    missing = {word for word in asked if not any(each.terms[word] for each in found)}
    if not any(THE.search(hit.text) for hit in hits):
        missing |= english
    return len(missing) >= UNSPOKEN and len(missing) > len(asked | english) * 2 / 3
