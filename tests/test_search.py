"""Search: by words, by meaning, by both; exact against what brute force says."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING
from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from embedsearch import Document, Hit, Index
from embedsearch.embedders import load
from embedsearch.errors import DimensionMismatch, DocumentNotFound, EmbeddingError
from embedsearch.testing import HashEmbedder

if TYPE_CHECKING:
    from pathlib import Path

    from embedsearch.search.ranking import Mode

MODES: list[Mode] = ["hybrid", "dense", "lexical"]


@pytest.fixture(scope="module")
def facts() -> Index:
    """Return sentences embedded by the real model."""
    index = Index.open(":memory:")
    texts = {
        "refund": "Customers get their money back when an order is cancelled.",
        "cat": "The kitten slept on the warm windowsill all afternoon.",
        "sun": "Solar panels turn light into electric current.",
        "bread": "Knead the dough, let it rise for an hour, then bake it.",
    }
    index.add(Document(id, text) for id, text in texts.items())
    return index


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("how do refunds work", "refund"),
        ("a sleeping feline", "cat"),
        ("renewable energy", "sun"),
        ("recipe for a loaf", "bread"),
    ],
)
@pytest.mark.parametrize("mode", ["hybrid", "dense"])
def test_finds_what_is_meant(facts: Index, query: str, expected: str, mode: Mode) -> None:
    assert facts.search(query, k=1, mode=mode)[0].document_id == expected


def test_lexical_search_stems_words(facts: Index) -> None:
    hits = facts.search("sleep cancelling BAKED", mode="lexical")
    assert {hit.document_id for hit in hits} == {"refund", "bread"}


@given(
    words=st.lists(st.sampled_from("money order light bread hour the rises".split()), min_size=1)
)
@settings(max_examples=25, deadline=None)
def test_an_explanation_adds_up_to_the_score(facts: Index, words: list[str]) -> None:
    query = " ".join(words)
    hits = facts.search(query)
    found = facts.explain(query, hits)
    for hit, why in zip(hits, found, strict=True):
        assert why.meaning is not None
        assert hit.score == pytest.approx((why.meaning + why.words) / 2, abs=1e-6)
        assert why.words == pytest.approx(sum(why.terms.values()))
        assert set(why.terms) == ({*words} - {"the"} or {"the"})
    lexical = facts.search(query, mode="lexical")
    shares = [why.words for why in facts.explain(query, lexical, mode="lexical")]
    best = [hit.score / share for hit, share in zip(lexical, shares, strict=True)]
    assert best == pytest.approx([best[0]] * len(best) if best else [])


def test_an_explanation_says_which_words_a_chunk_lacks_and_what_was_not_asked(facts: Index) -> None:
    query = "the money of an ORDER in bread"
    (why,) = facts.explain(query, facts.search(query, 1, mode="lexical"), mode="lexical")
    assert why.meaning is None
    assert [term for term, share in why.terms.items() if share] == ["money", "order"]
    assert why.terms["bread"] == 0


def test_what_is_not_embedded_or_gone_is_explained_as_such(index: Index) -> None:
    index.add([Document("a", "fresh bread"), Document("b", "stale bread")], embed=False)
    hits = index.search("bread")
    assert [why.meaning for why in index.explain("bread", hits)] == [None, None]
    index.add([Document("a", "fresh rolls")], embed=False)
    with pytest.raises(DocumentNotFound, match="'a#0'"):
        index.explain("bread", hits)


def test_a_hit_says_where_it_is(index: Index, docs: Path) -> None:
    index.sync(docs)
    hit = index.search("money", k=1)[0]
    assert hit.rank == 1
    assert hit.document_id == "guide/refunds.md"
    assert hit.chunk_id == "guide/refunds.md#0"
    assert hit.text == index.get(hit.document_id).text[hit.start : hit.end]
    assert (hit.start_line, hit.end_line) == (1, 3)
    assert hit.heading == "Refunds"
    assert hit.page is None
    assert hit.source == str(docs / "guide" / "refunds.md")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "query",
    [
        '"',
        "'",
        "dogs AND",
        "NEAR(",
        "dogs*",
        "-dogs",
        "text:dogs",
        "^dogs",
        "(dogs OR",
        "dogs\0cats",
        "\ud800 dogs",
        "🐕 dogs",
        "?",
        "dogs " * 5_000,
    ],
)
def test_any_query_is_safe(index: Index, docs: Path, query: str, mode: Mode) -> None:
    index.sync(docs)
    ids = [hit.document_id for hit in index.search(query, mode=mode)]
    if "dogs" in query and mode == "lexical":
        assert ids == ["animals.txt"]


@pytest.mark.parametrize("query", ["", "  \n"])
def test_an_empty_query_is_refused(index: Index, query: str) -> None:
    with pytest.raises(ValueError, match="the query is empty"):
        index.search(query)


def test_k_must_be_positive_and_may_be_huge(index: Index, docs: Path) -> None:
    index.sync(docs)
    with pytest.raises(ValueError, match="expected k of at least 1, got 0"):
        index.search("dogs", k=0)
    for mode in MODES:
        assert len(index.search("dogs money add", k=10**9, mode=mode)) == 3


def test_an_unknown_mode_is_refused_with_the_choices(index: Index) -> None:
    with pytest.raises(ValueError, match=r"unknown mode 'fuzzy': choose from \['dense', 'hybrid'"):
        index.search("dogs", mode="fuzzy")  # type: ignore[arg-type]
    choices = r"unknown kind 'foo': choose from \['document', 'query'\]"
    with pytest.raises(ValueError, match=choices):
        index.embed(["dogs"], kind="foo")  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(1, 60),
    k=st.integers(1, 70),
    residue=st.integers(0, 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_search_vector_is_brute_force(n: int, k: int, residue: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n + 1, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    vectors, query = rows[:n], rows[n]
    with Index.open(":memory:", HashEmbedder(16)) as index:
        given = [Document(str(i), f"text {i}", {"residue": i % 5}) for i in range(n)]
        index.add(given, vectors=vectors)
        hits = index.search_vector(query, k=k, where={"residue": residue})
    allowed = [i for i in range(n) if i % 5 == residue]
    scores = vectors.astype(np.float16).astype(np.float32) @ query
    best = sorted(allowed, key=lambda i: -scores[i])[:k]
    assert len(hits) == len(best)
    np.testing.assert_allclose([hit.score for hit in hits], scores[best], atol=1e-3)


def test_vectors_of_many_pages_are_all_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embedsearch.store.vectors.PAGE", 32)
    monkeypatch.setattr("embedsearch.search.dense.BUILT_AT_ONCE", 64)  # the rest is added
    rows = np.random.default_rng(0).normal(size=(200, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    with Index.open(tmp_path, HashEmbedder(16)) as index:
        index.add([Document(str(n), f"text {n}") for n in range(200)], vectors=rows)
    with Index.open(tmp_path, HashEmbedder(16)) as index:
        found = [index.search_vector(row, k=1)[0].document_id for row in rows]
    assert found == [str(n) for n in range(200)]


def test_the_same_passage_in_many_documents_comes_back_from_each(index: Index) -> None:
    index.add(Document(f"copy-{n}", "the very same words") for n in range(7))
    index.add([Document("other", "unlike all of them")])
    hits = index.search("the very same words", k=7)
    assert [hit.document_id for hit in hits] == [f"copy-{n}" for n in range(7)]


def test_grouping_gives_each_document_once_and_fills_k(index: Index) -> None:
    long = "\n\n".join(f"alpha beta gamma {n} " * 60 for n in range(12))
    index.add([Document("long", long), *(Document(f"d{n}", f"alpha {n}") for n in range(5))])
    assert len(index.chunks("long")) > 10
    for mode in MODES:
        hits = index.search("alpha beta gamma", k=6, mode=mode, group_by="document")
        assert sorted(hit.document_id for hit in hits) == ["d0", "d1", "d2", "d3", "d4", "long"]
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


@given(
    texts=st.lists(
        st.lists(st.sampled_from("red blue fox dog hen".split()), min_size=1, max_size=4),
        min_size=1,
        max_size=8,
    ),
    diversity=st.sampled_from([0.2, 0.5, 1.0]),
    k=st.integers(1, 10),
)
@settings(max_examples=40, deadline=None)
def test_diversity_is_maximal_marginal_relevance(
    texts: list[list[str]], diversity: float, k: int
) -> None:
    documents = [Document(f"{n}", f"{' '.join(words)} {n}") for n, words in enumerate(texts)]
    with Index.open(":memory:", HashEmbedder()) as index:
        index.add(documents)
        ranked = index.search("red fox", len(documents), mode="dense")
        found = index.document_vectors()
        hits = index.search("red fox", k, mode="dense", diversity=diversity)
    vectors = dict(zip(found.ids, found.vectors, strict=True))
    left, expected = list(ranked), list[Hit]()
    while left and len(expected) < k:

        def worth(hit: Hit) -> float:
            mine = vectors[hit.document_id]
            like = max((float(mine @ vectors[each.document_id]) for each in expected), default=0)
            return (1 - diversity) * hit.score - diversity * max(like, 0)

        best = max(left, key=worth)
        if [hit for hit in left if abs(worth(hit) - worth(best)) < 1e-3] != [best]:
            reject()  # the stored vectors, of two bytes a component, decide otherwise
        expected.append(best)
        left.remove(best)
    assert [hit.document_id for hit in hits] == [hit.document_id for hit in expected]
    assert [hit.rank for hit in hits] == list(range(1, len(expected) + 1))


def test_diversity_fills_k_and_is_refused_where_it_means_nothing(index: Index) -> None:
    copies = [Document(f"copy {n}", f"the red fox, number {n}") for n in range(30)]
    index.add([*copies, Document("other", "a red hen sleeps")])
    plain = [hit.document_id for hit in index.search("red fox", 5)]
    diverse = [hit.document_id for hit in index.search("red fox", 5, diversity=0.9)]
    assert "other" not in plain
    assert diverse[0] == plain[0]
    assert "other" in diverse
    everything = index.search("red fox", 10**9, diversity=0.5, group_by="document")
    assert {hit.document_id for hit in everything} == {d.id for d in copies} | {"other"}
    for wrong in (-0.1, 1.5, float("nan")):
        with pytest.raises(ValueError, match="expected a diversity from 0 to 1"):
            index.search("red fox", diversity=wrong)
    with pytest.raises(ValueError, match="mode 'hybrid' or 'dense'"):
        index.search("red fox", diversity=0.5, mode="lexical")


def test_similar_finds_others_like_a_document_or_a_chunk(facts: Index) -> None:
    facts.add([Document("dog", "A puppy napped in the sun by the window.")])
    hits = facts.similar("cat", k=2)
    assert hits[0].document_id == "dog"
    assert "cat" not in {hit.document_id for hit in hits}
    assert [h.document_id for h in facts.similar("cat#0", k=2)] == [h.document_id for h in hits]
    assert len(facts.similar("cat", k=100)) == len(facts) - 1
    facts.remove(["dog"])


@pytest.mark.parametrize("text", ["", " \n "])
@pytest.mark.parametrize("embed", [True, False])
def test_similar_to_a_blank_document_says_so(text: str, *, embed: bool) -> None:
    with Index.open(":memory:", HashEmbedder()) as index:
        index.add([Document("blank", text), Document("a", "words")], embed=embed)
        with pytest.raises(EmbeddingError, match="'blank' is blank"):
            index.similar("blank")


def test_similar_to_what_is_not_embedded_yet_says_so() -> None:
    with Index.open(":memory:", HashEmbedder()) as index:
        index.add([Document("a", "words")], embed=False)
        with pytest.raises(EmbeddingError, match="'a#0' is not embedded yet"):
            index.similar("a#0")


def test_hits_are_grouped_by_document_or_not_at_all(facts: Index) -> None:
    for find in (facts.search, facts.similar):
        with pytest.raises(ValueError, match="unknown group_by 'file': choose 'document' or None"):
            find("cat", group_by="file")  # type: ignore[arg-type]


@pytest.mark.parametrize("id", ["nobody", "cat#1", "cat#x"])
def test_similar_to_nothing_is_an_error(facts: Index, id: str) -> None:
    with pytest.raises(DocumentNotFound, match=f"no document '{id}'"):
        facts.similar(id)


@pytest.mark.parametrize(
    ("vector", "error"),
    [
        (np.zeros(16), ValueError),
        (np.full(16, np.nan), ValueError),
        (np.ones(15), DimensionMismatch),
        (np.ones((1, 16)), DimensionMismatch),
    ],
)
def test_a_vector_without_direction_or_of_another_length_is_refused(
    vector: np.ndarray, error: type[Exception]
) -> None:
    with Index.open(":memory:", HashEmbedder(16)) as index, pytest.raises(error):
        index.search_vector(vector)


def test_a_hit_whose_file_changed_is_stale(index: Index, docs: Path) -> None:
    index.sync(docs)
    hits = index.search("dogs money add", k=3)
    assert index.stale(hits) == set()
    (docs / "animals.txt").write_text("Only birds now.\n")
    (docs / "code.py").unlink()
    (docs / "guide" / "refunds.md").touch()
    assert index.stale(hits) == {"animals.txt", "code.py"}


def test_highlights_what_the_query_matched(index: Index, docs: Path) -> None:
    index.sync(docs)
    text = index.search("a living dog", k=1, mode="lexical")[0].text
    assert index.highlighted("a living dog", [text], marks=("[", "]")) == [
        "Cats and [dogs] [live] together.\n"
    ]


UNSPACED = {
    "zh": "苹果公司今天发布了新手机。价格很高",
    "ja": "東京は日本の首都です。カメラを買いました",
    "ko": "서울은 대한민국의 수도입니다",
    "th": "อาหารไทยอร่อยมาก",
    "my": "မြန်မာစာကိုဖတ်သည်",
    "en": "The iPhone手机壳 is new",
}


@pytest.mark.parametrize(
    ("query", "found", "marked"),
    [
        ("苹果", ["zh"], "[苹果]公司今天发布了新手机。价格很高"),
        ("价格高的公司", ["zh"], "苹果[公司]今天发布了新手机。[价格]很高"),
        ("首都", ["ja"], "東京は日本の[首都]です。カメラを買いました"),
        ("カメラ", ["ja"], "東京は日本の首都です。[カメラ]を買いました"),
        ("수도", ["ko"], "서울은 대한민국의 [수도]입니다"),
        ("อาหาร", ["th"], "[อาหาร]ไทยอร่อยมาก"),
        ("ဖတ်", ["my"], "မြန်မာစာကို[ဖတ]်သည်"),
        ("iphone", ["en"], "The [iPhone]手机壳 is new"),
        ("手机", ["en", "zh"], "The iPhone[手机]壳 is new"),
        ("壳", ["en"], "The iPhone手机[壳] is new"),
        ("机手", [], ""),
    ],
)
def test_words_are_found_where_no_blanks_part_them(
    index: Index, query: str, found: list[str], marked: str
) -> None:
    index.add(Document(id, text) for id, text in UNSPACED.items())
    hits = index.search(query, mode="lexical")
    assert [hit.document_id for hit in hits] == found
    assert all(hit.text == UNSPACED[hit.document_id] for hit in hits)
    texts = [hit.text for hit in hits[:1]]
    assert index.highlighted(query, texts, marks=("[", "]")) == [marked] * len(texts)
    index.remove(found)
    assert index.search(query, mode="lexical") == []
    assert index.verify() == []


def test_an_index_of_before_learns_words_without_blanks(tmp_path: Path) -> None:
    with Index.open(tmp_path, HashEmbedder()) as index:
        index.add(Document(id, text) for id, text in UNSPACED.items())
    with closing(sqlite3.connect(tmp_path / "index.db")) as before:
        before.executescript("""
            drop view live_texts;
            alter table texts drop column words;
            create view live_texts as select id, text from texts where text is not null;
            insert into texts_fts (texts_fts) values ('rebuild');
            pragma user_version = 9;
        """)
    with Index.open(tmp_path, HashEmbedder()) as index:
        assert [hit.document_id for hit in index.search("首都", mode="lexical")] == ["ja"]
        assert index.verify() == []


@given(
    text=st.text(alphabet="東京都日本の水 。ab한국수도ไทย", min_size=1),
    start=st.integers(0, 40),
    length=st.integers(1, 6),
)
def test_what_is_cut_out_of_such_a_text_finds_it(text: str, start: int, length: int) -> None:
    query = text[start : start + length]
    assume(any(sign.isalnum() for sign in query) and not any(c in "ab" for c in query))
    with Index.open(":memory:", HashEmbedder()) as index:
        index.add([Document("it", text), Document("other", "xyz")])
        assert [hit.document_id for hit in index.search(query, mode="lexical")] == ["it"]
        (shown,) = index.highlighted(query, [text], marks=("[", "]"))
        assert "[" in shown
        assert shown.replace("[", "").replace("]", "") == text


MARKED = {
    "hi": "किताब मेज पर है",
    "hi2": "ल\u095cका बा\u095bार काम",  # letters with a dot of their own
    "bn": "নদীর জল পরিষ্কার",
    "ta": "காலை வணக்கம்",
    "si": "ශ්\u200dරී ලංකා",
    "he": "שָׁלוֹם עֲלֵיכֶם",
    "ar": "السَّلَامُ عَلَيْكُمْ",
    "lt": "1000₽ 🤗fertig👍🏽 \u2068Name\u2069",
}


@pytest.mark.parametrize(
    ("query", "found", "marked"),
    [
        ("किताब", "hi", "[किताब] मेज पर है"),
        ("कत", "", ""),
        ("ल\u095cका", "hi2", "[ल\u095cका] बा\u095bार काम"),
        ("लड\u093cका", "hi2", "[ल\u095cका] बा\u095bार काम"),
        ("নদীর", "bn", "[নদীর] জল পরিষ্কার"),
        ("வணக்கம்", "ta", "காலை [வணக்கம்]"),
        ("ශ්\u200dරී", "si", "[ශ්\u200dරී] ලංකා"),
        ("שלום", "he", "[שָׁלוֹם] עֲלֵיכֶם"),
        ("שָׁלוֹם", "he", "[שָׁלוֹם] עֲלֵיכֶם"),
        ("عليكم", "ar", "السَّلَامُ [عَلَيْكُمْ]"),
        ("1000", "lt", "[1000]₽ 🤗fertig👍🏽 \u2068Name\u2069"),
        ("Fertig", "lt", "1000₽ 🤗[fertig]👍🏽 \u2068Name\u2069"),
        ("name", "lt", "1000₽ 🤗fertig👍🏽 \u2068[Name]\u2069"),
        ("₽ 🤗 \u200d \u0301", "", ""),
    ],
)
def test_words_are_found_whole_with_their_marks_and_without_what_is_none(
    index: Index, query: str, found: str, marked: str
) -> None:
    index.add(Document(id, text) for id, text in MARKED.items())
    hits = index.search(query, mode="lexical")
    assert [hit.document_id for hit in hits] == ([found] if found else [])
    texts = [hit.text for hit in hits]
    assert texts == ([MARKED[found]] if found else [])
    assert index.highlighted(query, texts, marks=("[", "]")) == ([marked] if found else [])
    index.remove(MARKED)
    assert index.verify() == []


def test_an_index_of_before_learns_words_with_marks(tmp_path: Path) -> None:
    with Index.open(tmp_path, HashEmbedder()) as index:
        index.add(Document(id, text) for id, text in MARKED.items())
    with closing(sqlite3.connect(tmp_path / "index.db")) as before:
        before.executescript("""
            update texts set words = null;
            insert into texts_fts (texts_fts) values ('rebuild');
            pragma user_version = 10;
        """)
    with Index.open(tmp_path, HashEmbedder()) as index:
        assert [hit.document_id for hit in index.search("שלום", mode="lexical")] == ["he"]
        assert index.verify() == []


SCRIPTS = [
    ("abcäßéÅøŁİĞş", "\u0301\u0308\u0327\u0307"),
    ("абвгҐїЁй", "\u0301\u0306\u0483"),
    ("αβγΣςΏ", "\u0301\u0313\u0345"),
    ("אבגשםץ", "\u05b8\u05c1\u05bc"),
    ("ابتلمي", "\u064e\u0651\u0670\u08f0"),
    ("ܐܒܓ", "\u0711\u0730"),
    ("ހށނ", "\u07a6\u07b0"),
    ("ߊߓߕ", "\u07eb\u07f3"),
    ("कखगडढयर०१", "\u093e\u093f\u094d\u093c\u0902"),
    ("কখগতনর", "\u09be\u09bf\u09cd\u09c7"),
    ("கஙசணன", "\u0bbe\u0bc6\u0bcd"),
    ("కఖగ", "\u0c3e\u0c4d"),
    ("കഖഗ", "\u0d3e\u0d4d"),
    ("කඛග", "\u0dcf\u0dca"),
    ("ཀཁགང", "\u0f71\u0f72\u0f90"),
    ("กขคง", "\u0e31\u0e34\u0e48"),
    ("កខគ", "\u17b6\u17d2"),
    ("東京水本", "\U000e0100"),
    ("かきガタ", "\u3099"),
    ("서울한국", ""),
    ("ᚠᚢᚦ", ""),
    ("ႠႡაბᲡ", ""),
    ("አበገ", "\u135f"),
    ("ᎠᎡᎢꭰ", ""),
    ("𞤀𞤁𞤢", "\U0001e944"),
    ("𑄃𑄇", "\U00011127"),
    ("12३٤²", ""),
]


@st.composite
def some_words(draw: st.DrawFn) -> list[str]:
    """Return words of many scripts, each of one, composed as queries are."""
    found = []
    for _ in range(draw(st.integers(1, 4))):
        letters, marks = draw(st.sampled_from(SCRIPTS))
        clusters = st.tuples(
            st.sampled_from(letters), st.text(marks, max_size=2) if marks else st.just("")
        ).map("".join)
        word = "".join(draw(st.lists(clusters, min_size=1, max_size=5)))
        found.append(draw(st.sampled_from([word, normalize("NFC", word)])))
    return found


@given(
    words=some_words(),
    between=st.sampled_from(
        [" ", ", ", "-", "_", "🤗", "₽ ", " 👍🏽", "\u2069 \u2068", "❤️", "\u0964"]
    ),
)
@settings(deadline=None)
def test_every_word_of_a_text_is_found_by_it(words: list[str], between: str) -> None:
    text = between.join(words)
    with Index.open(":memory:", HashEmbedder()) as index:
        index.add([Document("it", text)], embed=False)
        for word in words:
            assert [hit.document_id for hit in index.search(word, mode="lexical")] == ["it"]
            (shown,) = index.highlighted(word, [text], marks=("<<", ">>"))
            assert shown.replace("<<", "").replace(">>", "") == text


def test_highlights_more_than_once_in_one_snapshot(index: Index) -> None:
    with index.snapshot() as then:
        for query, shown in (("dog", "a <dog> a cat"), ("cat", "a dog a <cat>")):
            assert then.highlighted(query, ["a dog a cat"], marks=("<", ">")) == [shown]


def test_a_text_that_holds_what_parts_signs_keeps_it(index: Index) -> None:
    text = "one\ufdeftwo 東京 dogs"
    assert index.highlighted("dogs", [text, "東京 dogs"], marks=("[", "]")) == [
        "one\ufdeftwo 東京 [dogs]",
        "東京 [dogs]",
    ]


def test_the_local_model_s_chunks_fit_what_it_reads(tmp_path: Path) -> None:
    words = "extraordinarily internationalisation 日本語 naïve 🐕 "
    with Index.open(tmp_path / "index") as index:
        index.add([Document("long", words * 500)], embed=False)
        chunks = index.chunks("long")
    assert "".join(c.text for c in chunks) != ""
    assert max(load().tokenizer.count([chunk.text for chunk in chunks])) <= 254
    assert all(after.start <= before.end for before, after in pairwise(chunks))


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_vectors_follow_texts_that_go_and_come_back(tmp_path: Path, share: float) -> None:
    documents = [Document(str(n), f"word{n} of {n % 7}") for n in range(1_500)]
    gone = documents[: int(len(documents) * share)]
    with (
        Index.open(tmp_path, HashEmbedder()) as index,
        Index.open(tmp_path, HashEmbedder()) as reader,
    ):
        for step in (documents, None, gone, gone[:3], None, gone):
            if step is None:
                index.remove([document.id for document in gone])
            else:
                index.add(step)
            for holder in (index, reader):
                hits = holder.search("word3 of 3", k=2_000, mode="dense")
                assert len(hits) == len(index)
                assert ("3" in {hit.document_id for hit in hits}) == ("3" in index)
        assert index.verify() == []


def test_a_new_vector_for_the_same_text_replaces_the_old_one(tmp_path: Path) -> None:
    axes = np.eye(16)
    with (
        Index.open(tmp_path, HashEmbedder(16)) as index,
        Index.open(tmp_path, HashEmbedder(16)) as reader,
    ):
        for axis in (0, 5, 3):
            index.add([Document("a", "the same text")], vectors=axes[[axis]])
            assert [holder.search_vector(axes[axis])[0].score for holder in (index, reader)] == [
                1.0,
                1.0,
            ]


@pytest.mark.parametrize("id", ["9" * 21, "a#" + "9" * 21, "a#1", "a#-1", "a#", "#0", ""])
def test_what_is_no_chunk_is_not_found_however_long_its_number(id: str) -> None:
    with Index.open(":memory:", HashEmbedder()) as index:
        index.add([Document("a", "text")])
        with pytest.raises(DocumentNotFound, match="no document "):
            index.similar(id)


def test_accents_on_their_letters_and_apart_are_the_same() -> None:
    with Index.open(":memory:", HashEmbedder()) as index:
        index.add([Document("a", "the na\u00efve \u00c5ngstr\u00f6m stands here")])
        for query in ("nai\u0308ve", "A\u030angstro\u0308m", "na\u00efve"):
            (hit,) = index.search(query, mode="lexical")
            (explained,) = index.explain(query, [hit])
            assert (explained.words > 0, len(explained.terms)) == (True, 1)
            (marked,) = index.highlighted(query, [hit.text], marks=("<", ">"))
            assert marked.count("<") == 1


@pytest.mark.parametrize(
    ("query", "marked"),
    [
        ("İzmir", "[İzmir]'de DEĞİŞİKLİK, ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ"),
        ("izmir", "[İzmir]'de DEĞİŞİKLİK, ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ"),
        ("DEĞİŞİKLİK", "İzmir'de [DEĞİŞİKLİK], ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ"),
        ("ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ", "İzmir'de DEĞİŞİKLİK, [ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ]"),  # capitals of 2018
    ],
)
def test_capitals_that_sqlite_lowers_otherwise_are_found(
    index: Index, query: str, marked: str
) -> None:
    index.add([Document("a", "İzmir'de DEĞİŞİKLİK, ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ")])
    (hit,) = index.search(query, mode="lexical")
    assert index.highlighted(query, [hit.text], marks=("[", "]")) == [marked]
    (why,) = index.explain(query, [hit])
    assert why.terms == {query.lower(): why.words}
    assert why.words > 0
