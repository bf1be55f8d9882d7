"""Words as FTS5 is to see them: of scripts that write no blanks between words, sign by sign.

FTS5's tokenizer takes a run of letters for a word, and such scripts write whole sentences as one
run. So a text goes to it with their signs apart, and a query asks for each two that follow each
other as a phrase: the bigrams of Lucene's CJKAnalyzer, for Korean too, whose words bear endings.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai and Lao, Burmese, Khmer
    "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"  # Korean
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Chinese
    "\U00020000-\U0003ffff\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff\uff66-\uff9f"  # Japanese: kana
)
_SIGN = re.compile(f"[{_UNSPACED}]")
_APART = re.compile(f"([{_UNSPACED}])")
_RUN = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")

_PAGE = """
    select id, text, words from texts where text is not null and id > ? order by id limit 1000
"""


def has_signs(text: str) -> bool:
    """Return whether a text has such signs; quick, as nearly all that is stored has none."""
    return not text.isascii() and _SIGN.search(text) is not None


def parted(text: str, *, by: str = " ") -> str:
    """Return a text with such signs apart."""
    return by.join(_APART.split(text)) if has_signs(text) else text


def words(text: str) -> str | None:
    """Return what FTS5 is to see of a text, ``None`` where that is the text itself."""
    return parted(text) if has_signs(text) else None


def terms(query: str) -> list[str]:
    """Return the words of a query, in order; of such scripts each two signs in a row."""
    return [term for run in _RUN.findall(query) for term in _terms(run)]


def _terms(run: str) -> list[str]:
    if not _SIGN.match(run):
        return [run]
    signs = [sign for sign in run if sign.isalnum()]  # marks are no words to FTS5
    return [a + b for a, b in pairwise(signs)] or signs


def renew(connection: sqlite3.Connection) -> None:
    """Make the words of all texts anew, and the index of them."""
    last = 0
    while rows := connection.execute(_PAGE, [last]).fetchall():
        changed = [(now, id) for id, text, was in rows if (now := words(text)) != was]
        connection.executemany("update texts set words = ? where id = ?", changed)
        last = rows[-1][0]
    connection.execute("insert into texts_fts (texts_fts) values ('rebuild')")
