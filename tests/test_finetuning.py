"""Examples for fine-tuning: made of rows, checked line by line, split, written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedsearch.finetuning import Problem, prepare, validate, write
from embedsearch.finetuning.report import Split
from embedsearch.finetuning.tunable import TUNABLE, default_epochs
from embedsearch.tokens import count_messages

if TYPE_CHECKING:
    from pathlib import Path


def chat(question: str, answer: str) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ]
    }


def line(record: object) -> str:
    return json.dumps(record) + "\n"


GOOD = [line(chat(f"What is {n} and {n}?", str(2 * n))) for n in range(10)]


def labelled(n: int) -> list[tuple[int, dict[str, Any]]]:
    return [(i, {"text": f"ticket {i}", "label": "ab"[i % 2]}) for i in range(1, n + 1)]


def found(problems: tuple[Problem, ...]) -> list[tuple[str, int, str]]:
    return [(problem.file, problem.line, problem.kind) for problem in problems]


def test_good_lines_are_counted_and_priced() -> None:
    tokens = [count_messages(json.loads(text)["messages"], "gpt-4o") for text in GOOD]
    report = validate(GOOD, model="gpt-4o-mini", epochs=4)
    assert report.problems == ()
    assert report.training == Split(10, sum(tokens), max(tokens))
    assert report.validation == Split()
    assert report.billed == 4 * sum(tokens)
    assert report.cost == pytest.approx(report.billed * 3 / 1_000_000)


@pytest.mark.parametrize(
    ("bad", "kind", "said"),
    [
        ("{'messages': []}\n", "json", "expected a JSON object, came \"{'messages': []}\\n\""),
        ("\n", "json", "expected a JSON object, came an empty line"),
        ('{"messages": NaN}', "json", "NaN is no JSON"),
        ("[1, 2]", "messages", 'expected an object with "messages", a list, came [1, 2]'),
        (line({"messages": []}), "messages", 'came {"messages": []}'),
        (line({"messages": ["hi", *chat("a", "b")["messages"]]}), "messages", "as message 1"),
        (
            line({"messages": [{"role": "human", "content": "a"}, *chat("a", "b")["messages"]]}),
            "role",
            'assistant, tool, function in message 1, came "human"',
        ),
        (line({"messages": [{"content": "a"}, *chat("a", "b")["messages"]]}), "role", "came none"),
        (line(chat("a", " \n")), "empty", 'expected words in message 2, came " \\n"'),
        (line(chat("", "b")), "empty", 'expected words in message 1, came ""'),
        (
            line({"messages": chat("a", "b")["messages"][:1]}),
            "answer",
            "expected the assistant's answer as the last message, came one of 'user'",
        ),
        (
            line(chat("word " * 17_000, "b")),
            "length",
            "expected at most 16,385 tokens (gpt-3.5-turbo is trained on no more), came 17,",
        ),
    ],
)
def test_a_bad_line_is_named_with_what_was_expected_and_what_came(
    bad: str, kind: str, said: str
) -> None:
    report = validate([*GOOD[:3], bad, *GOOD[3:]], model="gpt-3.5-turbo-0125")
    (problem,) = report.problems
    assert (problem.file, problem.line, problem.kind) == ("training", 4, kind)
    assert said in str(problem)
    assert report.fatal == (problem,)
    assert report.training.examples == 10


def test_every_fault_of_a_line_is_told() -> None:
    bad = line({"messages": [{"role": "bot", "content": ""}]})
    report = validate([*GOOD, bad])
    assert [problem.kind for problem in report.problems] == ["role", "empty", "answer"]
    assert {problem.line for problem in report.problems} == {11}


def test_an_answer_may_be_a_call_of_a_tool() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "tool_calls": [call]},
    ]
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    record = {"messages": messages, "tools": tools}
    report = validate([*GOOD, line(record)])
    assert report.problems == ()
    before = validate(GOOD).training.tokens
    assert report.training.tokens == before + count_messages(messages, "gpt-4o", tools=tools)


def test_fewer_than_ten_examples_are_too_few() -> None:
    report = validate(GOOD[:9])
    (problem,) = report.problems
    assert found(report.problems) == [("training", 0, "few")]
    assert str(problem) == "expected at least 10 examples for training, came 9"


def test_what_is_there_twice_or_contradicts_is_a_warning() -> None:
    other, third = line(chat("What is 3 and 3?", "seven")), line(chat("What is 3 and 3?", "eight"))
    report = validate([*GOOD, GOOD[3], other, third, other])
    assert found(report.problems) == [
        ("training", 11, "duplicate"),
        ("training", 12, "conflict"),
        ("training", 13, "conflict"),
        ("training", 14, "duplicate"),
    ]
    assert "line 4" in str(report.problems[0])
    assert "line 12" in str(report.problems[3])
    assert report.fatal == ()


def test_what_is_in_both_files_leaks() -> None:
    held_out = [
        line(chat("Something else?", "No")),
        line(chat("What is 5 and 5?", "ten")),
        line(chat("what  is\n6 AND \uff16?", "12")),
    ]
    report = validate(GOOD, validation=held_out)
    assert found(report.problems) == [("validation", 2, "leak"), ("validation", 3, "leak")]
    assert report.problems[0].came == "that of training line 6"
    assert report.problems[1].came == "that of training line 7 but for case and white space"
    assert report.validation.examples == 3


def test_a_model_that_is_not_tunable_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"'gpt-5' can't be fine-tuned: choose from gpt-4\.1, "):
        validate(GOOD, model="gpt-5")


@pytest.mark.parametrize(
    ("examples", "epochs"),
    [(1, 25), (10, 10), (33, 3), (34, 3), (8_333, 3), (8_334, 2), (60_000, 1)],
)
def test_epochs_follow_the_number_of_examples(examples: int, epochs: int) -> None:
    assert default_epochs(examples) == epochs


@pytest.mark.parametrize(
    "row",
    [
        {"text": "Hi", "label": "greeting"},
        {"question": "Hi", "answer": "greeting", "more": "1"},
        {"prompt": "Hi", "completion": "greeting"},
        {"input": "Hi", "output": "greeting"},
        chat("Hi", "greeting"),
    ],
)
def test_rows_of_every_shape_give_the_same_example(row: dict[str, Any]) -> None:
    prepared = prepare([(1, row)], validation=0)
    assert [json.loads(text) for text in prepared.training] == [chat("Hi", "greeting")]


def test_columns_can_be_named_and_an_instruction_given() -> None:
    rows = [(2, {"body": "Hi", "stars": 5, "text": "x", "label": "y"})]
    prepared = prepare(rows, columns=("body", "stars"), system="Rate it.", validation=0)
    (record,) = map(json.loads, prepared.training)
    assert record["messages"] == [
        {"role": "system", "content": "Rate it."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "5"},
    ]


def test_a_row_at_fault_is_named_and_left_out() -> None:
    rows = [
        *labelled(10),
        (11, {"text": "x", "label": " "}),
        (12, {"text": "x"}),
        (13, chat("a", "")),
    ]
    prepared = prepare(rows, validation=0)
    assert [(p.line, str(p)) for p in prepared.report.problems] == [
        (11, "expected a text as 'label', came \" \""),
        (12, "expected columns 'text' and 'label', came only 'text'"),
        (13, 'expected words in message 2, came ""'),
    ]
    assert len(prepared.training) == 10


def test_what_is_there_twice_is_left_out_and_named() -> None:
    prepared = prepare([*labelled(10), (11, {"text": "ticket 3", "label": "b"})], validation=0)
    assert found(prepared.report.problems) == [("input", 11, "duplicate")]
    assert len(prepared.training) == 10


def test_the_share_for_validation_is_held_out_in_order_and_the_same_each_time() -> None:
    prepared = prepare(labelled(100))
    assert (len(prepared.training), len(prepared.validation)) == (90, 10)
    assert prepare(reversed(labelled(100))).validation == tuple(reversed(prepared.validation))
    numbers = [int(text.split("ticket ")[1].split('"')[0]) for text in prepared.training]
    assert numbers == sorted(numbers)


def test_what_differs_in_case_only_is_not_split_apart() -> None:
    rows = [
        (2 * n + m, {"text": t, "label": str(m)})
        for n in range(50)
        for m, t in enumerate((f"ticket {n}", f"TICKET  {n}"))
    ]
    prepared = prepare(rows, validation=0.2)
    assert len(prepared.validation) == 20
    report = validate(prepared.training, validation=prepared.validation)
    assert report.problems == ()


def test_too_few_are_left_when_some_are_held_out() -> None:
    (problem,) = prepare(labelled(10)).report.problems
    assert problem.came == "9, and 1 held out"


def test_a_share_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to below 1, got 1"):
        prepare(labelled(10), validation=1)


def test_what_is_written_is_what_was_prepared(tmp_path: Path) -> None:
    prepared = prepare([*labelled(20), (21, {"text": "Grüße 🙂", "label": "ä"})])
    paths = write(prepared, tmp_path / "out")
    assert [path.name for path in paths] == ["training.jsonl", "validation.jsonl"]
    assert paths[0].read_text(encoding="utf-8") == "".join(prepared.training)
    assert paths[1].read_text(encoding="utf-8") == "".join(prepared.validation)
    assert write(prepare(labelled(10), validation=0), tmp_path / "out") == paths[:1]
    assert not paths[1].exists()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "user", "assistant", "hi"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "messages role content name tool_calls function_call function arguments text type "
                "tools parameters properties description enum".split()
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)
odd_messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant"]), "content": json_values | st.just("x")},
        optional=dict.fromkeys(("name", "tool_calls", "function_call", "refusal"), json_values),
    ),
    max_size=3,
)
odd = st.fixed_dictionaries(
    {"messages": json_values | odd_messages}, optional={"tools": json_values}
)


@settings(deadline=None)
@given(st.lists(odd | json_values, max_size=4))
def test_no_json_makes_the_check_raise(records: list[Any]) -> None:
    lines = [line(record) for record in records]
    report = validate(lines, validation=lines)
    assert report.training.examples <= len(records)


@settings(deadline=None)
@given(st.lists(st.text(max_size=40), max_size=4))
def test_no_text_makes_the_check_raise(lines: list[str]) -> None:
    assert validate(lines).training.examples == 0


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "A", "b ", "b", "c", "d"]), st.sampled_from("xy"))),
    st.floats(0, 0.9),
)
def test_whatever_is_prepared_is_valid_but_for_its_number(
    pairs: list[tuple[str, str]], share: float
) -> None:
    rows = [(n, {"text": text, "label": label}) for n, (text, label) in enumerate(pairs, 1)]
    prepared = prepare(rows, validation=share)
    report = validate(prepared.training, validation=prepared.validation)
    assert {problem.kind for problem in report.problems} <= {"few", "conflict"}
    total = report.training.examples + report.validation.examples
    assert total == len({(text, label) for text, label in pairs})


def test_every_tunable_model_has_an_encoding() -> None:
    assert all(count_messages([], name) == 3 for name in TUNABLE)
