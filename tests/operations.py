"""Every operation of the API as one call or more, and the specification to judge them by."""

from __future__ import annotations

import json
import lzma
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

SPEC_FILE = Path(__file__).parent / "data" / "openai-subset.json.xz"
"""openai/openai-openapi f85dbe2, cut to what the client has, without its prose; MIT."""

WAV = ("talk.wav", b"RIFF\x00\x01\x02", "audio/wav")
PNG = ("cat.png", b"\x89PNG\r\n\x1a\n\x00--", "image/png")
ROWS = ("rows.jsonl", b'{"a": 1}\n{"a": 2}\n', "application/jsonl")


@dataclass(frozen=True)
class Operation:
    """A call: ``spec`` as in ``GET /models/{model}``, ``name`` as in ``models.retrieve``."""

    spec: str
    name: str
    ids: tuple[str, ...] = ()
    arguments: dict[str, Any] = field(default_factory=dict)
    stream: bool = False

    def __str__(self) -> str:
        return (
            self.name + (" streamed" if self.stream else "") + ("" if self.in_spec else " (beta)")
        )

    @property
    def in_spec(self) -> bool:
        """Whether the specification has it; it lacks the beta, and voices."""
        return "beta" not in self.spec and "voice" not in self.spec

    def on(self, client: Any) -> Any:
        """Call it on a client, ours or the SDK's."""
        target = client
        for name in self.name.split("."):
            target = getattr(target, name)
        return target(*self.ids, **self.arguments, **({"stream": True} if self.stream else {}))


def _op(spec: str, name: str, /, *ids: str, **arguments: Any) -> Operation:
    return Operation(spec, name, ids, arguments)


HELLO = [{"role": "user", "content": "Hello ☀"}]
PAGING = {"after": "id_9", "limit": 2}
STORE = {"vector_store_id": "vs_1"}
GRADER = {
    "type": "string_check",
    "name": "same",
    "input": "{{sample.output_text}}",
    "reference": "yes",
    "operation": "eq",
}

