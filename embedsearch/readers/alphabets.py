"""Which code page of Latin letters a text is in, told by the letters that languages write.

charset-normalizer tells scripts apart, but not these: of 31 passages in nine Western languages it
took 12 for Central European, Baltic or Chinese ones. By their letters all of them are told.
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

LATIN = re.compile(
    r"cp125[02478]|cp437|cp85[0278]|cp775|latin_1|iso8859_(?:[123459]|1[03456])|mac_\w+"
)
"""The names of encodings of Latin letters: as likely as not it is another of them."""

MOST_FOREIGN = 0.1
"""The share of signs that may be foreign to a language: names, and what is quoted."""


def code_page(sample: bytes) -> str | None:
    """Return the code page in which a text holds the fewest signs that its language lacks.

    Of several the likeliest; ``None`` where none is near.
    """
    best, least = None, MOST_FOREIGN
    for page, languages in _PAGES.items():
        signs = Counter(sign for sign in sample.decode(page, "replace") if not sign.isascii())
        for letters in languages:
            own = sum(signs[sign] for sign in {*letters, *letters.upper(), *_SIGNS})
            foreign = 1 - own / max(signs.total(), 1)
            if foreign < least:
                best, least = page, foreign
    return best


def has_signs_alone(sample: bytes) -> bool:
    """Say whether a text is ASCII but for signs as ``°`` and dashes, which look like katakana."""
    return all(sign.isascii() or sign in _SIGNS for sign in {*sample.decode("cp1252", "replace")})
