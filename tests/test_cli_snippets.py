"""Snippets: which lines of a passage are shown, and how they are cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from embedsearch.cli.snippets import CHARACTERS, MARKS, Line, best, clipped, lines, surrounded

OPEN, CLOSE = MARKS


def numbers(chosen: list[Line]) -> list[int]:
    return [line.number for line in chosen]


def test_marks_become_spans_of_the_bare_text() -> None:
    (line,) = lines(f"a {OPEN}red{CLOSE} fox, a {OPEN}Red{CLOSE} hat", 7)
    assert (line.number, line.text) == (7, "a red fox, a Red hat")
    assert [line.text[start:end] for start, end in line.spans] == ["red", "Red"]
    assert line.words == 1


def test_lines_with_more_of_the_words_come_before_others() -> None:
    passage = f"one\n{OPEN}red{CLOSE}\nthree\n{OPEN}red{CLOSE} {OPEN}fox{CLOSE}\nfive\nsix"
    assert numbers(best(lines(passage, 11))) == [12, 14, 15]


def test_without_a_word_the_first_lines_that_are_not_blank_are_shown() -> None:
    assert numbers(best(lines("\n\none\n\ntwo\nthree\nfour", 1))) == [3, 5, 6]
    assert best(lines(" \n\n", 1)) == []


def test_what_a_terminal_would_obey_is_shown_as_a_replacement_character() -> None:
    assert [line.text for line in lines("\x1b[2Jgone\r\n\x07\tbell", 1)] == [
        "\ufffd[2Jgone",
        "\ufffd    bell",
    ]


def test_a_long_line_is_cut_around_its_first_word_that_matched() -> None:
    (line,) = lines("far " * 500 + f"{OPEN}here{CLOSE}" + " off" * 500, 1)
    cut = clipped(line, 100)
    assert cut.text.startswith("… far")
    assert cut.text.endswith("off …")
    assert [cut.text[start:end] for start, end in cut.spans] == ["here"]


@given(st.text(st.sampled_from("ab \n")), st.integers(0, 3), st.integers(0, 700))
def test_snippets_are_short_and_in_order(text: str, around: int, filler: int) -> None:
    text += "x" * filler
    chosen = best(lines(text, 1))
    assert numbers(chosen) == sorted({*numbers(chosen)})
    assert all(len(line.text) <= CHARACTERS + len("…  …") for line in chosen)
    wide = surrounded(chosen, text, around)
    assert set(numbers(chosen)) <= set(numbers(wide))
    assert len(wide) <= len(chosen) * (2 * around + 1)
