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
_OLD = ("mac_roman", "cp850", "cp852")

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

MOST_FOREIGN_OF_FEW = 0.34
"""The same of fewer than ``FEW`` Latin letters: of ``Bjørn Ångström`` each language lacks one."""

FEW = 10

TELLING = 4
"""Of fewer bytes beyond ASCII nothing is concluded, but that Latin letters are usual."""

_FOREIGN = re.compile(r"[A-Za-z]?[^\W\d_\x00-\u024f]+[A-Za-z]?")
"""A run of letters that are not Latin, with the Latin ones at its ends."""


def code_page(sample: bytes, *, most_of_few: float = MOST_FOREIGN, old: bool = True) -> str | None:
    """Return the code page in which a text holds the fewest signs that its language lacks.

    One that stands where it can't counts as lacking, too. Of several pages the likeliest; ``None``
    where none is near: of fewer than ``FEW`` signs up to ``most_of_few`` may be foreign. ``old``:
    whether it may be one from before Windows, in whose letters Japanese can be read.
    """
    seen = _beyond_ascii(sample)
    best, least = None, most_of_few if seen.total() < FEW else MOST_FOREIGN
    for page, languages in _PAGES.items():
        if page in _OLD and not old:
            continue
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


def is_unlikely(sample: bytes, encoding: str) -> bool:
    """Say whether a text can hardly be of another script, as an encoding would have it.

    It has too few bytes beyond ASCII, all letters in Windows-1252; or its ASCII letters would be
    none, as in EBCDIC and UTF-16; or at least half of the other script's runs would touch Latin
    letters, as Arabic ones would in ``Señor Muñoz``.
    """
    if "a".encode(encoding) != b"a":
        return True
    beyond = re.findall(rb"[\x80-\xff]", sample)
    if len(beyond) < TELLING and min(beyond) >= b"\xc0" and re.search(rb"[0-9A-Za-z]", sample):
        return True
    runs = _FOREIGN.findall(sample.decode(encoding, "replace"))
    mixed = sum(run[0].isascii() or run[-1].isascii() for run in runs)
    return bool(runs) and mixed >= len(runs) / 2


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
