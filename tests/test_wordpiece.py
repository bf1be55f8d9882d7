from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from embedsearch.embedders.packaged import packaged_tokenizer
from embedsearch.embedders.wordpiece import WordPieceTokenizer, is_bert

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CLS, SEP = 101, 102
NASTY = [
    *"aZ9.,-'\"[]{}#$ \t\n\r\x00\x0b\x0c\x1c\x1f\x7f\x85\xa0\xad",
    *"éßİ\u0131\u017fKﬁǅ",
    *"e\u0301\u0300\u0327\u0903",
    *"字漢語々〆かナーﾊﾟ。、「」",
    *"\u3400\U00020000\uf900\u4dff\ua000",
    *"한국어\u1100\u1161\u11a8",
    *"שלום\u05b7مرحب\u0627\u064b",
    *"\u200b\u200d\u200e\u2028\u2029\u3000\ufeff\ufffd\ufffe",
    *"👩\u200d👧🏽🇩🇪",
    "\ud800",
    "\udfff",
    *"“”‘’«»…–—•¶§¡¿·\u2010\u3000〈〉・！（",  # noqa: RUF001 -- punctuation
    "[SEP]",
    "[UNK]",
    "##ing",
    "embedding",
    "Tokenization",
]

texts = st.one_of(
    st.lists(st.sampled_from(NASTY), max_size=60).map("".join),
    st.text(max_size=60),
    st.text(st.characters(codec=None, exclude_categories=[]), max_size=60),
)


def oracle(text: str) -> tuple[list[int], list[int]]:
    """Encode all of a text at once, as BERT does: its ids and where they end."""
    encoder: Tokenizer = packaged_tokenizer()._encoder
    encoding = encoder.encode(re.sub("[\ud800-\udfff]", "\ufffd", text), add_special_tokens=False)
    return encoding.ids, [end for _, end in encoding.offsets]


def fresh(*, memory: int = 1000) -> WordPieceTokenizer:
    return WordPieceTokenizer("fresh", packaged_tokenizer()._encoder, memory=memory)


@given(texts)
@example("naïve\u0301 字\u0301a [SEP] 👩\u200d👧")
@example("naïve\u3000ナ字\u2003\u0301a\xa0" * 20)
@settings(max_examples=500, deadline=None)
def test_tokens_are_those_of_encoding_the_whole_text(text: str) -> None:
    ids, ends = oracle(text)
    tokenizer = packaged_tokenizer()
    assert tokenizer.count([text]) == [len(ids)]
    assert tokenizer.encode([text]) == [[CLS, *ids, SEP]]
    assert tokenizer.ends([text])[0][:-1].tolist() == ends[:-1]


@given(texts)
@settings(max_examples=300, deadline=None)
def test_counts_add_up_at_a_seam(text: str) -> None:
    tokenizer = packaged_tokenizer()
    for seam in regex.finditer(tokenizer.seam, text):
        parts = [text[: seam.start()], text[seam.start() :]]
        assert tokenizer.count([text]) == [sum(tokenizer.count(parts))]


@given(st.lists(st.text(st.sampled_from("aeinorstABCxyz0123"), min_size=1, max_size=30)))
@settings(max_examples=100, deadline=None)
def test_plain_words_are_cut_as_the_library_cuts_them(words: list[str]) -> None:
    tokenizer = fresh()
    ends = [tokenizer.ends([word])[0].tolist() for word in words]
    assert ends == [oracle(word)[1] for word in words]


@given(st.lists(texts, max_size=6))
@example(["", " ", "a", "", "\u0301", "x" * 150, "end"])
@settings(max_examples=100, deadline=None)
def test_many_texts_end_their_tokens_where_each_does_alone(several: list[str]) -> None:
    tokenizer = fresh()
    together = [ends.tolist() for ends in tokenizer.ends(several)]
    assert together == [tokenizer.ends([text])[0].tolist() for text in several]


def test_more_new_words_than_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedsearch.embedders.wordtable.SLOTS", 1 << 8)
    tokenizer = fresh()
    several = [" ".join(f"w{n}ord{n * n}" for n in range(k, k + 100)) for k in range(0, 1000, 100)]
    for text in [*several, *several]:
        assert tokenizer.ends([text])[0].tolist() == oracle(text)[1]


@given(texts)
@settings(max_examples=200, deadline=None)
def test_ends_ascend_to_the_end_of_the_text(text: str) -> None:
    ends = packaged_tokenizer().ends([text])[0]
    assert ends.dtype == np.int64
    assert np.all(np.diff(ends) >= 0)
    assert ends[-1:].tolist() == ([len(text)] if text else [])


