"""``/images``."""

from collections.abc import Sequence
from typing import Generic, Literal, Required, Unpack

from embedsearch.client.calls import Call, Either, Json, Options, S, Streamed, Whole, post
from embedsearch.client.multipart import File
from embedsearch.client.resource import M, Resource, endpoint, streaming
from embedsearch.client.types.images import ImageEvent, ImagesResponse


class DrawParams(Options, Generic[S], total=False):
    """The arguments that `Images.generate` and `Images.edit` share."""

    prompt: Required[str]
    stream: S
    background: Literal["transparent", "opaque", "auto"] | None
    complexity: Literal["low", "medium", "high"] | None
    frame_count: int | None
    frame_duration_ms: int | None
    model: str | None
    n: int | None
    output_compression: int | None
    output_format: str | None
    partial_images: int | None
    quality: str | None
    response_format: Literal["url", "b64_json"] | None
    safety_identifier: str | None
    size: str | None
    svg: Json | None
    user: str


class GenerateParams(DrawParams[S], Generic[S], total=False):
    """The arguments of `Images.generate`."""

    moderation: Literal["low", "auto"] | None
    style: Literal["vivid", "natural"] | None


class EditParams(DrawParams[S], Generic[S], total=False):
    """The arguments of `Images.edit`."""

    image: Required[File | Sequence[File]]
    input_fidelity: Literal["high", "low"] | None
    markup: File
    mask: File


class VariationParams(Options, total=False):
    """The arguments of `Images.create_variation`."""

    image: Required[File]
    model: str | None
    n: int | None
    response_format: Literal["url", "b64_json"] | None
    size: Literal["256x256", "512x512", "1024x1024"] | None
    user: str


class Images(Resource[M]):
    """Pictures from words and from pictures."""

    @streaming(ImageEvent, GenerateParams[Streamed], GenerateParams[Either])
    def generate(self, **body: Unpack[GenerateParams[Whole]]) -> Call[ImagesResponse]:
        """Draw a picture."""
        return post("/images/generations", ImagesResponse, body)

    @streaming(ImageEvent, EditParams[Streamed], EditParams[Either])
    def edit(self, **body: Unpack[EditParams[Whole]]) -> Call[ImagesResponse]:
        """Change a picture, or make one of several."""
        files = ("image", "mask", "markup")
        return post("/images/edits", ImagesResponse, body, files=files)

    @endpoint
    def create_variation(self, **body: Unpack[VariationParams]) -> Call[ImagesResponse]:
        """Draw a picture like another."""
        return post("/images/variations", ImagesResponse, body, files=("image",))
