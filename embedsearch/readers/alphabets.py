"""Which code page of Latin letters a text is in, told by the letters that languages write.

charset-normalizer tells scripts apart, but not these: of 31 passages in nine Western languages it
took 12 for Central European, Baltic or Chinese ones. By their letters all of them are told. Where a
sign stands tells old pages (cp850, Mac), in which letters lie where others have quotation marks.
"""

from __future__ import annotations

import re
from collections import Counter

_WESTERN = (
    "àâæçéèêëîïôœùûü",  # French
    "äöüßé",  # German
    "áéíñóúü",  # Spanish
    "àáâãçéêíóôõú",  # Portuguese
    "àèéìíîòóùú",  # Italian
    "åäöéàü",  # Swedish, Finnish
    "æøåéòôü",  # Danish, Norwegian
    "áéèëêïóöü",  # Dutch
    "áðéíóúýþæö",  # Icelandic
    "àçèéíïòóúü",  # Catalan
)
_CENTRAL = (
    "ąćęłńóśźż",  # Polish
    "áčďéěíňóřšťúůýž",  # Czech
    "áäčďéíĺľňóôŕšťúýž",  # Slovak
    "áéíóöőúüű",  # Hungarian
    "čćđšž",  # Slovene, Croatian
    "ăâîşţ",  # Romanian
)
_TURKISH = ("çğıİöşüâîû",)
_BALTIC = (
    "ąčęėįšųūž",  # Lithuanian
    "āčēģīķļņšūž",  # Latvian
    "äöõüšž",  # Estonian
)
_PAGES = {
    "cp1252": _WESTERN,
    "cp1250": _CENTRAL,
    "cp1254": _TURKISH,
    "cp1257": _BALTIC,
    "iso8859_2": _CENTRAL,
    "mac_roman": _WESTERN,
    "cp850": _WESTERN,
    "cp852": _CENTRAL,
}
"""The letters that languages write beside ASCII's, by code page, the likeliest first."""

_SIGNS = "\xa0¡£§«®°±´·»¿©×½€‘’“”„•…–—™"  # noqa: RUF001 -- they are meant
"""What all of them write besides letters."""

_JOINING = "\xa0±·´×’–—…"  # noqa: RUF001
"""Those of them that may stand between two letters; where another does, it is none."""

MOST_MISPLACED = 1 / 3
"""The share of a text's signs that may stand inside words, be it by a slip, and be signs still."""

_MISPLACED = "\ufffd"

LATIN = re.compile(
    r"cp125[02478]|cp437|cp85[0278]|cp775|latin_1|iso8859_(?:[123459]|1[03456])|mac_\w+"
)
"""The names of encodings of Latin letters: as likely as not it is another of them."""

MOST_FOREIGN = 0.1
"""The share of signs that may be foreign to a language: names, and what is quoted."""


def code_page(sample: bytes) -> str | None:
    """Return the code page in which a text holds the fewest signs that its language lacks.

    One that stands where it can't counts as lacking, too. Of several pages the likeliest; ``None``
    where none is near.
    """
    best, least = None, MOST_FOREIGN
    seen = _beyond_ascii(sample)
    for page, languages in _PAGES.items():
        signs = _placed(seen, page)
        for letters in languages:
            own = sum(signs[sign] for sign in {*letters, *letters.upper(), *_SIGNS})
            foreign = 1 - own / max(signs.total(), 1)
            if foreign < least:
                best, least = page, foreign
    return best


def has_signs_alone(sample: bytes) -> bool:
    """Say whether a text is ASCII but for signs as ``°`` and dashes, which look like katakana."""
    if not all(sign.isascii() or sign in _SIGNS for sign in {*sample.decode("cp1252", "replace")}):
        return False
    signs = _placed(_beyond_ascii(sample), "cp1252")
    return signs[_MISPLACED] <= MOST_MISPLACED * signs.total()


def _beyond_ascii(sample: bytes) -> Counter[bytes]:
    """Count the bytes that are not ASCII, each with the one before and the one after."""
    padded = b" %b " % sample
    places = (found.start() for found in re.finditer(rb"[\x80-\xff]", padded))
    return Counter(padded[at - 1 : at + 2] for at in places)


def _placed(seen: Counter[bytes], page: str) -> Counter[str]:
    """Count the signs that bytes are in a code page.

    Signs inside of words and capitals after small letters are none: letters of another page are.
    """
    signs: Counter[str] = Counter()
    for around, count in seen.items():
        before, sign, after = list(around.decode(page, "replace"))
        if sign in _SIGNS:
            misplaced = before.isalpha() and after.isalpha() and sign not in _JOINING
        else:
            misplaced = before.islower() and sign.isupper()
        signs[_MISPLACED if misplaced else sign] += count
    return signs
