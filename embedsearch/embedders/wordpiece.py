"""BERT's tokenizer, with a memory for words: exact, and many times faster than encoding anew.

BERT splits a text at white space before all else, so what lies between two blanks is encoded
alone. A text's tokens are looked up segment by segment; only unseen ones reach ``tokenizers``.
"""

from __future__ import annotations

import re
from functools import cached_property
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from embedsearch.embedders.pieces import Pieces
from embedsearch.embedders.units import IDEOGRAPHS
from embedsearch.embedders.unknown import share
from embedsearch.embedders.wordtable import WordTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray
    from tokenizers import Tokenizer as Encoder

Ends: TypeAlias = tuple[int, ...]

UNKNOWN = "[UNK]"
LONGEST_WORD = 100
"""BERT reads a longer word, normalised, as one [UNK]: all of it would be lost."""
MOST_EXPANDING = 4
"""How many characters one character can become when it is normalised."""
CUT = LONGEST_WORD // MOST_EXPANDING
LONGEST_KEPT = 64
"""Longer segments are looked up word by word each time."""
ASCII_WORD = re.compile(rf"[0-9A-Za-z]{{1,{LONGEST_WORD}}}|[^0-9A-Za-z]")
BLANKS = "\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""What BERT takes for blanks beside those of ASCII."""
IDEOGRAPHS_OR_REST = re.compile(f"[\u4e00-\u9fff]+|[^\u4e00-\u9fff{BLANKS}]+")
"""BERT reads each ideograph as a word of its own."""
SURROGATE = re.compile("[\ud800-\udfff]")


