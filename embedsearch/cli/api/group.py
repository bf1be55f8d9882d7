"""``embedsearch api`` itself: which commands there are."""

from __future__ import annotations

import click

from embedsearch.cli.late import Late, LateGroup

COMMANDS = {
    "chat": Late("api.chat", "Ask a model; the answer comes as it is written."),
    "respond": Late("api.responses", "Ask a model with the provider's tools and memory."),
    "complete": Late("api.completions", "Let a model continue a text, or fill a gap."),
    "embed": Late("api.embeddings", "Print or save the vectors of texts."),
    "transcribe": Late("api.audio", "Write down what is said in a recording."),
    "translate": Late("api.audio", "Write down in English what is said in a recording."),
    "speak": Late("api.audio", "Read a text aloud, into a file."),
    "image": Late("api.images", "Draw pictures, into files."),
    "edit-image": Late("api.images", "Change a picture, or make one of several."),
    "variation": Late("api.images", "Draw pictures like another."),
    "moderate": Late("api.moderations", "Judge whether texts may do harm."),
    "models": Late("api.models", "List the models that the server offers."),
    "files": Late("api.files", "Upload, list, fetch and delete files."),
    "batch": Late("api.batches", "Have requests in a file answered within a day."),
    "vector-store": Late("api.vector_stores", "Have files searched by the provider."),
    "fine-tune": Late("api.fine_tuning", "Prepare examples, and train models on them."),
}


@click.group("api", cls=LateGroup, late=COMMANDS)
def api_() -> None:
    """Ask an API for anything: OpenAI's, or that of a compatible server.

    Needs no index. The key is $OPENAI_API_KEY, the server --base-url, $OPENAI_BASE_URL or OpenAI's
    own. With --json the whole answer is printed as it came.
    """
