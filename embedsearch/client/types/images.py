"""Pictures."""

from embedsearch.client.types.record import Event, Object, Record


class Image(Record):
    """A picture: base64, or where it can be fetched from for an hour."""

    b64_json: str | None = None
    url: str | None = None
    revised_prompt: str | None = None


class ImageUsage(Record):
    """What a picture was billed for, in tokens."""

    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    input_tokens_details: Object | None = None
    output_tokens_details: Object | None = None


class ImagesResponse(Record):
    """The pictures that were asked for."""

    created: int = 0
    data: list[Image] | None = None
    background: str | None = None
    output_format: str | None = None
    quality: str | None = None
    size: str | None = None
    usage: ImageUsage | None = None


class ImageEvent(Event):
    """A picture as far as it is drawn; ``type`` tells whether it is done."""

    type: str = ""
    b64_json: str = ""
    created_at: int = 0
    partial_image_index: int | None = None
    background: str | None = None
    output_format: str | None = None
    quality: str | None = None
    size: str | None = None
    usage: ImageUsage | None = None
