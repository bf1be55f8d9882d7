"""Bytes to text: never raises, and never yields a NUL or a lone surrogate."""

from __future__ import annotations

import codecs
import io
import re

from embedsearch.readers.alphabets import (
    LATIN,
    MOST_FOREIGN_OF_FEW,
    code_page,
    has_signs_alone,
    is_unlikely,
)

SAMPLE_BYTES = 64 * 1024
"""How much of a file that is not UTF-8 is looked at to find its encoding."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
MOST_ACCENTED = 0.15
"""The share of a text's letters that bear accents, at most, in languages of Latin letters."""

_ASCII = bytes(range(128))
_HEAD_BYTES = 8192
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\b\x1b"))
_SURROGATES = re.compile("[\ud800-\udfff]")


def decode(data: bytes, *, declared: str | None = None) -> str:
    """Decode by BOM, else as UTF-8, else as ``declared``, else by what the bytes look like.

    Bytes that fit nothing are read as Windows-1252, those it lacks as U+FFFD.
    """
    marked = _marked(data)
    if marked is not None:
        return clean(data.decode(marked, "replace"))
    # ISO-2022 texts are ASCII to look at: only their escapes give them away.
    order = (declared, "utf-8") if declared and b"\x1b" in data else ("utf-8", declared)
    for encoding in filter(None, order):
        text = _strictly(data, encoding)
        if text is not None:
            return clean(text)
    return clean(_guessed(data))


def streamed(stream: io.BufferedReader) -> io.TextIOWrapper:
    """Decode a stream as it is read, by its first part that is not ASCII.

    Of a pipe that is what has come so far. What turns out not to be UTF-8 later raises.
    """
    encoding = encoding_of(_telling(stream))
    return io.TextIOWrapper(stream, encoding, "strict" if encoding == "utf-8" else "replace")


def encoding_of(part: bytes) -> str:
    """Return the encoding that the first part of a text looks like."""
    return _marked(part) or ("utf-8" if _begins_utf8(part) else _likely(part) or "cp1252")


def _telling(stream: io.BufferedReader) -> bytes:
    if not stream.seekable():
        return stream.peek(SAMPLE_BYTES)
    part = stream.read(SAMPLE_BYTES)
    while part.isascii() and b"\0" not in part and part:
        part = stream.read(SAMPLE_BYTES)
    stream.seek(0)
    return part


def _begins_utf8(part: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(part)
    except UnicodeDecodeError:
        return False
    return True


def clean(text: str) -> str:
    """Put U+FFFD in place of each NUL and each lone surrogate, so that offsets stay."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = _SURROGATES.sub("\ufffd", text)
    return text


def looks_binary(data: bytes) -> bool:
    """Say whether NULs or other control characters near the start tell that this is no text."""
    head = data[:_HEAD_BYTES]
    if _marked(data) is not None:
        return False
    if b"\0" in head:
        return True
    controls = len(head) - len(head.translate(None, _CONTROLS))
    whole = head if len(head) < _HEAD_BYTES else head[:-4]
    return controls > 0.01 * len(head) and _strictly(whole, "utf-8") is None


def _marked(data: bytes) -> str | None:
    """Return the encoding that a BOM tells of, or the NULs of UTF-16."""
    return next((name for bom, name in _BOMS if data.startswith(bom)), None) or _wide(data)


def _wide(data: bytes) -> str | None:
    """Recognise UTF-16 without a BOM by its NULs: nearly all in every other place."""
    head = data[:_HEAD_BYTES]
    nuls = head.count(0)
    if not nuls or len(data) % 2 or len(head) < 4:
        return None
    even, odd = head[::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if odd > 0.4 * half and even < 0.01 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.01 * half:
        return "utf-16-be"
    return None


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (ValueError, LookupError):
        return None


def _guessed(data: bytes) -> str:
    likely = _likely(data)
    text = _strictly(data, likely) if likely else None
    return text if text is not None else data.decode("cp1252", "replace")


def _likely(data: bytes) -> str | None:
    from charset_normalizer import from_bytes

    sample = _sample(data)
    if has_signs_alone(sample):
        return "cp1252"
    best = from_bytes(sample).best()
    likely = best.encoding if best else None
    beyond_ascii = len(sample.translate(None, _ASCII)) / len(sample)
    if likely is None or LATIN.fullmatch(likely):
        return code_page(sample, most_of_few=MOST_FOREIGN_OF_FEW) or likely
    if beyond_ascii < MOST_ACCENTED:
        return code_page(sample) or likely
    if is_unlikely(sample, likely):
        return code_page(sample, old=False) or likely
    return likely


def _sample(data: bytes) -> bytes:
    """Cut the sample around the first byte that is not ASCII: before it there is nothing to see."""
    first = re.search(rb"[\x80-\xff]", data)
    start = max(0, first.start() - SAMPLE_BYTES // 8) if first else 0
    return data[start : start + SAMPLE_BYTES]