@given(st.lists(texts, max_size=5))
@settings(max_examples=50, deadline=None)
def test_a_memory_of_other_words_changes_nothing(others: list[str]) -> None:
    tokenizer = fresh()
    tokenizer.count(others)
    assert tokenizer.count(others) == [fresh().count([text])[0] for text in others]


def test_ids_are_those_of_bert() -> None:
    assert packaged_tokenizer().encode(["Hello, embeddings!"]) == [
        [CLS, 7592, 1010, 7861, 8270, 4667, 2015, 999, SEP]
    ]


def test_ends_lie_inside_words() -> None:
    assert packaged_tokenizer().ends(["Hello,  embeddings! "])[0].tolist() == [
        5,
        6,
        10,
        13,
        17,
        18,
        20,
    ]


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n\t \r", "\x00", "\u0301", "\ud800", pytest.param("\u3000" * 2_000_000, id="many")],
)
def test_a_text_without_tokens_has_none_and_one_end(text: str) -> None:
    tokenizer = packaged_tokenizer()
    assert tokenizer.count([text]) == [0]
    assert tokenizer.ends([text])[0].tolist() == [len(text)] * bool(text)
    assert tokenizer.encode([text]) == [[CLS, SEP]]


def test_special_tokens_in_a_text_are_words() -> None:
    (ids,) = packaged_tokenizer().encode(["[SEP] [CLS] [UNK] [MASK]"])
    assert {CLS, SEP} & set(ids[1:-1]) == set()


@pytest.mark.parametrize(
    "word", ["ab9" * 34, "é" * 150, "한" * 90, "n\u0303" * 120, "国a" + "b" * 130]
)
def test_a_word_that_bert_cannot_read_is_read_in_parts(word: str) -> None:
    tokenizer = packaged_tokenizer()
    unknown = tokenizer._encoder.token_to_id("[UNK]")
    assert unknown in oracle(word)[0]
    (ids,) = tokenizer.encode([f"x {word} y"])
    assert unknown not in ids
    assert tokenizer.count([f"x {word} y"]) == [len(ids) - 2]
    assert len(tokenizer.ends([f"x {word} y"])[0]) == len(ids) - 2


def test_a_word_of_100_characters_is_whole() -> None:
    word = "embedding" * 11 + "s"
    assert packaged_tokenizer().encode([word]) == [[CLS, *oracle(word)[0], SEP]]


def test_one_word_of_300_kb_is_counted_whole() -> None:
    tokenizer = packaged_tokenizer()
    part = tokenizer.count(["a" * 100])[0]
    assert tokenizer.count(["a" * 300_000]) == [3_000 * part]


def test_the_memory_does_not_grow_for_ever() -> None:
    tokenizer = fresh(memory=50)
    words = [f"word{number}" for number in range(200)]
    counts = [tokenizer.count([word])[0] for word in words]
    assert counts == fresh().count(words)
    assert len(tokenizer._segments) <= 50
    assert len(tokenizer._words) <= 50


def test_what_was_forgotten_is_learned_anew() -> None:
    tokenizer = fresh()
    text = "tokenization of naïve words"
    ends = tokenizer.ends([text])[0].tolist()
    counts = tokenizer.count([text])
    tokenizer.forget()
    assert not tokenizer._segments
    assert not tokenizer._words
    assert tokenizer.ends([text])[0].tolist() == ends
    assert tokenizer.count([text]) == counts


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("", 0),
        (" \n", 0),
        ("plain words", 0),
        ("Größe, Καλημέρα, Привет, 한국어", 0),
        ("🎉", 1),
        ("ฉันชอบ ข้าว", 1),
        ("ab 🎉🎉", 1 / 2),
        ("x" * 300, 0),  # cut into words that are short enough to be read
        ("ក" * 300, 1),
        ("\ud800", 0),
    ],
)
def test_what_is_unknown_is_told_in_characters(text: str, share: float) -> None:
    assert fresh().unknown([text]) == [share]


@settings(max_examples=200)
@given(texts)
def test_only_a_text_with_unknown_tokens_has_unknown_characters(text: str) -> None:
    tokenizer = fresh()
    (share,), (ids,) = tokenizer.unknown([text]), tokenizer.encode([text])
    assert (share > 0) == (tokenizer._unknown in ids)
    assert share <= 1


def test_long_segments_are_not_remembered() -> None:
    tokenizer = fresh()
    tokenizer.count(["x" * 65, "x" * 64])
    assert list(tokenizer._segments) == ["x" * 64]


def test_only_a_tokenizer_that_cuts_as_bert_does_counts_as_bert() -> None:
    definition = {
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "max_input_chars_per_word": 100},
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
    }
    assert is_bert(definition)
    assert not is_bert(definition | {"normalizer": None})
    assert not is_bert(definition | {"model": {"type": "Unigram"}})
