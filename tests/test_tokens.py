"""The shipped encodings against tiktoken itself, and the offsets of tokens."""

from __future__ import annotations

import base64
import hashlib
import lzma
import subprocess
import sys

import pytest
import regex
import tiktoken
import tiktoken_ext.openai_public  # type: ignore[import-untyped]  # ships no types
from hypothesis import given, settings
from hypothesis import strategies as st

from embedsearch.tokens import Piece, TiktokenTokenizer, encoding, pack
from embedsearch.tokens.encodings import DEFINITIONS

NAMES = sorted(DEFINITIONS)

anything = st.text(
    st.characters(codec=None)
    | st.sampled_from("\r\n \t'sé👩\u200d💻🏽\u0301中")
    | st.just("\ud83d")
) | st.lists(st.sampled_from(["\ud83d\ude00", "\ud83d", "\ude00", "é", "a"])).map("".join)
of_each = pytest.mark.parametrize("tokenizer", [encoding(name) for name in NAMES], ids=NAMES)


@pytest.fixture(params=NAMES)
def theirs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tiktoken.Encoding:
    """tiktoken's own definition of an encoding, with our ranks instead of a download."""
    name = request.param
    definition = DEFINITIONS[name]
    packed = pack.path(name).read_bytes()
    tokens = pack.unpack(packed, count=definition.count, sha256=definition.sha256)
    ranks = {token: rank for rank, token in enumerate(tokens)}
    monkeypatch.setattr(tiktoken_ext.openai_public, "load_tiktoken_bpe", lambda *_, **__: ranks)
    return tiktoken.Encoding(**tiktoken_ext.openai_public.ENCODING_CONSTRUCTORS[name]())


def test_pattern_and_special_tokens_are_those_of_tiktoken(theirs: tiktoken.Encoding) -> None:
    assert DEFINITIONS[theirs.name].pattern == theirs._pat_str
    assert DEFINITIONS[theirs.name].special_tokens == theirs._special_tokens


def test_ids_are_those_of_tiktoken(theirs: tiktoken.Encoding) -> None:
    @settings(deadline=None)  # the first example unpacks the ranks
    @given(anything)
    def check(text: str) -> None:
        assert encoding(theirs.name).encode(text) == theirs.encode(text, disallowed_special=())

    check()


def test_unpacked_ranks_are_the_published_file(theirs: tiktoken.Encoding) -> None:
    published = b"".join(
        base64.b64encode(token) + b" %d\n" % rank for token, rank in theirs._mergeable_ranks.items()
    )
    assert hashlib.sha256(published).hexdigest() == pack.PUBLISHED_SHA256[theirs.name]


def test_packing_is_undone_by_unpacking() -> None:
    packed = pack.pack(b"YQ== 0\n/w== 1\nIHRoZQ== 2\n")
    pin = hashlib.sha256(lzma.decompress(packed)).hexdigest()
    assert pack.unpack(packed, count=3, sha256=pin) == [b"a", b"\xff", b" the"]


def test_refuses_to_pack_ranks_with_a_gap() -> None:
    with pytest.raises(ValueError, match="without a gap"):
        pack.pack(b"YQ== 0\nYg== 2\n")


def test_refuses_damaged_ranks() -> None:
    packed = pack.pack(b"YQ== 0\nYg== 1\n")
    with pytest.raises(ValueError, match="damaged"):
        pack.unpack(packed, count=2, sha256=DEFINITIONS["cl100k_base"].sha256)


def test_refuses_an_unknown_encoding_and_names_the_known() -> None:
    with pytest.raises(ValueError, match=r"'gpt2': choose from \['cl100k_base', 'o200k_base'\]"):
        encoding("gpt2")


def test_importing_tokens_loads_neither_numpy_nor_tiktoken() -> None:
    code = "import embedsearch.tokens, sys; print({'numpy', 'tiktoken'} & set(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "set()\n"


def test_known_text_has_the_known_ids() -> None:
    assert encoding("cl100k_base").encode("tiktoken is great!") == [83, 1609, 5963, 374, 2294, 0]
    assert encoding("o200k_base").encode("tiktoken is great!") == [83, 8251, 2488, 382, 2212, 0]


