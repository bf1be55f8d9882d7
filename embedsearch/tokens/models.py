"""What OpenAI's models read and what they cost: a dated table, and names resolved to its rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache

from embedsearch.tokens.encodings import TiktokenTokenizer, encoding

SOURCE = "https://developers.openai.com/api/docs/models"
"""The pages that limits and prices are published on, one a model.

The embedding models, gpt-4, gpt-5-nano, gpt-5-codex and gpt-5.6-luna were read there on ``AS_OF``,
and the input prices of gpt-5, gpt-5.4-mini, gpt-5.4-nano and gpt-5.6-terra; the rest is as it was
published before and may have changed since.
"""

AS_OF = "2026-11-23"
"""The day on which the table was last gone over."""

SNAPSHOT = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{4})$")


@dataclass(frozen=True, slots=True)
class Model:
    """A model's encoding, limits in tokens, and prices in US dollars per million tokens.

    ``context`` is how many tokens fit in a request with its answer, for an embedding model how
    many in one input. Prices are those of the standard tier, without the surcharge that the
    models from gpt-5.4 on have for prompts above 272,000 tokens. ``None`` is what could not be
    confirmed or does not exist, such as the output of an embedding model.
    """

    name: str
    encoding: str
    context: int | None = None
    max_output: int | None = None
    input_price: float | None = None
    cached_price: float | None = None
    output_price: float | None = None

    def cost(self, input_tokens: int, output_tokens: int = 0) -> float | None:
        """Return the price in US dollars, ``None`` if a price that it takes is not known."""
        total = 0.0
        for tokens, price in (
            (input_tokens, self.input_price),
            (output_tokens, self.output_price),
        ):
            if tokens and price is None:
                return None
            total += tokens * (price or 0) / 1_000_000
        return total


_O200K = "o200k_base"
_CL100K = "cl100k_base"

# name, encoding, context, longest answer, dollars per million input, cached input, output
MODELS = {
    row.name: row
    for row in (
        Model("text-embedding-3-small", _CL100K, 8192, None, 0.02),
        Model("text-embedding-3-large", _CL100K, 8192, None, 0.13),
        Model("text-embedding-ada-002", _CL100K, 8192, None, 0.10),
        # Reports of the prices of Sol and of gpt-5.5-pro disagree: None until they are read.
        Model("gpt-5.6-sol", _O200K, 1_050_000, 128_000),
        Model("gpt-5.6-terra", _O200K, 1_050_000, 128_000, 2.00, 0.20, 12.00),
        Model("gpt-5.6-luna", _O200K, 1_050_000, 128_000, 0.20, 0.02, 1.20),
        Model("gpt-5.5", _O200K, 1_050_000, 128_000, 5.00, 0.50, 30.00),
        Model("gpt-5.5-pro", _O200K, 1_050_000, 128_000),
        Model("gpt-5.4", _O200K, 1_050_000, 128_000, 2.50, 0.25, 15.00),
        Model("gpt-5.4-mini", _O200K, 400_000, 128_000, 0.75, 0.075, 4.50),
        Model("gpt-5.4-nano", _O200K, 400_000, 128_000, 0.20, 0.02, 1.25),
        Model("gpt-5.2", _O200K, 400_000, 128_000, 1.75, 0.175, 14.00),
        Model("gpt-5.2-chat-latest", _O200K, 128_000, 16_384, 1.75, 0.175, 14.00),
        Model("gpt-5.2-pro", _O200K, 400_000, 128_000, 21.00, None, 168.00),
        Model("gpt-5.1", _O200K, 400_000, 128_000, 1.25, 0.125, 10.00),
        Model("gpt-5.1-chat-latest", _O200K, 128_000, 16_384, 1.25, 0.125, 10.00),
        Model("gpt-5.1-codex", _O200K, 400_000, 128_000, 1.25, 0.125, 10.00),
        Model("gpt-5", _O200K, 400_000, 128_000, 1.25, 0.125, 10.00),
        Model("gpt-5-mini", _O200K, 400_000, 128_000, 0.25, 0.025, 2.00),
        Model("gpt-5-nano", _O200K, 400_000, 128_000, 0.05, 0.005, 0.40),
        Model("gpt-5-chat-latest", _O200K, 128_000, 16_384, 1.25, 0.125, 10.00),
        Model("gpt-5-codex", _O200K, 400_000, 128_000, 1.25, 0.125, 10.00),
        Model("gpt-5-pro", _O200K, 400_000, 272_000, 15.00, None, 120.00),
        Model("gpt-4.1", _O200K, 1_047_576, 32_768, 2.00, 0.50, 8.00),
        Model("gpt-4.1-mini", _O200K, 1_047_576, 32_768, 0.40, 0.10, 1.60),
        Model("gpt-4.1-nano", _O200K, 1_047_576, 32_768, 0.10, 0.025, 0.40),
        Model("gpt-4o", _O200K, 128_000, 16_384, 2.50, 1.25, 10.00),
        Model("gpt-4o-2024-05-13", _O200K, 128_000, 4096, 5.00, None, 15.00),
        Model("gpt-4o-mini", _O200K, 128_000, 16_384, 0.15, 0.075, 0.60),
        Model("chatgpt-4o-latest", _O200K, 128_000, 16_384, 5.00, None, 15.00),
        Model("o4-mini", _O200K, 200_000, 100_000, 1.10, 0.275, 4.40),
        Model("o4-mini-deep-research", _O200K, 200_000, 100_000, 2.00, 0.50, 8.00),
        Model("o3", _O200K, 200_000, 100_000, 2.00, 0.50, 8.00),
        Model("o3-pro", _O200K, 200_000, 100_000, 20.00, None, 80.00),
        Model("o3-mini", _O200K, 200_000, 100_000, 1.10, 0.55, 4.40),
        Model("o3-deep-research", _O200K, 200_000, 100_000, 10.00, 2.50, 40.00),
        Model("o1", _O200K, 200_000, 100_000, 15.00, 7.50, 60.00),
        Model("o1-pro", _O200K, 200_000, 100_000, 150.00, None, 600.00),
        Model("o1-mini", _O200K, 128_000, 65_536, 1.10, 0.55, 4.40),
        Model("o1-preview", _O200K, 128_000, 32_768, 15.00, 7.50, 60.00),
        Model("gpt-4-turbo", _CL100K, 128_000, 4096, 10.00, None, 30.00),
        Model("gpt-4-turbo-preview", _CL100K, 128_000, 4096, 10.00, None, 30.00),
        Model("gpt-4-0125-preview", _CL100K, 128_000, 4096, 10.00, None, 30.00),
        Model("gpt-4-1106-preview", _CL100K, 128_000, 4096, 10.00, None, 30.00),
        Model("gpt-4", _CL100K, 8192, 8192, 30.00, None, 60.00),
        Model("gpt-4-32k", _CL100K, 32_768, 32_768, 60.00, None, 120.00),
        Model("gpt-3.5-turbo", _CL100K, 16_385, 4096, 0.50, None, 1.50),
        Model("gpt-3.5-turbo-1106", _CL100K, 16_385, 4096, 1.00, None, 2.00),
        Model("gpt-3.5-turbo-0613", _CL100K, 4096, 4096, 1.50, None, 2.00),
        Model("gpt-3.5-turbo-0301", _CL100K, 4096, 4096, 1.50, None, 2.00),
        Model("gpt-3.5-turbo-16k", _CL100K, 16_385, 4096, 3.00, None, 4.00),
        Model("gpt-3.5-turbo-instruct", _CL100K, 4096, 4096, 1.50, None, 2.00),
        Model("davinci-002", _CL100K, 16_384, 16_384, 2.00, None, 2.00),
        Model("babbage-002", _CL100K, 16_384, 16_384, 0.40, None, 0.40),
    )
}

# As in tiktoken/model.py (MIT), without the encodings that are not shipped.
PREFIXES = {
    "o1-": _O200K,
    "o3-": _O200K,
    "o4-mini-": _O200K,
    "gpt-5": _O200K,
    "gpt-4.5-": _O200K,
    "gpt-4.1-": _O200K,
    "chatgpt-4o-": _O200K,
    "gpt-4o-": _O200K,
    "gpt-4-": _CL100K,
    "gpt-3.5": _CL100K,
    "gpt-35-turbo": _CL100K,
}


def model(name: str) -> Model:
    """Return what is known of a model.

    A dated snapshot is the model it is a snapshot of; a fine-tuned model (``ft:...``) has the
    encoding and limits of its base, but prices of its own that are not known here; of any other
    model only the encoding is known, by the start of its name, as tiktoken has it.

    Raises ValueError for a name that nothing is known of, with the names that come close.
    """
    if name.startswith("ft:"):
        base = model(name.split(":")[1])
        return replace(base, name=name, input_price=None, cached_price=None, output_price=None)
    row = MODELS.get(name) or MODELS.get(SNAPSHOT.sub("", name))
    if row is not None:
        return replace(row, name=name)
    for prefix, encoding_name in PREFIXES.items():
        if name.startswith(prefix):
            return Model(name, encoding_name)
    close = get_close_matches(name, MODELS, n=3, cutoff=0.5)
    near = f"did you mean {', '.join(close)}? " if close else "no name is near; "
    raise ValueError(f"unknown model {name!r}: {near}embedsearch tokens --models lists all")


@lru_cache(1000)
def known(name: str) -> Model | None:
    """Return what is known of a model, ``None`` where ``model`` raises."""
    try:
        return model(name)
    except ValueError:
        return None


def encoding_for(model_name: str) -> TiktokenTokenizer:
    """Return the tokenizer of a model. Raises ValueError for an unknown one."""
    return encoding(model(model_name).encoding)
