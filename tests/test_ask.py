"""``ask``: what a model is sent, what is made of its answer, and what stops it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
import servers
from click.testing import CliRunner
from fault_server import FaultServer, serve
from recording import Reply, Server, serving

from embedsearch import AsyncClient, Client, Document, Index, answering
from embedsearch.cli.main import main
from embedsearch.errors import BadRequest, ContextTooLong, SecretsFound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

SSE = {"content-type": "text/event-stream"}
USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
QUESTION = "when does money come back"


def event(text: str | None = None, *, finish: str | None = None, **facts: Any) -> bytes:
    """Return a piece of an answer as a server sends it."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    choices = [] if text is None else [choice]
    return b"data: " + json.dumps({"choices": choices, **facts}).encode() + b"\n\n"


def says(server: Server, *pieces: str, finish: str = "stop") -> None:
    end = event("", finish=finish), event(usage=USAGE), b"data: [DONE]\n\n"
    server.streams(*map(event, pieces), *end)


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    """Return a chat server that answers with a citation."""
    running.seen.clear()
    says(running, "In a ", "week [1].")
    return running


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(base_url=server.url, api_key="sk-test", max_retries=0) as opened:
        yield opened


def run(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], input=stdin)


@pytest.fixture
def shell(server: Server, docs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with an index of three documents, where the environment names the server."""
    folder = docs.parent
    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if name.startswith(("OPENAI_", "EMBEDSEARCH_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("EMBEDSEARCH_CHAT_MODEL", "chatty")
    assert run("index", "docs", "--no-embed", "-q").exit_code == 0
    return folder


def ask(*arguments: object, question: str = QUESTION) -> Result:
    """Ask by words alone, which loads no model."""
    return run("ask", question, "--mode", "lexical", *arguments)


# What is printed


def test_the_answer_is_printed_with_the_sources_it_cites(shell: Path) -> None:
    assert shell.is_dir()
    result = ask()
    assert result.stdout == "In a week [1].\n\n[1] docs/guide/refunds.md:1-3  Refunds\n"
    assert (result.exit_code, result.stderr) == (0, "")


def test_markdown_lists_the_sources(shell: Path) -> None:
    assert shell.is_dir()
    result = ask("--format", "md")
    assert result.stdout == "In a week [1].\n\n- [1] `docs/guide/refunds.md:1-3` · Refunds\n"


def test_json_has_what_is_needed_to_check_the_answer(shell: Path) -> None:
    record = json.loads(ask("--format", "json").stdout)
    assert record == {
        "schema_version": 1,
        "question": QUESTION,
        "answer": "In a week [1].",
        "citations": [
            {
                "number": 1,
                "document_id": "guide/refunds.md",
                "text": "# Refunds\n\nMoney comes back in a week.\n",
                "start": 0,
                "end": 39,
                "start_line": 1,
                "end_line": 3,
                "page": None,
                "heading": "Refunds",
                "source": str(shell / "docs" / "guide" / "refunds.md"),
                "chunk_ids": ["guide/refunds.md#0"],
            }
        ],
        "unknown_citations": [],
        "passages": 1,
        "finish_reason": "stop",
        "usage": USAGE,
    }


@pytest.mark.parametrize(
    ("said", "finish", "notes"),
    [
        ("In a week.", "stop", ["the answer cites nothing, though the model was given 1 passage"]),
        (
            "In a week [1, 3][2].",
            "stop",
            ["the answer cites [2], [3], but the model was given 1 passage only"],
        ),
        ("In a week [1] or", "length", ["the answer was cut off: see --max-answer-tokens"]),
        ("", "content_filter", ["the model said nothing"]),
    ],
)
def test_what_is_odd_about_an_answer_is_noted(
    shell: Path, server: Server, said: str, finish: str, notes: list[str]
) -> None:
    assert shell.is_dir()
    says(server, said, finish=finish)
    result = ask()
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [f"note: {note}" for note in notes]
    assert ask("-q").stderr == ""


def test_a_source_that_changed_since_says_so(shell: Path) -> None:
    (shell / "docs" / "guide" / "refunds.md").write_text("Never.\n")
    assert ask().stdout.endswith("Refunds  (file changed since it was indexed)\n")
    (shell / "docs" / "guide" / "refunds.md").unlink()
    assert ask().stdout.endswith("Refunds  (file is gone)\n")


def test_an_answer_goes_into_a_pipe_as_it_came(shell: Path, server: Server) -> None:
    assert shell.is_dir()
    says(server, "a\x1b[2J\tb\n", "c [1]")
    assert ask().stdout.startswith("a\x1b[2J\tb\nc [1]\n\n[1] ")


def test_texts_that_are_not_embedded_yet_are_noted_where_it_matters(shell: Path) -> None:
    assert shell.is_dir()
    result = run("ask", QUESTION)
    assert result.exit_code == 0
    assert "3 of 3 passages are not embedded yet" in result.stderr


# What is sent


def test_a_server_is_sent_instructions_passages_and_the_question(
    shell: Path, server: Server
) -> None:
    ask("--max-answer-tokens", 50)
    (request,) = server.seen
    sent = request.content
    system, user = sent.pop("messages")
    assert sent == {
        "model": "chatty",
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 50,
    }
    assert request.headers["authorization"] == "Bearer sk-test"
    assert system["role"] == "system"
    assert "<passage>" in system["content"]
    assert user == {
        "role": "user",
        "content": "<passage>\n[1] guide/refunds.md:1-3  Refunds\n# Refunds\n\n"
        f"Money comes back in a week.\n</passage>\n\nQuestion: {QUESTION}",
    }
    assert str(shell).encode() not in request.body


def test_openai_s_models_are_told_their_limit_by_its_new_name(shell: Path, server: Server) -> None:
    assert shell.is_dir()
    ask("--chat-model", "gpt-5-mini")
    assert server.seen[0].content["max_completion_tokens"] == 2_000
    assert "max_tokens" not in server.seen[0].content


def test_the_prompt_is_shown_without_key_or_model_and_nobody_is_asked(
    shell: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shell.is_dir()
    ask()
    sent = server.seen.pop().content["messages"]
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("EMBEDSEARCH_CHAT_MODEL")
    monkeypatch.delenv("OPENAI_BASE_URL")
    shown = ask("--show-prompt")
    assert shown.stdout == "".join(f"{m['role']}:\n{m['content']}\n\n" for m in sent)
    assert json.loads(ask("--show-prompt", "--format", "json").stdout)["messages"] == sent
    assert (shown.exit_code, server.seen) == (0, [])


def test_the_chat_s_server_and_key_may_be_others(
    shell: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shell.is_dir()
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    assert ask("--base-url", server.url).exit_code == 0
    monkeypatch.setenv("EMBEDSEARCH_CHAT_API_KEY", "sk-chat")
    assert ask("--base-url", "http://127.0.0.1:1", "--chat-base-url", server.url).exit_code == 0
    keys = [request.headers["authorization"] for request in server.seen]
    assert keys == ["Bearer sk-test", "Bearer sk-chat"]


def test_embeddings_and_chat_may_come_from_two_servers(shell: Path, server: Server) -> None:
    assert shell.is_dir()
    with serve(FaultServer()) as embeddings:
        api = ("--db", "remote", "--base-url", embeddings.url)
        assert run("index", "docs", "-m", "openai/m", "--dimensions", 4, "-y", *api).exit_code == 0
        result = run("ask", QUESTION, *api, "--chat-base-url", server.url)
        assert result.exit_code == 0, result.stderr
        assert embeddings.requests[-1]["input"] == [QUESTION]
    assert [request.path for request in server.seen] == ["/chat/completions"]


def test_the_question_may_come_from_stdin(shell: Path, server: Server) -> None:
    assert shell.is_dir()
    assert run("ask", "-", "--mode", "lexical", stdin=f"{QUESTION}\n").exit_code == 0
    user = server.seen[0].content["messages"][1]["content"]
    assert user.endswith(f"Question: {QUESTION}")


# What is not sent


def test_nothing_relevant_is_exit_1_and_nobody_is_asked(shell: Path, server: Server) -> None:
    assert shell.is_dir()
    result = ask(question="unheard-of zebras")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("nothing relevant was found among 3 chunks of 3 documents")
    record = json.loads(ask("--format", "json", question="zebras").stdout)
    assert (record["answer"], record["citations"], record["passages"]) == (None, [], 0)
    assert server.seen == []


def test_what_only_comes_nearest_is_not_relevant(shell: Path, server: Server) -> None:
    assert shell.is_dir()
    run("index", "docs", "-q")
    far = run("ask", "who won the cricket world cup")
    assert (far.exit_code, server.seen) == (1, [])
    assert run("ask", "how long do I wait for my reimbursement?").exit_code == 0
    assert run("ask", "who won the cricket world cup", "--min-score", 0).exit_code == 0
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ("fishbowl", 0),  # far from the meaning of the only text that has it
        ("Who has a fishbowl?", 0),
        ("a pharmacy beside railway stations sells no fishbowl", 1),  # one word is not enough
        ("who will have had it", 1),  # the words of many texts, which say nothing
        ("zebra", 1),
    ],
)
def test_a_question_all_of_whose_words_stand_in_a_passage_is_answered(
    shell: Path, server: Server, question: str, code: int
) -> None:
    (shell / "docs" / "oxygen.txt").write_text(
        "Oxygen makes up a fifth of the atmosphere and is needed for combustion and respiration. "
        "Its concentration in steel furnaces and rockets is controlled with valves, as an alarm in "
        "a fishbowl may show."
    )
    run("index", "docs", "-q")
    assert (run("ask", question).exit_code, len(server.seen)) == (code, 1 - code)


def test_a_secret_in_a_passage_stops_it_unless_it_is_allowed(shell: Path, server: Server) -> None:
    token = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vX7zA9cD1fG3hJ5"
    (shell / "docs" / "notes.md").write_text(f"# Notes\n\nmoney:\n{token}\n")
    run("index", "docs", "--no-embed", "-q")
    result = ask()
    assert (result.exit_code, result.stdout, server.seen) == (2, "", [])
    assert "notes.md:4 (github-pat) looks like a secret" in result.stderr
    assert "--allow-secrets" in result.stderr
    assert run("outbox").exit_code == 1
    assert ask("--allow-secrets").exit_code == 0


def test_a_secret_in_the_question_stops_it_unless_it_is_allowed(
    shell: Path, server: Server
) -> None:
    assert shell.is_dir()
    question = f"{QUESTION}\nghp_" + "aB3dE5gH7jK9mN1pQ3sT5vX7zA9cD1fG3hJ5"
    result = ask(question=question)
    assert (result.exit_code, result.stdout, server.seen) == (2, "", [])
    assert "nothing was sent: the question:2 (github-pat) looks like a secret" in result.stderr
    assert ask("--allow-secrets", question=question).exit_code == 0


def test_a_chat_over_http_to_another_machine_has_to_be_allowed(shell: Path) -> None:
    assert shell.is_dir()
    far = ("--chat-base-url", "http://192.0.2.1/v1")
    result = ask(*far)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--insecure" in result.stderr
    tried = ask(*far, "--insecure", "--timeout", 0.01)
    assert "192.0.2.1" in tried.stderr


def test_what_the_model_does_not_hold_is_not_sent(shell: Path, server: Server) -> None:
    assert shell.is_dir()
    result = ask("--chat-model", "gpt-4", "--max-answer-tokens", 8_100)
    assert (result.exit_code, server.seen) == (2, [])
    assert "gpt-4 holds 8,192 tokens" in result.stderr
    assert ask("--chat-model", "gpt-4", "--max-answer-tokens", 7_900).exit_code == 0


def test_a_budget_without_room_for_a_passage_is_an_error(shell: Path, server: Server) -> None:
    assert shell.is_dir()
    result = ask("--budget", 10)
    assert (result.exit_code, server.seen) == (2, [])
    assert "a budget of 10 tokens does not hold the best passage" in result.stderr


def test_without_a_chat_model_it_says_how_to_name_one(
    shell: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shell.is_dir()
    monkeypatch.delenv("EMBEDSEARCH_CHAT_MODEL")
    result = ask()
    assert result.exit_code == 2
    assert "--chat-model, or $EMBEDSEARCH_CHAT_MODEL" in result.stderr


# What goes wrong


@pytest.mark.parametrize(
    ("status", "code", "exits"),
    [(401, "invalid_api_key", 4), (429, "insufficient_quota", 5), (404, "model_not_found", 2)],
)
def test_what_the_server_refuses_is_one_line_and_an_exit_code(
    shell: Path, server: Server, status: int, code: str, exits: int
) -> None:
    assert shell.is_dir()
    server.says({"error": {"message": "no", "code": code}}, status=status)
    result = ask()
    assert (result.exit_code, result.stdout) == (exits, "")
    assert result.stderr.startswith("error: ")
    assert "sk-test" not in result.stderr


def test_no_key_is_exit_4(shell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shell.is_dir()
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.delenv("OPENAI_API_KEY")
    result = ask()
    assert (result.exit_code, result.stdout) == (4, "")


def test_what_came_before_a_stream_broke_off_stays(shell: Path, server: Server) -> None:
    assert shell.is_dir()
    server.streams(event("In a week [1]"), event(" or")[:9], cut=True)
    result = ask()
    assert (result.exit_code, result.stdout) == (2, "In a week [1]\n")
    assert result.stderr.startswith("error: no answer from 127.0.0.1")
    (line,) = json.loads(run("usage", "--format", "json").stdout)["usage"]
    assert line["tokens"] > 100, "what was sent and what came, counted here"


def test_a_stream_that_just_ends_is_no_whole_answer(shell: Path, server: Server) -> None:
    assert shell.is_dir()
    server.streams(event("In a week [1]"))
    result = ask()
    assert (result.exit_code, result.stdout) == (2, "In a week [1]\n")
    assert "error: the answer broke off" in result.stderr


def test_a_key_that_lacks_is_named_by_both_its_variables(
    shell: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shell.is_dir()
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("OPENAI_BASE_URL")
    result = ask()
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.splitlines() == [
        "error: no API key: set OPENAI_API_KEY",
        "hint: the chat's key is EMBEDSEARCH_CHAT_API_KEY, else OPENAI_API_KEY",
    ]


def test_an_interrupt_keeps_what_came_and_exits_with_130(shell: Path, server: Server) -> None:
    done = threading.Event()

    def endless() -> Iterator[bytes]:
        yield event("In a week")
        done.wait(30)

    server.reply = Reply(endless(), headers=SSE)
    command = [sys.executable, "-m", "embedsearch", "ask", QUESTION, "--mode", "lexical"]
    with subprocess.Popen(
        command, cwd=shell, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        came = process.stdout.read(9)
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
        done.set()
    assert (process.returncode, came + rest, errors) == (130, "In a week\n", "\ninterrupted\n")
    assert json.loads(run("usage", "--format", "json").stdout)["usage"][0]["requests"] == 1


# What is noted


def test_what_was_sent_and_billed_is_in_the_ledgers(shell: Path, server: Server) -> None:
    assert shell.is_dir()
    ask("--chat-model", "gpt-4o-mini")
    usage = json.loads(run("usage", "--by", "command", "--format", "json").stdout)["usage"]
    assert [(line["key"], line["requests"], line["tokens"]) for line in usage] == [("ask", 1, 120)]
    assert usage[0]["cost"] == pytest.approx((100 * 0.15 + 20 * 0.60) / 1e6)
    outbox = json.loads(run("outbox", "--format", "json").stdout)["outbox"]
    assert [entry["document"] for entry in outbox] == ["guide/refunds.md", None]
    assert {entry["host"] for entry in outbox} == {server.url.removeprefix("http://")}
    assert {entry["model"] for entry in outbox} == {"gpt-4o-mini"}


@pytest.mark.parametrize("lie", ["x", -5, 10**30, 1e300, True])
def test_a_bill_that_can_t_be_right_loses_no_answer(
    shell: Path, server: Server, lie: object
) -> None:
    assert shell.is_dir()
    said = event("In a week [1]."), event("", finish="stop")
    server.streams(*said)
    ask()
    (unsaid,) = json.loads(run("usage", "--format", "json").stdout)["usage"]
    told = {"prompt_tokens": lie, "completion_tokens": lie}
    server.streams(*said, event(usage=told))
    result = ask("--format", "json")
    assert (result.exit_code, result.stderr) == (0, "")
    record = json.loads(result.stdout)
    assert (record["answer"], record["usage"]) == ("In a week [1].", told)
    (line,) = json.loads(run("usage", "--format", "json").stdout)["usage"]
    assert (line["requests"], line["tokens"]) == (2, 2 * unsaid["tokens"])


# From Python


def test_an_answer_is_iterated_and_resolves_its_citations(index: Index, client: Client) -> None:
    index.add([Document("a", "Money comes back in a week."), Document("b", "Cats and dogs.")])
    answer = answering.answer(index, QUESTION, client=client, model="m")
    assert list(answer) == ["In a ", "week [1]."]
    assert [(p.document_id, p.start, p.end) for p in answer.citations] == [("a", 0, 27)]
    assert (answer.unknown, answer.finish_reason) == ([], "stop")
    assert [passage.document_id for passage in answer.passages] == ["a", "b"]


def test_an_answer_that_is_left_early_is_billed_once(
    index: Index, client: Client, server: Server
) -> None:
    index.add([Document("a", "Money comes back in a week.")])
    with answering.answer(index, QUESTION, client=client, model="m") as answer:
        assert next(iter(answer)) == "In a "
    answer.close()
    assert [total.requests for total in index.usage(by="command")] == [1]
    assert len(server.seen) == 1


def test_passages_of_one_s_own_can_be_asked_about(
    index: Index, client: Client, server: Server
) -> None:
    index.add([Document(f"{n}", f"Money number {n} comes back.") for n in range(5)])
    passages = answering.relevant(index, "Money number 3", k=2)
    assert passages[0].document_id == "3"
    with answering.answer(index, "How much?", client=client, model="m", passages=passages) as said:
        assert "".join(said) == "In a week [1]."
    assert "number 3" in server.seen[0].content["messages"][1]["content"]
    nothing = answering.answer(index, "How much?", client=client, model="m", passages=[])
    assert (list(nothing), nothing.text, len(server.seen)) == ([], "", 1)


def test_what_must_not_be_sent_is_an_exception(
    index: Index, client: Client, server: Server
) -> None:
    index.add([Document("a", "the key is ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vX7zA9cD1fG3hJ5")])
    with pytest.raises(SecretsFound, match=r"a:1 \(github-pat\)"):
        answering.answer(index, "key", client=client, model="m")
    with pytest.raises(ContextTooLong):
        answering.answer(
            index, "key", client=client, model="gpt-4", max_tokens=8_192, allow_secrets=True
        )
    assert server.seen == []
    server.says({"error": {"message": "no"}}, status=400)
    with pytest.raises(BadRequest):
        answering.answer(index, "key", client=client, model="m", allow_secrets=True)
    assert len(list(index.outbox())) == 2


def test_who_asks_in_a_way_that_can_not_be_is_told_before_anything_is_noted(
    index: Index, client: Client, server: Server
) -> None:
    index.add([Document("a", "Money comes back in a week.")])
    passages = answering.relevant(index, "money")
    for given, said in (
        (
            {"client": AsyncClient(base_url=server.url, api_key="k")},
            "a Client, .* <AsyncClient of ",
        ),
        ({"model": None}, "a chat model's name as str, got None"),
        ({"question": None}, "a query as str, got None"),
        ({"passages": index.search("money")}, r"passages, .* got Hit\("),
    ):
        asked = {"question": "money", "client": client, "model": "m", "passages": passages}
        with pytest.raises(TypeError, match=f"^expected {said}"):
            answering.answer(index, **{**asked, **given})  # type: ignore[arg-type]
    assert (server.seen, list(index.outbox())) == ([], [])


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("so [1], or [2][3] and [4, 5; 6]", {1, 2, 3, 4, 5, 6}),
        ("week[1]. `args[2]`\n```\nrow[3]\n```\n[4]", {1, 4}),
        ("[a] [] [ 1 ] [-1] (1) 1", set()),
        ("unclosed ```\nrow[3]", set()),
    ],
)
def test_citations_are_numbers_in_square_brackets_outside_code(
    text: str, numbers: set[int]
) -> None:
    assert answering.cited(text) == numbers


# A real server


@pytest.mark.servers
def test_a_real_server_answers_from_real_passages(
    docs: Path, chat_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(docs.parent)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert run("index", "docs", "-q").exit_code == 0
    chat = ("--chat-model", servers.CHAT_MODEL, "--chat-base-url", chat_server)
    command = ("ask", "how long does a refund take?", *chat, "--max-answer-tokens", 40)
    result = run(*command)
    assert result.exit_code == 0, result.stderr
    assert len(result.stdout.split()) > 3
    record = json.loads(run(*command, "--format", "json").stdout)
    assert record["answer"]
    assert record["finish_reason"] in {"stop", "length"}
    usage = json.loads(run("usage", "--by", "model", "--format", "json").stdout)["usage"]
    assert [(line["key"], line["requests"]) for line in usage] == [(servers.CHAT_MODEL, 2)]
    assert usage[0]["tokens"] > record["usage"]["total_tokens"] > 100
