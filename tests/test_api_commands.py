"""``embedsearch api``: what is sent, what is printed where, what becomes of files, how it exits."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import CliRunner
from recording import Recorded, Reply, Server, serving

from embedsearch.cli.api import fine_tuning, group, secrets
from embedsearch.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result

KEY = "sk-test-0123456789"
LONG = "x" * 5000
"""No system has a file with such a name."""


def run(*arguments: object, stdin: str | bytes | None = None) -> Result:
    """Run a command; whatever happens, the key is in no output."""
    words = [str(a) for a in arguments]
    result = CliRunner().invoke(main, words, input=stdin, prog_name="embedsearch")
    assert KEY not in result.output
    return result


def api(*arguments: object, stdin: str | bytes | None = None) -> Result:
    return run("api", *arguments, stdin=stdin)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Return a server that the environment names; commands run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EMBEDSEARCH_CHAT_MODEL", raising=False)
    with serving() as recorder:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", recorder.url)
        yield recorder


def chunk(content: str = "", **choice: Any) -> bytes:
    record = {"model": "gpt-5-mini", "choices": [{"index": 0, "delta": {"content": content}}]}
    record["choices"][0] |= choice  # type: ignore[index,operator]
    return b"data: %s\n\n" % json.dumps(record).encode()


def body(server: Server) -> Any:
    return server.seen[-1].content


def parts(server: Server) -> dict[str, bytes]:
    return {name: content for name, _, _, content in body(server)}


ALL = [
    *([name] for name in group.COMMANDS),
    *(["fine-tune", name] for name in fine_tuning.COMMANDS),
    *(["files", name] for name in ("list", "get", "upload", "download", "delete")),
    *(["vector-store", name] for name in ("list", "create", "add", "search", "delete")),
    *(["batch", name] for name in ("create", "get", "list", "cancel", "results")),
]


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_has_help(words: list[str]) -> None:
    result = api(*words, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: embedsearch api {' '.join(words)} ")


def test_help_imports_neither_the_client_nor_what_it_needs() -> None:
    code = (
        "import sys\nfrom embedsearch.cli.main import main\n"
        "try:\n    main(['api', '--help'])\nexcept SystemExit:\n    print(*sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"httpx", "numpy", "tiktoken", "embedsearch.client"} & loaded == set()


# chat and complete


def test_chat_prints_the_answer_as_it_comes(server: Server) -> None:
    server.streams(chunk("Hel"), chunk("lo."), chunk(finish_reason="stop"), b"data: [DONE]\n\n")
    result = api("chat", "say", "hello", "--system", "Be kind.", "--temperature", 0)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "Hello.\n", "")
    assert (server.seen[0].method, server.seen[0].path) == ("POST", "/chat/completions")
    assert body(server) == {
        "model": "gpt-5-mini",
        "temperature": 0,
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "say hello"},
        ],
        "stream": True,
    }


@pytest.mark.parametrize(
    "command", [["chat"], ["chat", "--no-stream"], ["embed"], ["models"]], ids=" ".join
)
def test_an_answer_of_another_kind_is_shown_with_who_gave_it(
    server: Server, command: list[str]
) -> None:
    page = b"<!doctype html><title>Log in</title>"
    server.reply = Reply(page, headers={"content-type": "text/html"})
    result = api(*command, *([] if command == ["models"] else ["hello"]))
    assert (result.exit_code, result.stdout) == (2, "")
    said, hint = result.stderr.splitlines()
    host = server.url.removeprefix("http://")
    assert said.startswith(f"error: the answer of {host} is not what was asked for: ")
    assert said.endswith(repr(page.decode()))
    assert hint == "hint: is the base URL that of an OpenAI-compatible API?"


def test_chat_as_json_is_the_whole_answer(server: Server) -> None:
    answer = {"choices": [{"message": {"content": "Hi."}}], "odd": [1, {"a": None}]}
    server.says(answer)
    result = api("chat", "hi", "--json", "--max-tokens", 7, "--set", "seed=3", "--set", "user=me")
    assert json.loads(result.stdout) == answer
    assert body(server)["max_completion_tokens"] == 7
    assert (body(server)["seed"], body(server)["user"]) == (3, "me")
    assert "stream" not in body(server)


def test_a_model_that_only_its_server_knows_gets_the_older_name_of_the_limit(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBEDSEARCH_CHAT_MODEL", "qwen")
    server.says({"model": "qwen", "choices": [{"message": {"content": "Hi."}}]})
    result = api("chat", "hi", "--no-stream", "--max-tokens", 7, "-u")
    assert result.stdout == "Hi.\n"
    assert (body(server)["model"], body(server)["max_tokens"]) == ("qwen", 7)
    assert result.stderr == "the server does not say what it took\n"


def test_files_stdin_and_pictures_go_into_a_chat(server: Server, tmp_path: Path) -> None:
    server.says({"choices": [{"message": {"content": "Hi."}}]})
    (tmp_path / "a.txt").write_text("First.")
    (tmp_path / "p.png").write_bytes(b"\x89PNG")
    picture = ("-i", "p.png", "-i", "https://example.org/a.png")
    api("chat", "-", "-f", "a.txt", *picture, "--no-stream", stdin="Second.\n")
    (message,) = body(server)["messages"]
    encoded = base64.b64encode(b"\x89PNG").decode()
    assert message["content"] == [
        {"type": "text", "text": "First.\n\nSecond."},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded}"}},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
    ]


def test_an_answer_can_be_bound_to_a_schema(server: Server, tmp_path: Path) -> None:
    server.says({"choices": [{"message": {"content": "{}"}}]})
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    (tmp_path / "s.json").write_text(json.dumps(schema))
    for given in ("s.json", json.dumps(schema)):
        api("chat", "where?", "--schema", given, "--no-stream")
        asked = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
        assert body(server)["response_format"] == asked
    assert api("chat", "where?", "--schema", "{no").exit_code == 2


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ([chunk("Hel", finish_reason="length")], "reached its limit of tokens"),
        ([chunk("Hel", finish_reason="content_filter")], "by the provider's filter"),
        ([chunk(finish_reason="tool_calls")], "the answer holds no text (tool_calls)"),
    ],
)
def test_an_answer_that_is_not_whole_is_noted(
    server: Server, pieces: list[bytes], said: str
) -> None:
    server.streams(*pieces, b"data: [DONE]\n\n")
    result = api("chat", "hi")
    assert result.exit_code == 0
    assert said in result.stderr
    assert api("chat", "hi", "-q").stderr == ""


def test_what_an_answer_took_is_said_by_the_model_that_gave_it(server: Server) -> None:
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 10, "total_tokens": 1_000_010}
    last = {"model": "gpt-4o-mini-2024-07-18", "choices": [], "usage": usage}
    server.streams(chunk("Hi."), b"data: %s\n\ndata: [DONE]\n\n" % json.dumps(last).encode())
    result = api("chat", "hi", "-u")
    assert result.stderr == "1,000,000 tokens read, 10 written, $0.15\n"
    assert body(server)["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("lie", ["x", -5, 10**30, 1e300])
@pytest.mark.parametrize("form", [[], ["--no-stream"]])
def test_what_an_answer_can_t_have_taken_is_not_repeated(
    server: Server, form: list[str], lie: object
) -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": lie}
    if form:
        choice = {"index": 0, "message": {"content": "Hi."}, "finish_reason": "stop"}
        server.says({"model": "m", "choices": [choice], "usage": usage})
    else:
        last = json.dumps({"model": "m", "choices": [], "usage": usage}).encode()
        server.streams(chunk("Hi."), b"data: %s\n\ndata: [DONE]\n\n" % last)
    result = api("chat", "hi", "-u", *form)
    assert (result.exit_code, result.stdout) == (0, "Hi.\n")
    assert result.stderr == "the server does not say what it took\n"


@pytest.mark.parametrize("command", ["complete", "respond"])
def test_what_the_others_can_t_have_taken_is_not_repeated_either(
    server: Server, command: str
) -> None:
    lies = dict.fromkeys(["prompt_tokens", "completion_tokens", "input_tokens"], "x")
    choice = {"index": 0, "text": "Hi.", "finish_reason": "stop"}
    server.says(response("Hi.", status="completed", choices=[choice], usage=lies))
    result = api(command, "hi", "-u", "--no-stream")
    assert (result.exit_code, result.stdout) == (0, "Hi.\n")
    assert result.stderr == "the server does not say what it took\n"


def event(kind: str, **fields: Any) -> bytes:
    said = json.dumps({"type": kind, **fields}).encode()
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), said)


def response(*texts: str, **fields: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text} for text in texts]
    output = [{"type": "reasoning", "summary": []}, {"type": "message", "content": content}]
    return {"id": "resp_1", "model": "gpt-5-mini", "output": output, **fields}


def test_respond_prints_the_answer_as_it_comes(server: Server) -> None:
    usage = {"input_tokens": 1_000_000, "output_tokens": 10, "total_tokens": 1_000_010}
    whole = response("Hello.", status="completed", usage=usage, model="gpt-4o-mini")
    server.streams(
        event("response.created", response=response(status="in_progress")),
        event("response.output_text.delta", delta="Hel"),
        event("response.output_text.delta", delta="lo."),
        event("response.completed", response=whole),
    )
    result = api("respond", "say", "hello", "--system", "Be kind.", "-t", "web_search", "-u")
    assert (result.exit_code, result.stdout) == (0, "Hello.\n")
    assert result.stderr == "1,000,000 tokens read, 10 written, $0.15\n"
    assert (server.seen[0].method, server.seen[0].path) == ("POST", "/responses")
    asked = {"role": "user", "content": [{"type": "input_text", "text": "say hello"}]}
    assert body(server) == {
        "model": "gpt-5-mini",
        "input": [asked],
        "instructions": "Be kind.",
        "tools": [{"type": "web_search"}],
        "stream": True,
    }


def test_respond_goes_on_after_another_and_gives_all_of_it_as_json(server: Server) -> None:
    server.says(response("Hi.", odd=1))
    result = api("respond", "hi", "--after", "resp_0", "--max-tokens", 20, "--json")
    assert json.loads(result.stdout) == response("Hi.", odd=1)
    sent = body(server)
    assert (sent["previous_response_id"], sent["max_output_tokens"]) == ("resp_0", 20)
    assert "stream" not in sent


def test_files_go_into_a_response_whole(server: Server, tmp_path: Path) -> None:
    server.says(response("One.", " Two.", status="completed"))
    (tmp_path / "a.txt").write_text("First.")
    (tmp_path / "p.png").write_bytes(b"\x89PNG")
    (tmp_path / "b.csv").write_text("a,b\n1,2\n")
    given = ("-f", "a.txt", "-a", "b.csv", "-i", "p.png", "--schema", '{"type": "object"}')
    result = api("respond", "Second.", *given, "--no-stream")
    assert (result.stdout, result.stderr) == ("One. Two.\n", "")
    picture, table = (base64.b64encode(b).decode() for b in (b"\x89PNG", b"a,b\n1,2\n"))
    assert body(server)["input"][0]["content"] == [
        {"type": "input_text", "text": "First.\n\nSecond."},
        {"type": "input_image", "image_url": f"data:image/png;base64,{picture}"},
        {
            "type": "input_file",
            "filename": "b.csv",
            "file_data": f"data:text/csv;base64,{table}",
        },
    ]
    schema = {"type": "json_schema", "name": "answer", "schema": {"type": "object"}}
    assert body(server)["text"] == {"format": schema}


def test_a_file_with_a_secret_is_not_attached(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vX7zA9cD1fG3hJ5")
    result = api("respond", "hi", "-a", "a.txt")
    assert (result.exit_code, server.seen) == (2, [])
    assert "a.txt:1 (github-pat) looks like a secret" in result.stderr


@pytest.mark.parametrize(
    ("events", "exits", "said"),
    [
        (
            [
                event("response.output_text.delta", delta="Hel"),
                event(
                    "response.incomplete",
                    response=response(incomplete_details={"reason": "max_output_tokens"}),
                ),
            ],
            0,
            "reached its limit of tokens",
        ),
        ([event("response.completed", response=response(status="completed"))], 0, "no text"),
        (
            [
                event("response.refusal.delta", delta="No."),
                event("response.completed", response=response(status="completed")),
            ],
            0,
            "",
        ),
        ([event("response.output_text.delta", delta="Well,")], 2, "the answer broke off"),
        ([event("error", code="server_error", message="oh no")], 2, "the response failed: oh no"),
        (
            [
                event(
                    "response.failed",
                    response=response(status="failed", error={"code": "x", "message": "oh no"}),
                )
            ],
            2,
            "the response failed: oh no",
        ),
    ],
)
def test_a_response_that_is_not_whole_is_noted(
    server: Server, events: list[bytes], exits: int, said: str
) -> None:
    server.streams(*events)
    result = api("respond", "hi")
    assert result.exit_code == exits
    assert said in result.stderr
    assert bool(result.stderr) is bool(said)


def test_a_stream_that_breaks_off_keeps_what_came(server: Server) -> None:
    server.streams(chunk("Hello"), b'data: {"cho', cut=True)
    result = api("chat", "hi")
    assert (result.exit_code, result.stdout) == (2, "Hello\n")
    assert result.stderr.startswith("error: ")


def test_a_stream_that_just_ends_is_no_whole_answer(server: Server) -> None:
    server.streams(chunk("Hel"), chunk("lo"))
    result = api("chat", "hi")
    assert (result.exit_code, result.stdout) == (2, "Hello\n")
    assert result.stderr == "error: the answer broke off: the server did not say that it ended\n"
    for end in (chunk(finish_reason="stop"), b"data: [DONE]\n\n"):
        server.streams(chunk("Hel"), chunk("lo"), end)
        assert api("chat", "hi").exit_code == 0


def test_what_is_too_long_is_not_sent(server: Server) -> None:
    result = api("chat", "word " * 9000, "-m", "gpt-4")
    assert (result.exit_code, server.seen) == (2, [])
    assert "gpt-4 holds 8,192 tokens" in result.stderr
    result = api("complete", "word " * 4000)
    assert (result.exit_code, server.seen) == (2, [])
    assert "gpt-3.5-turbo-instruct holds 4,096 tokens" in result.stderr


def test_complete_fills_the_gap_before_a_suffix(server: Server) -> None:
    piece = {"choices": [{"text": " 1"}]}
    server.streams(b"data: %s\n\ndata: [DONE]\n\n" % json.dumps(piece).encode())
    result = api("complete", "-", "--suffix", "\n", stdin="return \n")
    assert result.stdout == " 1\n"
    assert body(server) == {
        "model": "gpt-3.5-turbo-instruct",
        "prompt": "return ",
        "suffix": "\n",
        "max_tokens": 256,
        "stream": True,
    }


@pytest.mark.parametrize(
    ("status", "code", "exit_"),
    [(401, "invalid_api_key", 4), (429, "insufficient_quota", 5), (404, "model_not_found", 2)],
)
def test_a_refusal_is_one_line_and_an_exit_code(
    server: Server, status: int, code: str, exit_: int
) -> None:
    server.says({"error": {"message": "no", "code": code}}, status=status)
    result = api("chat", "hi")
    assert (result.exit_code, result.stdout) == (exit_, "")
    assert result.stderr.startswith(f"error: {status}: no\n")
    result = api("chat", "hi", "--json")
    assert json.loads(result.stderr)["error"]["message"] == f"{status}: no"


@pytest.mark.parametrize("words", [["chat"], ["complete"], ["embed"], ["moderate"], ["speak"]])
def test_nothing_to_send_is_wrong_usage(server: Server, words: list[str]) -> None:
    result = api(*words)
    assert (result.exit_code, server.seen) == (2, [])
    assert "say what to" in result.stderr


def test_without_a_key_nothing_is_sent_and_the_exit_code_is_4(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("OPENAI_BASE_URL")
    result = api("chat", "hi")
    assert (result.exit_code, server.seen) == (4, [])


def test_http_to_another_machine_has_to_be_allowed(server: Server) -> None:
    server.says({"data": [{"id": "a"}]})
    elsewhere = server.url.replace("127.0.0.1", "0.0.0.0")  # noqa: S104 -- no loopback by its name
    result = api("models", "--base-url", elsewhere)
    assert (result.exit_code, server.seen) == (2, [])
    assert "in the clear" in result.stderr
    assert "--insecure" in result.stderr
    assert api("models", "--base-url", elsewhere, "--insecure").stdout == "a\n"


def test_what_is_said_before_api_holds_for_its_commands(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL")
    server.says({"data": []})
    assert run("--base-url", server.url, "-q", "api", "files", "list").exit_code == 1
    assert server.seen[-1].path == "/files"


# embed


def vectors(seen: Recorded) -> Reply:
    rows = [{"index": n, "embedding": [len(t), 0.1]} for n, t in enumerate(seen.content["input"])]
    return Reply(json.dumps({"data": rows, "usage": {"prompt_tokens": 3}}).encode())


def test_embed_prints_a_line_a_text(server: Server, tmp_path: Path) -> None:
    server.reply = vectors
    (tmp_path / "a.txt").write_text("four")
    result = api("embed", "a", "bb", "-f", "a.txt")
    assert result.stdout == "[1.0, 0.1]\n[2.0, 0.1]\n[4.0, 0.1]\n"
    assert result.stderr == "3 texts, 3 tokens\n"
    answer = json.loads(api("embed", "-", "--json", stdin="a\nbb\n").stdout)
    assert answer["data"][1] == {"object": "embedding", "index": 1, "embedding": [2.0, 0.1]}
    assert answer["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


def test_embed_saves_an_array_and_writes_over_none(server: Server, tmp_path: Path) -> None:
    server.reply = vectors
    assert api("embed", "a", "bb", "-o", "v.npy", "--dimensions", 2).stdout == "v.npy\n"
    saved = np.load(tmp_path / "v.npy")
    assert saved.dtype == np.float32
    assert saved.tolist() == np.array([[1, 0.1], [2, 0.1]], np.float32).tolist()
    assert body(server)["dimensions"] == 2
    refused = api("embed", "ccc", "-o", "v.npy")
    assert (refused.exit_code, len(server.seen)) == (2, 1)
    assert "v.npy is there already" in refused.stderr
    assert api("embed", "ccc", "-o", "v.npy", "--force").exit_code == 0
    assert np.load(tmp_path / "v.npy").shape == (1, 2)


def refusing(seen: Recorded) -> Reply:
    if "bad" in seen.content["input"]:
        return Reply(b'{"error": {"message": "invalid input"}}', status=400)
    return vectors(seen)


def test_a_text_that_is_refused_is_named_and_costs_no_other(server: Server, tmp_path: Path) -> None:
    server.reply = refusing
    (tmp_path / "a.txt").write_text("bad")
    words = ("embed", "-", "-f", "a.txt")
    result = api(*words, stdin="a\n\nbad\nb\u2028b\n")
    assert (result.exit_code, result.stdout) == (3, "[1.0, 0.1]\nnull\nnull\n[3.0, 0.1]\nnull\n")
    assert sorted(result.stderr.splitlines()) == [
        "2 of 5 texts, 6 tokens",
        "failed: a.txt: 400: invalid input",
        "failed: stdin:2: it is empty",
        "failed: stdin:3: 400: invalid input",
    ]
    answer = api(*words, "--json", stdin="a\n\n")
    assert [row["index"] for row in json.loads(answer.stdout)["data"]] == [0]
    assert api("embed", "a", "bad", "-o", "v.npy").exit_code == 3
    assert np.isnan(np.load(tmp_path / "v.npy")).tolist() == [[False] * 2, [True] * 2]
    result = api("embed", "", "", "-o", "w.npy")
    assert (result.exit_code, result.stdout, (tmp_path / "w.npy").exists()) == (2, "", False)
    assert result.stderr == "failed: TEXT 1: it is empty\nfailed: TEXT 2: it is empty\n"


def test_what_came_before_a_failure_was_paid_for(server: Server, tmp_path: Path) -> None:
    late = Event()

    def reply(seen: Recorded) -> Reply:
        if seen.content["input"][0] == "x" * 3:  # the second of three requests
            late.wait(10)
            return Reply(b'{"error": {"message": "no"}}', status=401)
        if seen.content["input"][0] == "x" * 4:
            late.set()
        return vectors(seen)

    server.reply = reply
    lines = ["xx"] * 2048 + ["xxx"] * 2048 + ["xxxx"] * 3
    result = api("embed", "-", stdin="\n".join(lines))
    assert (result.exit_code, len(server.seen)) == (4, 3)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert rows == [[2.0, 0.1]] * 2048 + [None] * 2048 + [[4.0, 0.1]] * 3
    assert result.stderr.splitlines()[:2] == ["2,051 of 4,099 texts, 6 tokens", "error: 401: no"]
    assert api("embed", "-", "-o", "v.npy", stdin="\n".join(lines)).exit_code == 4
    assert np.isfinite(np.load(tmp_path / "v.npy")).all(axis=1).sum() == 2051


# audio


def test_transcribe_prints_what_is_said(server: Server, tmp_path: Path) -> None:
    (tmp_path / "talk.mp3").write_bytes(b"ID3sound")
    server.says({"text": "Hello there."})
    result = api("transcribe", "talk.mp3", "--language", "en", "--prompt", "Ada")
    assert result.stdout == "Hello there.\n"
    assert server.seen[-1].path == "/audio/transcriptions"
    assert parts(server) == {
        "file": b"ID3sound",
        "language": b"en",
        "model": b"whisper-1",
        "prompt": b"Ada",
        "response_format": b"json",
    }
    answer = {"text": "Hello there.", "segments": [{"text": "Hello", "start": 0.0, "end": 1.5}]}
    server.says(answer)
    assert json.loads(api("transcribe", "talk.mp3", "--json").stdout) == answer
    assert parts(server)["response_format"] == b"verbose_json"


def test_subtitles_and_translations(server: Server) -> None:
    server.reply = Reply(b"1\n00:00:00,000 --> 00:00:01,000\nHi\n\n", headers={})
    result = api("translate", "-", "--format", "srt", stdin=b"RIFF....WAVE")
    assert result.stdout == "1\n00:00:00,000 --> 00:00:01,000\nHi\n"
    assert server.seen[-1].path == "/audio/translations"
    assert ("file", "stdin.wav") in [(name, file) for name, file, _, _ in body(server)]


def test_words_come_while_they_are_heard(server: Server, tmp_path: Path) -> None:
    (tmp_path / "talk.mp3").write_bytes(b"ID3sound")
    events = [{"type": "transcript.text.delta", "delta": word} for word in ("Hel", "lo.")]
    events.append({"type": "transcript.text.done", "text": "Hello."})
    server.streams(*(b"data: %s\n\n" % json.dumps(event).encode() for event in events))
    words = ("transcribe", "talk.mp3", "--stream")
    assert api(*words, "-m", "gpt-4o-transcribe").stdout == "Hello.\n"
    pieces = [b"data: %s\n\n" % json.dumps(event).encode() for event in events]
    server.streams(b'data: {"type": "transcript.text.segment", "text": "Hel"}\n\n', pieces[-1])
    assert api(*words, "-m", "m").stdout == "Hello.\n"
    server.streams(b'data: {"choices": []}\n\n')
    result = api(*words, "-m", "m")
    told = "no words came: without --stream, --json shows the whole answer\n"
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", told)
    server.streams(*pieces[:2])
    result = api(*words, "-m", "m")
    assert (result.exit_code, result.stdout) == (2, "Hello.\n")
    assert result.stderr == "error: the answer broke off: the server did not say that it ended\n"
    server.says({"text": "Hello."})
    result = api(*words)
    assert (result.exit_code, result.stdout) == (0, "Hello.\n")
    assert result.stderr == "whisper-1 can't stream: its text comes when all is heard\n"


PAGE = Reply(b"<h1>hi", headers={"content-type": "text/html; charset=utf-8"})
EMPTY = Reply(b"", headers={"content-type": "audio/mpeg"})


@pytest.mark.parametrize(
    ("command", "reply", "why"),
    [
        ("speak hello", PAGE, "expected sound, got text/html: '<h1>hi'"),
        ("speak hello", Reply(b"null"), "expected sound, got application/json: 'null'"),
        ("speak hello", EMPTY, "it is empty (expected sound, got audio/mpeg)"),
        ("files download f", PAGE, "expected a file, got text/html: '<h1>hi'"),
        ("files download f", Reply(b"", headers={}), "it is empty (expected a file, got no type)"),
    ],
)
def test_what_is_no_file_is_not_saved(server: Server, command: str, reply: Reply, why: str) -> None:
    server.reply = reply
    host = server.url.removeprefix("http://")
    error = f"error: the answer of {host} is not what was asked for: {why}"
    for output in ("a.mp3", "-"):
        done = api(*command.split(), "-o", output)
        assert (done.exit_code, done.stdout, done.stderr.splitlines()[0]) == (2, "", error)
    assert not Path("a.mp3").exists()


def test_a_file_that_a_server_calls_a_page_is_one(server: Server) -> None:
    server.reply = Reply(b"ID3\x04\0", headers={"content-type": "text/html"})
    assert api("speak", "hello", "-o", "-").stdout_bytes == b"ID3\x04\0"
    server.says({"a": 1})
    assert api("files", "download", "f").stdout_bytes == b'{"a": 1}'


def test_speech_goes_into_a_file_of_the_named_kind(server: Server, tmp_path: Path) -> None:
    server.reply = Reply(b"sound", headers={"content-type": "audio/wav"})
    assert api("speak", "hello", "-o", "a.wav", "--speed", 2).stdout == "a.wav\n"
    assert (tmp_path / "a.wav").read_bytes() == b"sound"
    assert body(server) == {
        "input": "hello",
        "model": "gpt-4o-mini-tts",
        "voice": "alloy",
        "speed": 2,
        "response_format": "wav",
    }
    assert api("speak", "hello", "-o", "-").stdout_bytes == b"sound"
    sent = len(server.seen)
    for wrong in ([], ["-o", "a.wav"], ["-o", "a.xyz"], ["-o", "nowhere/a.wav"]):
        assert api("speak", "hello", *wrong).exit_code == 2
    assert len(server.seen) == sent


# images


def pictures(*contents: bytes) -> dict[str, Any]:
    return {"data": [{"b64_json": base64.b64encode(content).decode()} for content in contents]}


def test_pictures_go_into_numbered_files(server: Server, tmp_path: Path) -> None:
    server.says(pictures(b"one", b"two"))
    result = api("image", "a", "cat", "-o", "cat.jpg", "-n", 2, "--size", "auto")
    assert result.stdout == "cat-1.jpg\ncat-2.jpg\n"
    assert (tmp_path / "cat-2.jpg").read_bytes() == b"two"
    drawn = {"prompt": "a cat", "model": "gpt-image-1", "n": 2, "size": "auto"}
    assert body(server) == drawn | {"output_format": "jpeg"}
    refused = api("image", "a", "cat", "-o", "cat.jpg", "-n", 2)
    assert (refused.exit_code, len(server.seen)) == (2, 1)
    assert "cat-1.jpg is there already" in refused.stderr
    assert json.loads(api("image", "a cat", "--json").stdout) == pictures(b"one", b"two")


def test_a_picture_that_is_none_keeps_no_other_from_its_file(
    server: Server, tmp_path: Path
) -> None:
    three = pictures(b"one", b"two", b"three")
    three["data"][1]["b64_json"] = "="
    server.says(three)
    result = api("image", "a cat", "-n", 4)
    assert (result.exit_code, result.stdout) == (3, "image-1.png\nimage-3.png\n")
    told = result.stderr.splitlines()
    assert told[0] == "3 of 4 pictures came"
    assert told[1].startswith("failed: image-2.png: the picture is no base64: ")
    assert (tmp_path / "image-3.png").read_bytes() == b"three"
    server.says(pictures(b"one", b"two"))  # more than are asked for
    assert api("image", "a cat").stderr == "failed: image-1.png: file exists\n"
    assert (tmp_path / "image-2.png").read_bytes() == b"two"


def test_older_models_are_asked_for_the_picture_itself(server: Server, tmp_path: Path) -> None:
    server.says(pictures(b"one"))
    assert api("image", "a cat", "-m", "dall-e-3").stdout == "image.png\n"
    assert (tmp_path / "image.png").read_bytes() == b"one"
    assert body(server)["response_format"] == "b64_json"
    server.says({"data": [{"url": "https://example.org/a.png"}]})
    assert api("image", "a cat", "-o", "b.png").stdout == "https://example.org/a.png\n"


def test_edit_image_sends_pictures_and_a_mask(server: Server, tmp_path: Path) -> None:
    for name in ("a", "b", "mask"):
        (tmp_path / f"{name}.png").write_bytes(name.encode())
    server.says(pictures(b"new"))
    common = ("edit-image", "add a hat", "a.png", "b.png", "--mask", "mask.png")
    assert api(*common, "-o", "new.png").stdout == "new.png\n"
    sent = [(name, file, content) for name, file, _, content in body(server) if file]
    assert sent == [
        ("image[]", "a.png", b"a"),
        ("image[]", "b.png", b"b"),
        ("mask", "mask.png", b"mask"),
    ]
    assert parts(server)["prompt"] == b"add a hat"


# moderate, models, files


def test_moderate_says_for_what_a_text_is_flagged(server: Server) -> None:
    bad = {
        "flagged": True,
        "categories": {"hate": True, "violence": True, "sexual": False},
        "category_scores": {"hate": 0.6, "violence": 0.98, "sexual": 0.01},
    }
    server.says({"results": [{"flagged": False}, bad]})
    result = api("moderate", "be kind", "be cruel")
    assert result.stdout == "ok\nflagged: violence 0.98, hate 0.60\n"
    assert body(server)["input"] == ["be kind", "be cruel"]
    result = api("moderate", "a", "b", "c")
    assert (result.exit_code, result.stdout) == (2, ""), "which text each is about is not known"
    assert result.stderr.startswith("error: expected 3 judgements, got 2\n")


def test_models_are_listed_described_and_deleted(server: Server) -> None:
    server.says({"data": [{"id": "b"}, {"id": "a", "owned_by": "me"}]})
    assert api("models").stdout == "a\nb\n"
    listed = {"object": "list", "data": [{"id": "a", "owned_by": "me"}, {"id": "b"}]}
    assert json.loads(api("models", "--json").stdout) == listed
    server.says({"data": []})
    assert api("models").exit_code == 1
    server.says({"id": "a", "owned_by": "me", "created": 86_400})
    assert api("models", "a").stdout == "a  me  1970-01-02 00:00\n"
    server.says({"id": "ft:a", "deleted": True})
    sent = len(server.seen)
    assert api("models", "ft:a", "--delete", stdin="n\n").exit_code == 2
    assert len(server.seen) == sent
    deleted = api("models", "ft:a", "--delete", "-y")
    assert (deleted.exit_code, deleted.stdout, deleted.stderr) == (0, "ft:a\n", "")
    assert (server.seen[-1].method, server.seen[-1].path) == ("DELETE", "/models/ft:a")


FILE = {
    "id": "file-1",
    "bytes": 2048,
    "created_at": 86_400,
    "filename": "a.jsonl",
    "purpose": "batch",
}


def test_files_go_up_are_listed_and_come_down(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"{}\n")
    server.says(FILE)
    assert api("files", "upload", "a.jsonl", "--purpose", "batch").stdout == "file-1\n"
    assert parts(server) == {"file": b"{}\n", "purpose": b"batch"}
    assert api("files", "upload", "-", stdin=b"x").exit_code == 2
    assert api("files", "upload", "-", "--name", "x.txt", stdin=b"x").stdout == "file-1\n"
    line = "file-1  batch  2,048 bytes  1970-01-02 00:00  a.jsonl\n"
    assert api("files", "get", "file-1").stdout == line
    server.says({"data": [FILE, FILE]})
    assert api("files", "list", "-n", 1, "--purpose", "batch").stdout == line
    assert server.seen[-1].query == "purpose=batch"
    server.reply = Reply(b"\x00\xff", headers={})
    assert api("files", "download", "file-1").stdout_bytes == b"\x00\xff"
    assert api("files", "download", "file-1", "-o", "b.bin").stdout == "b.bin\n"
    assert (tmp_path / "b.bin").read_bytes() == b"\x00\xff"
    server.says({"id": "file-1", "deleted": True})
    assert api("files", "delete", "file-1", "file-1").stdout == "file-1\nfile-1\n"


def test_what_can_not_be_deleted_keeps_nothing_else(server: Server) -> None:
    def reply(seen: Recorded) -> Reply:
        if seen.path.endswith("nosuch"):
            return Reply(b'{"error": {"message": "no such file"}}', status=404)
        return Reply(b'{"id": "%s", "deleted": true}' % seen.path.rpartition("/")[2].encode())

    server.reply = reply
    for family in ("files", "vector-store"):
        result = api(family, "delete", "a", "nosuch", "b")
        assert (result.exit_code, result.stdout) == (3, "a\nb\n")
        assert result.stderr == "failed: nosuch: 404: no such file\n"
        assert api(family, "delete", "nosuch").exit_code == 2


# batch and fine-tune


def states(*answers: dict[str, Any]) -> Callable[[Recorded], Reply]:
    """Answer these one after the other, and the last for ever."""
    left = list(answers)

    def reply(_: Recorded) -> Reply:
        return Reply(json.dumps(left.pop(0) if len(left) > 1 else left[0]).encode())

    return reply


def batch(status: str, completed: int = 0, failed: int = 0, **more: Any) -> dict[str, Any]:
    counts = {"total": 3, "completed": completed, "failed": failed}
    return {"id": "batch_1", "status": status, "request_counts": counts, **more}


REQUEST = {"custom_id": "1", "method": "POST", "url": "/v1/embeddings", "body": {}}


def test_a_batch_is_handed_in_and_waited_for(server: Server, tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text(json.dumps(REQUEST) + "\n")
    running = batch("in_progress", 1)
    done = batch("completed", 3)
    server.reply = states(FILE, batch("validating"), running, running, done)
    result = api("batch", "create", "r.jsonl", "--wait", "--every", 0)
    assert (result.exit_code, result.stdout) == (0, "batch_1\n")
    assert result.stderr.splitlines() == [
        "r.jsonl: file-1",
        "batch_1",
        "in_progress, 1 of 3 done",
        "completed, 3 of 3 done",
    ]
    assert server.seen[1].content == {
        "completion_window": "24h",
        "endpoint": "/v1/embeddings",
        "input_file_id": "file-1",
    }
    assert [seen.path for seen in server.seen[2:]] == ["/batches/batch_1"] * 3


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (batch("in_progress"), 0),
        (batch("completed", 2, 1), 3),
        (batch("expired"), 2),
        (batch("failed", errors={"data": [{"line": 7, "message": "no url"}]}), 2),
    ],
)
def test_how_a_batch_went_is_the_exit_code(
    server: Server, answer: dict[str, Any], code: int
) -> None:
    server.says(answer)
    result = api("batch", "get", "batch_1")
    assert result.exit_code == code
    assert result.stderr == ("failed: line 7: no url\n" if "errors" in answer else "")


def test_the_answers_of_a_batch_are_fetched(server: Server) -> None:
    server.says(batch("in_progress", 1))
    result = api("batch", "results", "batch_1")
    assert (result.exit_code, result.stderr) == (1, "nothing to fetch: in_progress, 1 of 3 done\n")
    files = {"output_file_id": "file-o", "error_file_id": "file-e"}
    server.reply = states(batch("completed", 2, 1, **files), {"custom_id": "1"})
    assert api("batch", "results", "batch_1", "--errors").stdout == '{"custom_id": "1"}'
    assert server.seen[-1].path == "/files/file-e/content"


def test_a_batch_of_no_requests_is_refused_before_it_is_uploaded(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "r.jsonl").write_text('{"custom_id": 1}\n')
    result = api("batch", "create", "r.jsonl")
    assert (result.exit_code, server.seen) == (2, [])
    assert 'r.jsonl:1: expected {"custom_id", "method", "url", "body"}' in result.stderr
    assert api("batch", "create", "file-1").exit_code == 2


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command as a process of its own, which can be interrupted."""
    with subprocess.Popen(
        [sys.executable, "-m", "embedsearch", "api", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_job_goes_on_when_the_wait_for_it_is_interrupted(server: Server) -> None:
    server.says(batch("in_progress", 1))
    where = server.url.replace("//", "//me:secret@")
    words = ("batch", "get", "batch_1", "--wait", "--every", "60", "--base-url", where)
    with running(*words) as process:
        assert process.stderr
        assert process.stderr.readline() == "in_progress, 1 of 3 done\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    again = "the job goes on; to look again: embedsearch api batch get batch_1 --wait"
    assert f"{again} --base-url {server.url}" in err.splitlines()
    assert [seen.method for seen in server.seen] == ["GET"]


def test_an_answer_that_is_interrupted_keeps_what_came(server: Server) -> None:
    stopped = Event()

    def pieces() -> Iterator[bytes]:
        yield chunk("Hello")
        stopped.wait(30)
        yield chunk(" there.")

    server.reply = Reply(pieces(), headers={"content-type": "text/event-stream"})
    with running("chat", "hi") as process:
        assert process.stdout
        assert process.stdout.read(5) == "Hello"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        stopped.set()
    assert (process.returncode, out, err) == (130, "\n", "\ninterrupted\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_vectors_in_flight_when_embed_is_interrupted_are_printed(
    server: Server, number: int
) -> None:
    came, free = Event(), Event()

    def late(seen: Recorded) -> Reply:
        came.set()
        free.wait(30)
        return vectors(seen)

    server.reply = late
    with running("embed", "a", "bb", "-m", "m") as process:
        assert process.stderr
        assert came.wait(30)
        process.send_signal(number)
        said = (
            "stopping: waiting for 1 request in flight: what was sent is billed; Ctrl-C drops it\n"
        )
        assert process.stderr.readline() == said
        free.set()
        out, err = process.communicate(timeout=30)
    assert out == "[1.0, 0.1]\n[2.0, 0.1]\n"
    interrupted = number == signal.SIGINT
    assert process.returncode == (130 if interrupted else -signal.SIGTERM)
    assert err == "2 texts, 3 tokens\n" + ("\ninterrupted\n" if interrupted else "")


def examples(count: int) -> str:
    turns = [
        [{"role": "user", "content": f"ticket {n}"}, {"role": "assistant", "content": "a"}]
        for n in range(count)
    ]
    return "".join(json.dumps({"messages": turn}) + "\n" for turn in turns)


def job(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "ftjob-1", "status": status, "model": "gpt-4.1-mini", **more}


def test_a_model_is_trained_on_a_checked_file(server: Server, tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text(examples(10))
    tuned = job("succeeded", fine_tuned_model="ft:gpt-4.1-mini:1")
    server.reply = states(FILE, job("queued"), job("running"), tuned)
    result = api("fine-tune", "create", "t.jsonl", "--epochs", 2, "--wait", "--every", 0)
    assert (result.exit_code, result.stdout) == (0, "ftjob-1\n")
    told = result.stderr.splitlines()
    assert told[0].startswith("10 examples, ")
    assert told[1:] == ["t.jsonl: file-1", "ftjob-1", "running", "succeeded: ft:gpt-4.1-mini:1"]
    rounds = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}}
    expected = {"model": "gpt-4.1-mini", "training_file": "file-1", "method": rounds}
    assert server.seen[1].content == expected


def test_an_upload_that_takes_long_says_so(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embedsearch.cli.progress.PATIENCE", 0.2)

    def slow(_: Recorded) -> Reply:
        time.sleep(0.5)
        return Reply(b'{"id": "file-1", "filename": "a.bin"}')

    server.reply = slow
    (tmp_path / "a.bin").write_bytes(b"\0" * 1_500_000)
    result = api("files", "upload", "a.bin")
    assert (result.exit_code, result.stderr) == (0, "uploading 1.5 MB, 0 s\n")
    assert api("files", "upload", "a.bin", "-q").stderr == ""


def test_no_file_with_a_line_at_fault_is_uploaded(server: Server, tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text(examples(10) + "{}\n" + '{"messages": []}\n')
    result = api("fine-tune", "create", "t.jsonl")
    assert (result.exit_code, server.seen) == (2, [])
    assert [line[:18] for line in result.stderr.splitlines()] == [
        "failed: t.jsonl:11",
        "failed: t.jsonl:12",
        "error: nothing was",
    ]


def test_a_line_of_json_ends_where_a_job_sees_its_end(server: Server, tmp_path: Path) -> None:
    odd = examples(10).replace("ticket", "ticket\u2028\x85")
    assert len(odd.splitlines()) == 30
    (tmp_path / "t.jsonl").write_text(odd)
    (tmp_path / "v.jsonl").write_bytes(b'\n{"messages": "\xff"}\n')
    result = api("fine-tune", "create", "t.jsonl", "--validation", "v.jsonl")
    assert (result.exit_code, server.seen) == (2, [])
    told = result.stderr.splitlines()
    assert told[0] == "failed: v.jsonl:1: expected a JSON object, came an empty line"
    assert told[1].startswith("failed: v.jsonl:2: expected a JSON object, came ")
    assert told[2:] == ["error: nothing was uploaded: 2 faults in the files"]
    (tmp_path / "t.jsonl").write_text("{}\n" * 99)
    told = api("fine-tune", "create", "t.jsonl").stderr.splitlines()
    assert [line.split()[1] for line in told[:99]] == [f"t.jsonl:{n}:" for n in range(1, 100)]
    assert told[99] == "failed: t.jsonl: expected at least 10 examples for training, came 0"


def test_a_training_that_costs_much_is_asked_about(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embedsearch.cli.spending.ASK_FROM", 0.0)
    (tmp_path / "t.jsonl").write_text(examples(10))
    assert api("fine-tune", "create", "t.jsonl", stdin="n\n").exit_code == 2
    assert server.seen == []


def test_jobs_are_looked_at_and_changed(server: Server) -> None:
    server.says(job("failed", error={"message": "bad file"}))
    result = api("fine-tune", "get", "ftjob-1")
    assert (result.exit_code, result.stdout) == (2, "ftjob-1  failed  gpt-4.1-mini\n")
    assert result.stderr == "failed: bad file\n"
    for verb in ("cancel", "pause", "resume"):
        server.says(job(verb))
        assert api("fine-tune", verb, "ftjob-1").stdout == f"ftjob-1  {verb}  gpt-4.1-mini\n"
        assert server.seen[-1].path == f"/fine_tuning/jobs/ftjob-1/{verb}"
    server.says({"data": [{"id": "2", "message": "later"}, {"id": "1", "message": "first"}]})
    assert api("fine-tune", "events", "ftjob-1").stdout == "first\nlater\n"
    server.says({"data": [job("running"), job("queued")]})
    assert len(api("fine-tune", "list").stdout.splitlines()) == 2
    point = {"id": "c", "fine_tuned_model_checkpoint": "ft:1", "step_number": 5}
    server.says({"data": [point | {"metrics": {"train_loss": 0.25}}]})
    assert api("fine-tune", "checkpoints", "ftjob-1").stdout == "ft:1  step 5  loss 0.2500\n"


def test_fine_tune_prepare_is_where_the_rest_of_it_is(server: Server, tmp_path: Path) -> None:
    rows = "text,label\n" + "".join(f"ticket {n},{'ab'[n % 2]}\n" for n in range(20))
    (tmp_path / "labelled.csv").write_text(rows)
    assert api("fine-tune", "prepare", "labelled.csv", "-o", "tuning").exit_code == 0
    assert (tmp_path / "tuning" / "training.jsonl").exists()
    assert (run("fine-tune").exit_code, server.seen) == (2, [])


# secrets

TOKEN = "ghp_" + "oHwLMeaZqo9DZDNjN1GTPdVKsb1DS2S5yXB6"
"""Made up, in the form of GitHub's."""

SENDING = {
    "chat TOKEN": "TEXT:1",
    "chat -f a.txt": "a.txt:2",
    "chat -": "stdin:2",
    "chat hi --system TOKEN": "--system:1",
    "chat hi --set user=TOKEN": "--set:1",
    'chat hi --schema {"title":"TOKEN"}': "--schema:1",
    "complete TOKEN": "TEXT:1",
    "complete hi --suffix TOKEN": "--suffix:1",
    "respond hi --after TOKEN": "--after:1",
    "embed hi TOKEN": "TEXT:2",
    "embed -": "stdin:2",
    "moderate -f a.txt": "a.txt:2",
    "speak TOKEN -o a.mp3": "TEXT:1",
    "speak hi -o a.mp3 --instructions TOKEN": "--instructions:1",
    "image TOKEN": "TEXT:1",
    "edit-image TOKEN p.png": "TEXT:1",
    "edit-image hi a.txt": "a.txt:2",
    "variation a.txt": "a.txt:2",
    "transcribe a.txt": "a.txt:2",
    "transcribe -": "stdin:2",
    "translate p.png --prompt TOKEN": "--prompt:1",
    "files upload a.txt": "a.txt:2",
    "files upload - --name a": "stdin:2",
    "files upload p.png --name TOKEN": "--name:1",
    "batch create a.txt --endpoint /v1/embeddings": "a.txt:2",
    "fine-tune create file-1 --validation a.txt": "a.txt:2",
    "fine-tune create file-1 --suffix TOKEN": "--suffix:1",
    "vector-store create TOKEN": "name:1",
    "vector-store add vs_1 file-1 a.txt": "a.txt:2",
    "vector-store search vs_1 TOKEN": "TEXT:1",
}
"""Every way in which a command is given what it sends, and where the secret in it is."""


@pytest.mark.parametrize("line", SENDING)
def test_a_secret_is_not_sent_and_its_place_is_named(
    server: Server, tmp_path: Path, line: str
) -> None:
    (tmp_path / "a.txt").write_text(f"First.\n{TOKEN}\n")
    (tmp_path / "p.png").write_bytes(b"\x89PNG\0")
    words = [word.replace("TOKEN", TOKEN) for word in line.split(" ")]
    result = api(*words, stdin=f"First.\n{TOKEN}\n")
    assert result.exit_code == 2
    assert f"nothing was sent: {SENDING[line]} (github-pat) looks like a secret" in result.stderr
    assert TOKEN not in result.output
    assert server.seen == []


def test_a_secret_is_sent_when_that_is_allowed_wherever_it_is_said(server: Server) -> None:
    server.says({"choices": [{"message": {"content": "Hi."}}]})
    said = ("chat", "--system", TOKEN, TOKEN, "--json", "--allow-secrets")
    assert api(*said).exit_code == 0
    assert [m["content"] for m in body(server)["messages"]] == [TOKEN, TOKEN]


@pytest.mark.parametrize("before", ["{}\n" * 3_000, "\n\n" + "äöü" * 1_000, "\n\n" + "x " * 3_000])
def test_a_secret_far_down_a_large_file_is_found(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    """Be it parted by the end of a window or not, once, and with its line."""
    monkeypatch.setattr(secrets, "BLOCK", 1_000)
    monkeypatch.setattr(secrets, "OVERLAP", 100)
    line = before.count("\n") + 1
    for shift in range(0, 100, 9):
        (tmp_path / "a.jsonl").write_text(f'{before}{"x" * shift} "{TOKEN}" {before}')
        result = api("files", "upload", "a.jsonl")
        said = f"nothing was sent: a.jsonl:{line} (github-pat) looks like a secret"
        assert said in result.stderr.splitlines()[0]
        assert result.stderr.count("(github-pat)") == 1
    assert server.seen == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "shift-jis"])
def test_a_secret_far_down_a_large_file_is_found_in_any_encoding(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setattr(secrets, "BLOCK", 1_000)
    monkeypatch.setattr(secrets, "OVERLAP", 100)
    sign = "テ" if encoding == "shift-jis" else "x"
    text = f"some words{sign}\n" * 600 + f"{sign}\n{TOKEN}\n"
    for shift in range(0, 30, 3):
        whole = "y" * shift + text + "more words\n" * (shift % 2 * 400)  # in the last window or not
        (tmp_path / "a.jsonl").write_bytes(whole.encode(encoding))
        result = api("files", "upload", "a.jsonl")
        assert "nothing was sent: a.jsonl:602 (github-pat) looks" in result.stderr.splitlines()[0]
        assert result.stderr.count("(github-pat)") == 1
    assert server.seen == []


@pytest.mark.parametrize(
    "words", [("batch", "create"), ("fine-tune", "create"), ("vector-store", "add", "vs_1")]
)
def test_a_mistyped_file_is_not_taken_for_an_id(server: Server, words: tuple[str, ...]) -> None:
    result = api(*words, "trainig.jsonl")
    assert (result.exit_code, server.seen) == (2, [])
    assert "there is no file 'trainig.jsonl'" in result.stderr


def test_what_is_no_picture_is_not_sent_as_one(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Hi.")
    result = api("chat", "hi", "-i", "a.txt")
    assert (result.exit_code, server.seen) == (2, [])
    assert "expected a picture, got 'a.txt', which is text/plain" in result.stderr
    (tmp_path / "p.png").write_bytes(b"\x89PNG\0")
    result = api("respond", "hi", "-a", "p.png")
    assert (result.exit_code, server.seen) == (2, [])
    assert "--attach: 'p.png' is a picture: --image sends it" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("chat", "hi", "-i", LONG), "--image: expected a picture's file or its URL, got 'xxx"),
        (("chat", "hi", "--schema", "s.json"), "got 's.json': no such file"),
        (("chat", "hi", "--schema", LONG), "--schema: expected a file or a JSON object, got 'xxx"),
        (("batch", "create", LONG), "for one that was uploaded, name its --endpoint"),
        (("batch", "create", "folder", "--endpoint", "/v1/responses"), "there is no file 'folder'"),
    ],
)
def test_what_is_no_file_is_said_to_be_none(
    server: Server, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    (tmp_path / "folder").mkdir()
    result = api(*words)
    assert (result.exit_code, server.seen) == (2, [])
    assert said in result.stderr


def test_an_id_may_be_longer_than_the_name_of_a_file(server: Server) -> None:
    server.says(batch("completed", 3))
    api("batch", "create", LONG, "--endpoint", "/v1/responses")
    assert body(server)["input_file_id"] == LONG


# vector stores


def test_a_store_is_made_filled_searched_and_deleted(server: Server, tmp_path: Path) -> None:
    made = {"id": "vs_1", "name": "notes", "usage_bytes": 1234, "created_at": 1_700_000_000}
    server.says(made)
    assert api("vector-store", "create", "notes").stdout == "vs_1\n"
    assert (server.seen[-1].path, body(server)) == ("/vector_stores", {"name": "notes"})

    counts = {"completed": 1, "total": 2, "failed": 1}
    server.says({"data": [made | {"file_counts": counts}]})
    listed = "vs_1  notes  1 of 2 files, 1 failed  1,234 bytes  2023-11-14 22:13\n"
    assert api("vector-store", "list").stdout == listed

    (tmp_path / "a.txt").write_text("Hi.")
    server.reply = states(
        {"id": "file-1"},
        {"id": "vsfb_1", "status": "in_progress", "file_counts": {"total": 2}},
        {"id": "vsfb_1", "status": "completed", "file_counts": counts},
    )
    result = api("vector-store", "add", "vs_1", "a.txt", "file-2", "--wait", "--every", 0)
    assert (result.exit_code, result.stdout) == (3, "vsfb_1\n")
    assert result.stderr == "a.txt: file-1\ncompleted, 1 of 2 files, 1 failed\n"
    added = server.seen[-2]
    assert added.path == "/vector_stores/vs_1/file_batches"
    assert added.content == {"file_ids": ["file-1", "file-2"]}

    passage = {"type": "text", "text": "One.\nTwo."}
    found = {"file_id": "file-1", "filename": "a.txt", "score": 0.5, "content": [passage]}
    server.says({"data": [found], "has_more": False})
    result = api("vector-store", "search", "vs_1", "who", "is", "it", "-k", 3)
    assert result.stdout == "0.500  file-1  a.txt\n  One.\n  Two.\n"
    assert body(server) == {"query": "who is it", "max_num_results": 3}

    server.says({"id": "vs_1", "deleted": True})
    assert api("vector-store", "delete", "vs_1").stdout == "vs_1\n"
    assert (server.seen[-1].method, server.seen[-1].path) == ("DELETE", "/vector_stores/vs_1")


def test_a_store_without_an_answer_exits_with_1(server: Server) -> None:
    server.says({"data": [], "has_more": False})
    assert api("vector-store", "search", "vs_1", "who").exit_code == 1
    assert api("vector-store", "list").exit_code == 1


def test_variations_of_a_picture_go_into_files(server: Server, tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(b"\x89PNG\0")
    server.says(pictures(b"one", b"two"))
    result = api("variation", "p.png", "-n", 2, "-o", "like.png")
    assert result.stdout == "like-1.png\nlike-2.png\n"
    assert server.seen[0].path == "/images/variations"
    sent = {"image": b"\x89PNG\0", "model": b"dall-e-2", "n": b"2", "response_format": b"b64_json"}
    assert parts(server) == sent