OPERATIONS = [
    _op("GET /models", "models.list"),
    _op("GET /models/{model}", "models.retrieve", "ft:gpt-4o:org/x y"),
    _op("DELETE /models/{model}", "models.delete", "ft:gpt-4o"),
    _op(
        "GET /chat/completions",
        "chat.completions.list",
        **PAGING,
        model="gpt-4o",
        order="desc",
        metadata={"a": "b c"},
    ),
    _op(
        "POST /chat/completions",
        "chat.completions.create",
        model="gpt-4o",
        messages=HELLO,
        temperature=0.5,
        top_p=None,
        tools=[
            {
                "type": "function",
                "function": {"name": "f", "parameters": {"type": "object", "properties": {}}},
            }
        ],
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "s", "schema": {"type": "object"}, "strict": True},
        },
    ),
    _op("GET /chat/completions/{completion_id}", "chat.completions.retrieve", "c_1"),
    _op(
        "POST /chat/completions/{completion_id}",
        "chat.completions.update",
        "c_1",
        metadata={"a": "b"},
    ),
    _op("DELETE /chat/completions/{completion_id}", "chat.completions.delete", "c_1"),
    _op(
        "GET /chat/completions/{completion_id}/messages",
        "chat.completions.messages.list",
        "c_1",
        **PAGING,
        order="asc",
    ),
    _op(
        "POST /completions",
        "completions.create",
        model="gpt-3.5-turbo-instruct",
        prompt="def f(",
        suffix="return 1",
        stop=["\n"],
        logit_bias={"50256": -100},
    ),
    _op("POST /completions", "completions.create", model="m", prompt=[[1, 2], [3]], echo=True),
    _op("POST /embeddings", "embeddings.create", model="text-embedding-3-small", input="a"),
    _op(
        "POST /embeddings",
        "embeddings.create",
        model="text-embedding-3-small",
        input=["a", "b"],
        dimensions=2,
        encoding_format="float",
    ),
    _op("POST /embeddings", "embeddings.create", model="text-embedding-3-small", input=[[1, 2]]),
    _op(
        "POST /audio/speech",
        "audio.speech.create",
        model="tts-1",
        input="Hello",
        voice="alloy",
        response_format="wav",
        speed=1.5,
    ),
    _op(
        "POST /audio/transcriptions",
        "audio.transcriptions.create",
        file=WAV,
        model="whisper-1",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
        temperature=0.5,
    ),
    _op(
        "POST /audio/transcriptions",
        "audio.transcriptions.create",
        file=WAV,
        model="gpt-4o-transcribe",
        include=["logprobs"],
        chunking_strategy={"type": "server_vad", "threshold": 0.5},
    ),
    _op(
        "POST /audio/transcriptions",
        "audio.transcriptions.create",
        file=WAV,
        model="whisper-1",
        response_format="srt",
    ),
    _op(
        "POST /audio/translations",
        "audio.translations.create",
        file=WAV,
        model="whisper-1",
        prompt="names",
    ),
    _op(
        "POST /audio/voice_consents",
        "audio.voice_consents.create",
        language="en-US",
        name="Ada",
        recording=WAV,
    ),
    _op("GET /audio/voice_consents", "audio.voice_consents.list", **PAGING),
    _op("GET /audio/voice_consents/{consent_id}", "audio.voice_consents.retrieve", "cons_1"),
    _op(
        "POST /audio/voice_consents/{consent_id}",
        "audio.voice_consents.update",
        "cons_1",
        name="Bea",
    ),
    _op("DELETE /audio/voice_consents/{consent_id}", "audio.voice_consents.delete", "cons_1"),
    _op(
        "POST /audio/voices",
        "audio.voices.create",
        audio_sample=WAV,
        consent="cons_1",
        name="Ada",
    ),
    _op(
        "POST /images/edits",
        "images.edit",
        image=PNG,
        prompt="a hat",
        mask=("mask.png", b"m", "image/png"),
        n=2,
    ),
    _op("POST /images/edits", "images.edit", image=[PNG, PNG], prompt="both", model="gpt-image-1"),
    _op(
        "POST /images/generations",
        "images.generate",
        prompt="a cat",
        model="gpt-image-1",
        size="1024x1024",
        quality="high",
    ),
    _op("POST /images/variations", "images.create_variation", image=PNG, n=1, size="256x256"),
    _op(
        "POST /fine_tuning/alpha/graders/run",
        "fine_tuning.alpha.graders.run",
        grader=GRADER,
        model_sample="yes",
        item={"a": 1},
    ),
    _op(
        "POST /fine_tuning/alpha/graders/validate",
        "fine_tuning.alpha.graders.validate",
        grader=GRADER,
    ),
    _op(
        "GET /fine_tuning/checkpoints/{fine_tuned_model_checkpoint}/permissions",
        "fine_tuning.checkpoints.permissions.list",
        "ft:x",
        project_id="p",
        limit=3,
    ),
    _op(
        "POST /fine_tuning/checkpoints/{fine_tuned_model_checkpoint}/permissions",
        "fine_tuning.checkpoints.permissions.create",
        "ft:x",
        project_ids=["p"],
    ),
    _op(
        "DELETE /fine_tuning/checkpoints/{fine_tuned_model_checkpoint}/permissions/{permission_id}",
        "fine_tuning.checkpoints.permissions.delete",
        "cp_1",
        fine_tuned_model_checkpoint="ft:x",
    ),
    _op(
        "POST /fine_tuning/jobs",
        "fine_tuning.jobs.create",
        model="gpt-4o-mini",
        training_file="file-1",
        suffix="mine",
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
    ),
    _op("GET /fine_tuning/jobs", "fine_tuning.jobs.list", **PAGING, metadata={"a": "b"}),
    _op("GET /fine_tuning/jobs/{fine_tuning_job_id}", "fine_tuning.jobs.retrieve", "ftjob-1"),
    _op("POST /fine_tuning/jobs/{fine_tuning_job_id}/cancel", "fine_tuning.jobs.cancel", "ftjob-1"),
    _op(
        "GET /fine_tuning/jobs/{fine_tuning_job_id}/checkpoints",
        "fine_tuning.jobs.checkpoints.list",
        "ftjob-1",
        **PAGING,
    ),
    _op(
        "GET /fine_tuning/jobs/{fine_tuning_job_id}/events",
        "fine_tuning.jobs.list_events",
        "ftjob-1",
        **PAGING,
    ),
    _op("POST /fine_tuning/jobs/{fine_tuning_job_id}/pause", "fine_tuning.jobs.pause", "ftjob-1"),
    _op("POST /fine_tuning/jobs/{fine_tuning_job_id}/resume", "fine_tuning.jobs.resume", "ftjob-1"),
    _op("GET /files", "files.list", **PAGING, purpose="batch", order="asc"),
    _op(
        "POST /files",
        "files.create",
        file=ROWS,
        purpose="batch",
        expires_after={"anchor": "created_at", "seconds": 3600},
    ),
    _op("POST /files", "files.create", file=b"bare bytes", purpose="user_data"),
    _op("DELETE /files/{file_id}", "files.delete", "file-1"),
    _op("GET /files/{file_id}", "files.retrieve", "file-1"),
    _op("GET /files/{file_id}/content", "files.content", "file-1"),
    _op("GET /files/{file_id}/content", "files.retrieve_content", "file-1"),
    _op(
        "POST /uploads",
        "uploads.create",
        bytes=10,
        filename="rows.jsonl",
        mime_type="text/jsonl",
        purpose="batch",
    ),
    _op("POST /uploads/{upload_id}/cancel", "uploads.cancel", "upload_1"),
    _op(
        "POST /uploads/{upload_id}/complete",
        "uploads.complete",
        "upload_1",
        part_ids=["p1", "p2"],
        md5="abc",
    ),
    _op("POST /uploads/{upload_id}/parts", "uploads.parts.create", "upload_1", data=b"0123456789"),
    _op(
        "POST /moderations", "moderations.create", input=["a", "b"], model="omni-moderation-latest"
    ),
    _op(
        "POST /batches",
        "batches.create",
        completion_window="24h",
        endpoint="/v1/embeddings",
        input_file_id="file-1",
        metadata={"a": "b"},
    ),
    _op("GET /batches", "batches.list", **PAGING),
    _op("GET /batches/{batch_id}", "batches.retrieve", "batch_1"),
    _op("POST /batches/{batch_id}/cancel", "batches.cancel", "batch_1"),
    _op(
        "POST /responses",
        "responses.create",
        model="gpt-5",
        input="Hello",
        reasoning={"effort": "low"},
        include=["reasoning.encrypted_content"],
    ),
    _op(
        "GET /responses/{response_id}",
        "responses.retrieve",
        "resp_1",
        include=["reasoning.encrypted_content", "message.output_text.logprobs"],
        include_obfuscation=False,
    ),
    _op("DELETE /responses/{response_id}", "responses.delete", "resp_1"),
    _op("POST /responses/{response_id}/cancel", "responses.cancel", "resp_1"),
    _op(
        "GET /responses/{response_id}/input_items",
        "responses.input_items.list",
        "resp_1",
        **PAGING,
        include=["message.input_image.image_url"],
    ),
    _op("POST /responses/input_tokens", "responses.input_tokens.count", model="gpt-5", input="a"),
    _op("POST /responses/compact", "responses.compact", model="gpt-5", input=HELLO),
    _op(
        "GET /responses/{response_id}?beta=true",
        "beta.responses.retrieve",
        "resp_1",
        starting_after=3,
    ),
    _op("DELETE /responses/{response_id}?beta=true", "beta.responses.delete", "resp_1"),
    _op("POST /responses/{response_id}/cancel?beta=true", "beta.responses.cancel", "resp_1"),
    _op("POST /responses/compact?beta=true", "beta.responses.compact", model="gpt-5", input=HELLO),
    _op(
        "GET /responses/{response_id}/input_items?beta=true",
        "beta.responses.input_items.list",
        "resp_1",
        **PAGING,
    ),
    _op(
        "POST /responses/input_tokens?beta=true",
        "beta.responses.input_tokens.count",
        model="gpt-5",
        input="a",
        betas=["responses_multi_agent=v1"],
    ),
    _op("GET /vector_stores", "vector_stores.list", **PAGING, before="vs_0", order="asc"),
    _op(
        "POST /vector_stores",
        "vector_stores.create",
        name="s",
        file_ids=["file-1"],
        expires_after={"anchor": "last_active_at", "days": 7},
    ),
    _op("GET /vector_stores/{vector_store_id}", "vector_stores.retrieve", "vs_1"),
    _op("POST /vector_stores/{vector_store_id}", "vector_stores.update", "vs_1", name="t"),
    _op("DELETE /vector_stores/{vector_store_id}", "vector_stores.delete", "vs_1"),
    _op(
        "POST /vector_stores/{vector_store_id}/file_batches",
        "vector_stores.file_batches.create",
        "vs_1",
        file_ids=["file-1"],
        attributes={"lang": "en"},
    ),
    _op(
        "GET /vector_stores/{vector_store_id}/file_batches/{batch_id}",
        "vector_stores.file_batches.retrieve",
        "b_1",
        **STORE,
    ),
    _op(
        "POST /vector_stores/{vector_store_id}/file_batches/{batch_id}/cancel",
        "vector_stores.file_batches.cancel",
        "b_1",
        **STORE,
    ),
    _op(
        "GET /vector_stores/{vector_store_id}/file_batches/{batch_id}/files",
        "vector_stores.file_batches.list_files",
        "b_1",
        **STORE,
        **PAGING,
        filter="completed",
    ),
    _op(
        "GET /vector_stores/{vector_store_id}/files",
        "vector_stores.files.list",
        "vs_1",
        **PAGING,
        filter="failed",
    ),
    _op(
        "POST /vector_stores/{vector_store_id}/files",
        "vector_stores.files.create",
        "vs_1",
        file_id="file-1",
        attributes={"year": 2024, "draft": False},
    ),
    _op(
        "GET /vector_stores/{vector_store_id}/files/{file_id}",
        "vector_stores.files.retrieve",
        "file-1",
        **STORE,
    ),
    _op(
        "DELETE /vector_stores/{vector_store_id}/files/{file_id}",
        "vector_stores.files.delete",
        "file-1",
        **STORE,
    ),
    _op(
        "POST /vector_stores/{vector_store_id}/files/{file_id}",
        "vector_stores.files.update",
        "file-1",
        **STORE,
        attributes={"lang": "de"},
    ),
    _op(
        "GET /vector_stores/{vector_store_id}/files/{file_id}/content",
        "vector_stores.files.content",
        "file-1",
        **STORE,
    ),
    _op(
        "POST /vector_stores/{vector_store_id}/search",
        "vector_stores.search",
        "vs_1",
        query="refunds",
        max_num_results=5,
        filters={"type": "eq", "key": "lang", "value": "en"},
    ),
]
"""One call or more of each of the 79 operations; 67 are in the specification."""