def test_a_special_token_in_a_text_is_plain_text() -> None:
    assert encoding("cl100k_base").count(["<|endoftext|>"]) == [7]


@of_each
def test_blanks_without_end_are_cut(tokenizer: TiktokenTokenizer) -> None:
    text = "a" + " " * 1_000_000 + "b"
    assert tokenizer.count([text, "a b"]) == [7_816, 2]
    pieces = tokenizer.pieces(text)
    assert tokenizer.encode(text) == [piece.id for piece in pieces]
    assert "".join(piece.text for piece in pieces) == text


def test_a_lone_surrogate_counts_as_the_replacement_character() -> None:
    tokenizer = encoding("cl100k_base")
    assert tokenizer.encode("a\ud800b") == tokenizer.encode("a\ufffdb")


@of_each
@settings(deadline=None)
@given(texts=st.lists(anything, max_size=5))
def test_counts_are_the_numbers_of_ids(tokenizer: TiktokenTokenizer, texts: list[str]) -> None:
    assert tokenizer.count(texts) == [len(tokenizer.encode(text)) for text in texts]


def ends_by_bytes(tokenizer: TiktokenTokenizer, text: str) -> list[int]:
    """Walk over the bytes: each belongs to a character, a surrogate pair being one."""
    end_of_byte: list[int] = []
    position = 0
    for character in text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"):
        joined = character > "\uffff" and text[position] != character
        position += 2 if joined else 1
        end_of_byte += [position] * len(character.encode())
    lengths = [len(tokenizer_bytes(tokenizer, id_)) for id_ in tokenizer.encode(text)]
    return [end_of_byte[sum(lengths[: n + 1]) - 1] for n in range(len(lengths))]


def tokenizer_bytes(tokenizer: TiktokenTokenizer, id_: int) -> bytes:
    definition = DEFINITIONS[tokenizer.name]
    if tokenizer.name not in UNPACKED:
        packed = pack.path(tokenizer.name).read_bytes()
        UNPACKED[tokenizer.name] = pack.unpack(
            packed, count=definition.count, sha256=definition.sha256
        )
    return UNPACKED[tokenizer.name][id_]


UNPACKED: dict[str, list[bytes]] = {}


@of_each
@settings(deadline=None)
@given(text=anything)
def test_a_token_ends_where_the_character_of_its_last_byte_ends(
    tokenizer: TiktokenTokenizer, text: str
) -> None:
    assert tokenizer.ends([text])[0].tolist() == ends_by_bytes(tokenizer, text)


@of_each
@settings(deadline=None)
@given(text=anything)
def test_pieces_cover_the_text(tokenizer: TiktokenTokenizer, text: str) -> None:
    pieces = tokenizer.pieces(text)
    assert [piece.id for piece in pieces] == tokenizer.encode(text)
    assert [piece.end for piece in pieces] == tokenizer.ends([text])[0].tolist()
    covered = {place for piece in pieces for place in range(piece.start, piece.end)}
    assert covered == set(range(len(text)))


def test_pieces_show_what_a_token_stands_for() -> None:
    assert encoding("o200k_base").pieces("hamburger é") == [
        Piece(id=103406, text="hamb", start=0, end=4),
        Piece(id=41633, text="urger", start=4, end=9),
        Piece(id=1212, text=" é", start=9, end=11),
    ]


def test_pieces_show_the_bytes_of_a_part_of_a_character() -> None:
    assert encoding("cl100k_base").pieces("a👩") == [
        Piece(id=64, text="a", start=0, end=1),
        Piece(id=9468, text="\\xf0\\x9f", start=1, end=2),
        Piece(id=239, text="\\x91", start=1, end=2),
        Piece(id=102, text="\\xa9", start=1, end=2),
    ]


@of_each
@settings(deadline=None)
@given(
    text=st.lists(st.sampled_from(" ,.'\n\r/(a1é字한'sDON'T\u0301\u2028") | anything).map("".join)
)
def test_counts_add_up_at_a_seam(tokenizer: TiktokenTokenizer, text: str) -> None:
    for seam in regex.finditer(tokenizer.seam, text):
        parts = [text[: seam.start()], text[seam.start() :]]
        assert tokenizer.count([text]) == [sum(tokenizer.count(parts))]
