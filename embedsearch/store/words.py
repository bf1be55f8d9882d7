"""Words as FTS5 is to see them, whose tokenizer takes a run of letters for a word.

Of scripts that write no blanks between words, a text goes to it sign by sign, and a query asks for
each two that follow each other as a phrase: the bigrams of Lucene's CJKAnalyzer, for Korean too,
whose words bear endings. Marks end a word for FTS5, so it is to see letters for those that are
vowels, as in Hindi, and accents for points, as in Hebrew. And what Unicode has taken in since 2012,
as many emoji, is all letters to it: next to a word it is to see a blank.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise, repeat
from typing import TYPE_CHECKING
from unicodedata import category, is_normalized, normalize

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai and Lao, Burmese, Khmer
    "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"  # Korean
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Chinese
    "\U00020000-\U0003ffff\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff\uff66-\uff9f"  # Japanese: kana
)
_MARKED = (
    "\u0300-\u036f\u1f71-\u1ffd"  # accents apart from their letters, Greek ones with two codes
    "\u0591-\u05c7\ufb1d-\ufb4e\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"  # Hebrew, Arabic
    "\u0711\u0730-\u074a\u0780-\u0dff\u0f00-\u0fff"  # Syriac; Thaana to Sinhala, Tibetan
)
_NEW = (
    "\u061c\u2066-\u2069\u20ba-\u20cf\u23f4-\u23ff\u2b4d-\u2bff"  # directions, currencies, arrows
    "\U0001f10d-\U0001f12f\U0001f16c-\U0001fbca"  # emoji
)
_UNUSUAL = "[^\0-\u02ff\u2000-\u2065\u206a-\u20b9\u20d0-\u23f3\u2400-\u2b4c\u0370-\u0590]"
"""Not European, of what is written at once."""

_SIGNS = f"([{_UNSPACED}]+)"
_MARK = f"[{_MARKED}]"
_FRESH = f"[{_NEW}]"
_GLUED = rf"(?<=[^\s{_NEW}])[{_NEW}]+|[{_NEW}]+(?=[^\s{_NEW}])"
_JOINER = "(?<=[\U000f0780-\U000f0fff])\u200d"

_DROPPED = "\u0301"
"""An accent, which FTS5 drops without ending a word."""

_PRIVATE = 0xF0000
"""Where a plane for private use begins, whose characters are letters to FTS5."""


def _marks(*blocks: range) -> list[int]:
    return [mark for block in blocks for mark in block if category(chr(mark)) in {"Mn", "Mc"}]


@cache
def _stand_ins() -> dict[int, int | str]:
    """Return what FTS5 is to see for a mark: texts leave out points, but not vowels."""
    vowels = _marks(range(0x780, 0xE00), range(0xF00, 0x1000))
    points = _marks(range(0x591, 0x74B), range(0x898, 0x900))
    return {vowel: _PRIVATE + vowel for vowel in vowels} | dict.fromkeys(points, _DROPPED)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern when it is first needed: each takes up to 2 ms, and few texts need any."""
    return re.compile(pattern)


_PAGE = """
    select id, text, words from texts where text is not null and id > ? order by id limit 1000
"""


def is_special(text: str) -> bool:
    """Return whether FTS5 may be to see other than a text; quick, as nearly all that is stored."""
    if text.isascii() or not _compiled(_UNUSUAL).search(text):
        return False
    return any(_compiled(special).search(text) for special in (_SIGNS, _MARK, _FRESH))


def parted(text: str, *, by: str = " ") -> str:
    """Return a text with its words as FTS5 takes them, sign for sign as ``signs`` has them."""
    if not is_special(text):
        return text
    if not is_normalized("NFC", text):
        text = "".join(normalize("NFC", sign) for sign in text)
    if _compiled(_MARK).search(text):
        text = _compiled(_JOINER).sub(_DROPPED, text.translate(_stand_ins()))
    if _compiled(_FRESH).search(text):
        text = _compiled(_GLUED).sub(lambda new: " " * len(new[0]), text)
    return _compiled(_SIGNS).sub(lambda run: f"{by}{by.join(run[0])}{by}", text)


def signs(text: str) -> Iterator[str]:
    """Yield what each sign of a ``parted`` text stands for; nothing for more than the first."""
    for sign in text:
        yield sign
        yield from repeat("", len(normalize("NFC", sign)) - 1)


def words(text: str) -> str | None:
    """Return what FTS5 is to see of a text, ``None`` where that is the text itself."""
    if not is_special(text):
        return None
    seen = parted(normalize("NFC", text))
    return None if seen == text else seen


def terms(query: str) -> list[str]:
    """Return the words of a query, in order; of scripts without blanks each two signs in a row."""
    runs = "".join(sign if _is_of_word(sign) else " " for sign in query).split()
    return [term for run in runs for term in ([run] if run.isascii() else _terms(run))]


def _is_of_word(sign: str) -> bool:
    """Whether FTS5 may take a sign for part of a word: marks, private and unknown ones, too."""
    return sign.isalnum() or sign == "\u200d" or category(sign) in {"Mn", "Mc", "Co", "Cn"}


def _terms(run: str) -> Iterator[str]:
    for place, part in enumerate(_compiled(_SIGNS).split(run)):
        letters = [sign for sign in part if sign.isalnum()]  # marks are no words to FTS5
        if place % 2:  # signs, which the pattern parts from what is beside them
            yield from [a + b for a, b in pairwise(letters)] or letters
        elif letters:
            yield part


def renew(connection: sqlite3.Connection) -> None:
    """Make the words of all texts anew, and the index of them."""
    rewrite(connection)
    rebuild(connection)


def rewrite(connection: sqlite3.Connection) -> bool:
    """Make the words of all texts anew, and return whether any were others."""
    last, total = 0, connection.total_changes
    while rows := connection.execute(_PAGE, [last]).fetchall():
        changed = [(now, id) for id, text, was in rows if (now := words(text)) != was]
        connection.executemany("update texts set words = ? where id = ?", changed)
        last = rows[-1][0]
    return connection.total_changes > total


def rebuild(connection: sqlite3.Connection) -> None:
    """Make the index of the words of all texts anew."""
    connection.execute("insert into texts_fts (texts_fts) values ('rebuild')")
