"""``/completions``."""

from collections.abc import Mapping, Sequence
from typing import Generic, Required, Unpack

from embedsearch.client.calls import Call, Either, Json, Options, S, Streamed, Whole, post
from embedsearch.client.resource import M, Resource, streaming
from embedsearch.client.types.chat import Completion


class CompletionParams(Options, Generic[S], total=False):
    """The arguments of `Completions.create`."""

    model: Required[str]
    prompt: Required[str | Sequence[str] | Sequence[int] | Sequence[Sequence[int]] | None]
    stream: S
    best_of: int | None
    echo: bool | None
    frequency_penalty: float | None
    logit_bias: Mapping[str, int] | None
    logprobs: int | None
    max_tokens: int | None
    n: int | None
    presence_penalty: float | None
    seed: int | None
    stop: str | Sequence[str] | None
    stream_options: Json | None
    suffix: str | None
    temperature: float | None
    top_p: float | None
    user: str


class Completions(Resource[M]):
    """Text that continues a prompt, or with ``suffix`` stands between two."""

    @streaming(Completion, CompletionParams[Streamed], CompletionParams[Either])
    def create(self, **body: Unpack[CompletionParams[Whole]]) -> Call[Completion]:
        """Ask the model to go on."""
        return post("/completions", Completion, body, guard="prompts")