def read_tokenizer(vocabulary: str) -> Encoder:
    """Return BERT's uncased tokenizer over a vocabulary of one piece a line.

    It knows no special tokens by their text: a document that says ``[SEP]`` holds a word.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    ids = {piece: id_ for id_, piece in enumerate(vocabulary.splitlines())}
    encoder = Tokenizer(
        models.WordPiece(ids, unk_token=UNKNOWN, max_input_chars_per_word=LONGEST_WORD)
    )
    encoder.normalizer = normalizers.BertNormalizer(lowercase=True)
    encoder.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    encoder.post_processor = processors.BertProcessing(
        ("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"])
    )
    return encoder


def is_bert(definition: dict[str, Any]) -> bool:
    """Tell whether a ``tokenizer.json`` splits and cuts words as assumed here."""
    model, normalizer, pre_tokenizer = (
        definition.get(step) or {} for step in ("model", "normalizer", "pre_tokenizer")
    )
    return (
        model.get("type") == "WordPiece"
        and model.get("unk_token") == UNKNOWN
        and model.get("max_input_chars_per_word") == LONGEST_WORD
        and normalizer.get("type") == "BertNormalizer"
        and normalizer.get("clean_text") is True
        and normalizer.get("handle_chinese_chars") is True
        and pre_tokenizer.get("type") == "BertPreTokenizer"
    )


class WordPieceTokenizer:
    """A BERT tokenizer that remembers the words it has seen.

    On either side of a blank counts add up: ``seam`` tells the chunker so.

    Counts, ends and ids agree with BERT's own but for one thing: a word longer than BERT takes
    (100 characters once normalised) is cut into shorter ones, so that the model reads all of it.
    ``memory`` is how many segments, and how many words, are remembered: by default 50 MB of each
    at most. ``remake`` gets the same tokenizer in another process, where that is less than to
    send it.
    """

    seam = r"(?<=[ \t\n\r])(?s:.)|[ \t\n\r]"

    def __init__(
        self,
        name: str,
        encoder: Encoder,
        *,
        memory: int = 1 << 18,
        remake: Callable[[], WordPieceTokenizer] | None = None,
    ) -> None:
        self._name = name
        self._encoder = encoder
        self._memory = memory
        self._remake = remake
        self._unknown = encoder.token_to_id(UNKNOWN)
        self._segments: dict[str, Ends] = {}
        self._words: dict[str, Ends] = {}
        self._signs: dict[str, bool] = {}

    def __reduce__(self) -> tuple[Callable[..., WordPieceTokenizer], tuple[object, ...]]:
        """Travel to another process without the memory, which fills again there."""
        if self._remake:
            return self._remake, ()
        return WordPieceTokenizer, (self._name, self._encoder)

    def forget(self) -> None:
        """Let go of what was remembered: it comes back with the texts that need it."""
        self._segments, self._words = {}, {}
        self.__dict__.pop("_table", None)

    @cached_property
    def _pieces(self) -> Pieces:
        return Pieces.of(self._encoder)

    @cached_property
    def _table(self) -> WordTable:
        return WordTable(self._pieces, self._look_up)

    @property
    def name(self) -> str:
        """The vocabulary's name, as ``bert-base-uncased``."""
        return self._name

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text, [CLS] and [SEP] left out."""
        return [sum(map(len, self._look_up(_split(text)))) for text in texts]

    def ends(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        """Return, for each text, ascending, the character offset in it at which each token ends.

        What follows the last token belongs to it; a text without any token, such as blanks,
        has one end. Many small texts cost what one as long as all of them does.
        """
        # At a blank a text can be parted: so can a row of texts with blanks between them.
        ends = self._table.ends("\n".join(texts))
        starts = np.cumsum([0, *(len(text) + 1 for text in texts)])
        parts = np.split(ends, np.searchsorted(ends, starts[1:-1], side="right"))
        own = zip(parts, starts.tolist(), texts, strict=False)
        return [_to_the_end(part - start, text) for part, start, text in own]

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text between [CLS] and [SEP], nothing cut off."""
        return [self._ids(text) for text in texts]

    def unknown(self, texts: Sequence[str]) -> list[float]:
        """Return the share of each text's characters, without blanks, that BERT reads as [UNK]."""
        return [self._unknown_in(text) for text in texts]

    def _unknown_in(self, text: str) -> float:
        if all(map(self._knows, set(text))):
            return 0.0
        words = [word for segment in _split(text) for word, _ in self._cut(segment)]
        encoding = self._encoder.encode(words, is_pretokenized=True, add_special_tokens=False)
        return share(encoding, self._unknown, text)

    def _knows(self, sign: str) -> bool:
        """Tell whether a character spoils no word, be it its first or a later one."""
        if sign not in self._signs:
            read = self._encoder.encode(SURROGATE.sub("\ufffd", f"{sign} x{sign}")).ids
            self._signs[sign] = self._unknown not in read
        return self._signs[sign]

    def _ids(self, text: str) -> list[int]:
        segments = _split(text)
        if max(map(len, segments)) <= CUT:
            return self._encoder.encode(SURROGATE.sub("\ufffd", text)).ids
        words = [word for segment in segments for word, _ in self._cut(segment)]
        return self._encoder.encode(words, is_pretokenized=True).ids

    def _look_up(self, segments: list[str]) -> list[Ends]:
        known = self._segments
        unseen = set(segments).difference(known)
        if not unseen:
            return list(map(known.__getitem__, segments))
        learned = self._learn(unseen)
        self._segments = self._remember(known, learned)
        return [learned[text] if text in unseen else known[text] for text in segments]

    def _learn(self, segments: set[str]) -> dict[str, Ends]:
        cuts = {segment: self._cut(segment) for segment in segments}
        known = self._words
        unseen = {word for cut in cuts.values() for word, _ in cut}.difference(known)
        learned = self._ends_in(unseen)
        self._words = self._remember(known, learned)
        return {
            segment: tuple(
                start + end
                for word, start in cut
                for end in (learned[word] if word in unseen else known[word])
            )
            for segment, cut in cuts.items()
        }

    def _remember(self, known: dict[str, Ends], learned: dict[str, Ends]) -> dict[str, Ends]:
        kept = {text: ends for text, ends in learned.items() if len(text) <= LONGEST_KEPT}
        if len(known) + len(kept) > self._memory:
            # Another thread may be reading the old one.
            return dict(islice(kept.items(), self._memory))
        known.update(kept)
        return known

    def _ends_in(self, words: Iterable[str]) -> dict[str, Ends]:
        """Return where the pieces of each word end, and of each run of ideographs."""
        found, others = {}, []
        for word in words:
            if word.isascii() and word.isalnum():
                found[word] = self._pieces.ends(word)
            elif _is_ideograph(word[0]):
                found[word] = tuple(range(1, len(word) + 1))
            else:
                others.append(word)
        return found | self._encode_words(others) if others else found

    def _encode_words(self, words: list[str]) -> dict[str, Ends]:
        encoding = self._encoder.encode(words, is_pretokenized=True, add_special_tokens=False)
        ends: list[list[int]] = [[] for _ in words]
        for place, (_, end) in zip(encoding.word_ids, encoding.offsets, strict=True):
            if place is not None:
                ends[place].append(end)
        return {word: tuple(ends[place]) for place, word in enumerate(words)}

    def _cut(self, segment: str) -> list[tuple[str, int]]:
        """Return the words of a segment, as the model is to read them, and where they start."""
        if segment.isascii() and segment.isprintable():
            return [(match[0], match.start()) for match in ASCII_WORD.finditer(segment)]
        segment = SURROGATE.sub("\ufffd", segment)
        spans = (match.span() for match in IDEOGRAPHS_OR_REST.finditer(segment))
        return [
            (segment[start:end], start)
            for outer in spans
            for start, end in self._readable(segment, *outer)
        ]

    def _readable(self, segment: str, start: int, end: int) -> Iterable[tuple[int, int]]:
        if end - start <= CUT or _is_ideograph(segment[start]):
            return [(start, end)]
        places = [start, *self._too_long(segment[start:end], start), end]
        return pairwise(places)

    def _too_long(self, text: str, offset: int) -> Iterable[int]:
        """Yield where to cut the words of which BERT would read nothing."""
        encoding = self._encoder.encode(text, add_special_tokens=False)
        for id_, (start, end) in zip(encoding.ids, encoding.offsets, strict=True):
            if id_ == self._unknown and self._normalised_length(text[start:end]) > LONGEST_WORD:
                yield from range(offset + start + CUT, offset + end, CUT)

    def _normalised_length(self, word: str) -> int:
        return len(self._encoder.normalizer.normalize_str(word))


def _split(text: str) -> list[str]:
    """Return what lies between the blanks: the lengths, plus one each, add up to the text's."""
    return text.replace("\n", " ").replace("\t", " ").replace("\r", " ").split(" ")


def _to_the_end(ends: NDArray[np.int64], text: str) -> NDArray[np.int64]:
    if not len(ends):
        ends = np.zeros(min(len(text), 1), dtype=np.int64)
    ends[-1:] = len(text)
    return ends


def _is_ideograph(character: str) -> bool:
    return ord(character) in IDEOGRAPHS