STREAMS = [
    Operation(op.spec, op.name, op.ids, op.arguments, stream=True)
    for op in OPERATIONS
    if op.name
    in {
        "chat.completions.create",
        "completions.create",
        "images.edit",
        "images.generate",
        "responses.create",
        "responses.retrieve",
    }
    or (op.name == "audio.transcriptions.create" and "include" in op.arguments)
]


def table() -> str:
    """Write what the page about the client says of each operation; each column is a test.

    Sync, async and "as the SDK" are `test_asks_and_reads_as_the_sdk_does` and
    `test_streams_as_the_sdk_does`, valid is `test_requests_are_what_the_specification_says`: their
    parameters are what the columns are made of.
    """
    rows = {operation.spec: operation for operation in OPERATIONS}
    names: dict[str, list[str]] = {}
    for operation in OPERATIONS:
        names.setdefault(operation.spec, []).append(operation.name)
    lines = [
        "| operation | method | sync | async | streams | valid | as the SDK |",
        "|---|---|" + 5 * "---|",
    ]
    for spec, operation in rows.items():
        methods = ", ".join(f"`{name}`" for name in dict.fromkeys(names[spec]))
        streams = "yes" if spec in {stream.spec for stream in STREAMS} else ""
        valid = "yes" if operation.in_spec else "not in it"
        lines.append(f"| `{spec}` | {methods} | yes | yes | {streams} | {valid} | yes |")
    return "\n".join(lines)


@cache
def spec() -> dict[str, Any]:
    """Read the specification."""
    read: dict[str, Any] = json.loads(lzma.decompress(SPEC_FILE.read_bytes()))
    return read


def described(spec_name: str) -> dict[str, Any]:
    """Give what the specification says of an operation; of the beta, what it says of the stable."""
    method, path = spec_name.removesuffix("?beta=true").split(" ")
    found: dict[str, Any] = spec()["paths"][path][method.lower()]
    return found


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a schema's reference."""
    while "$ref" in schema:
        schema = spec()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema
