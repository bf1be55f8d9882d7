"""Any ONNX sentence model in a folder, laid out as sentence-transformers saves them."""

from __future__ import annotations

import hashlib
import json
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from embedsearch.embedders.model import SentenceModel
from embedsearch.errors import EmbeddingError

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Encoder

    from embedsearch.embedders.model import EncodingTokenizer, Pooling
    from embedsearch.embedders.protocol import Role

GRAPHS = ("model.onnx", "onnx/model.onnx")
MODULES = {"Transformer", "Pooling", "Normalize"}
"""The steps of a model that are known here; ``Dense`` would need weights of its own."""
DEFAULT_LENGTH = 512
BY_TOKEN = 3
"""How many dimensions an output has that is a vector for each token of each text."""
HINT = (
    "the folder needs model.onnx (or onnx/model.onnx) and tokenizer.json: export the model with "
    "sentence-transformers, SentenceTransformer(name, backend='onnx').save_pretrained(folder)"
)


def folder_model(name: str) -> SentenceModel:
    """Return the model in a folder, not loaded yet; its files are hashed to name the space.

    Raises EmbeddingError, with a hint, where a file is missing or says what is not known here.
    """
    folder = Path(name).expanduser().resolve()
    if not name or not folder.is_dir():
        raise EmbeddingError(
            f"no embedder is named {name!r}, and no folder",
            hint="'local', a model's folder, or openai/MODEL of an API",
        )
    graph = _graph(folder)
    _check_modules(folder)
    dimensions, pooling, prefixes = _dimensions(folder, graph), _pooling(folder), _prefixes(folder)
    tokenizer = cache(partial(_tokenizer, folder))
    length = _length(folder)
    reserved = max(len(ids) for ids in tokenizer().encode(list(prefixes.values())))
    if length <= reserved:
        raise EmbeddingError(f"{folder}: {length} tokens leave no room for a text")
    return SentenceModel(
        name=str(folder),
        space=f"onnx/{_digest(graph, folder)}/{dimensions}/{pooling}/unit/{json.dumps(prefixes)}",
        dimensions=dimensions,
        max_length=length,
        max_tokens=length - reserved,
        pooling=pooling,
        prefixes=prefixes,
        graph=partial(str, graph),
        tokenizer=tokenizer,
        remake=folder_model,
    )


def _graph(folder: Path) -> Path:
    found = [folder / name for name in GRAPHS if (folder / name).is_file()]
    if not found:
        raise EmbeddingError(f"{folder} holds no {' or '.join(GRAPHS)}", hint=HINT)
    return found[0]


def _digest(graph: Path, folder: Path) -> str:
    """Return the start of the sha256 over graph, its weights' file if it has one, and tokenizer."""
    digest = hashlib.sha256()
    weights = (graph.with_name(f"{graph.name}{suffix}") for suffix in ("_data", ".data"))
    for path in (graph, *filter(Path.is_file, weights), folder / "tokenizer.json"):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]


def _tokenizer(folder: Path) -> EncodingTokenizer:
    from tokenizers import Tokenizer

    from embedsearch.embedders.huggingface import HuggingFaceTokenizer
    from embedsearch.embedders.wordpiece import WordPieceTokenizer, is_bert

    definition = _json(folder, "tokenizer.json")
    if not definition:
        raise EmbeddingError(f"{folder} holds no tokenizer.json", hint=HINT)
    bert = is_bert(definition)
    if bert:
        # A document that says "[SEP]" holds a word; the template adds the real ones.
        definition["added_tokens"] = []
    definition |= {"truncation": None, "padding": None}
    try:
        encoder: Encoder = Tokenizer.from_str(json.dumps(definition))
    except Exception as error:  # tokenizers raises no narrower one
        raise EmbeddingError(f"{folder}/tokenizer.json can't be loaded: {error}") from error
    return (WordPieceTokenizer if bert else HuggingFaceTokenizer)(folder.name, encoder)


def _check_modules(folder: Path) -> None:
    modules = _json(folder, "modules.json", [])
    unknown = {module["type"].rpartition(".")[2] for module in modules} - MODULES
    if unknown:
        raise EmbeddingError(
            f"{folder}: the model has a step that is not known here: {', '.join(sorted(unknown))}",
            hint=f"models of {', '.join(sorted(MODULES))} can be used",
        )


def _dimensions(folder: Path, graph: Path) -> int:
    pooling, config = _json(folder, "1_Pooling/config.json"), _json(folder, "config.json")
    candidates = (
        pooling.get("word_embedding_dimension"),
        pooling.get("embedding_dimension"),
        config.get("hidden_size"),
        config.get("dim"),
    )
    for found in candidates:
        if found:
            return int(found)
    if width := _width(graph):
        return width
    raise EmbeddingError(
        f"{folder} doesn't say how many dimensions its vectors have",
        hint="copy the model's config.json there too: hidden_size is looked up in it",
    )


def _width(graph: Path) -> int:
    """Return the last dimension of a graph's output, 0 where it is not said."""
    import onnx

    try:
        outputs = onnx.load(graph, load_external_data=False).graph.output
    except Exception:  # noqa: BLE001 -- protobuf's own, which is not ours to import
        return 0  # loading it will say why
    shapes = [output.type.tensor_type.shape.dim for output in outputs]
    by_token = [shape for shape in shapes if len(shape) == BY_TOKEN]
    shape = next(iter(by_token or shapes), ())
    return int(shape[-1].dim_value) if shape else 0


def _pooling(folder: Path) -> Pooling:
    config = _json(folder, "1_Pooling/config.json")
    modes = {
        key.split("_")[2] for key, on in config.items() if key.startswith("pooling_mode_") and on
    }
    named = config.get("pooling_mode", [])
    modes |= {named} if isinstance(named, str) else set(named)
    if not config.get("include_prompt", True):
        modes.add("without the prompt")
    if modes <= {"mean"}:
        return "mean"
    if modes == {"cls"}:
        return "cls"
    raise EmbeddingError(
        f"{folder}: the model pools by {', '.join(sorted(modes))}", hint="only mean and cls can be"
    )


def _prefixes(folder: Path) -> dict[Role, str]:
    prompts = _json(folder, "config_sentence_transformers.json").get("prompts", {})
    document = prompts.get("document") or prompts.get("passage") or ""
    return {"document": document, "query": prompts.get("query") or ""}


def _length(folder: Path) -> int:
    candidates = (
        _json(folder, "sentence_bert_config.json").get("max_seq_length"),
        _json(folder, "tokenizer_config.json").get("model_max_length"),
        _json(folder, "config.json").get("max_position_embeddings"),
    )
    # Tokenizers without a limit say 10**30.
    known = [int(found) for found in candidates if found and found < 1 << 20]
    return known[0] if known else DEFAULT_LENGTH


def _json(folder: Path, name: str, missing: Any = MappingProxyType({})) -> Any:
    """Return what a file of the model says; ``missing``, also its type, where there is none."""
    try:
        content = json.loads((folder / name).read_bytes())
    except FileNotFoundError:
        return missing
    except (OSError, ValueError) as error:
        raise EmbeddingError(f"{folder / name} can't be read: {error}") from error
    if isinstance(content, list) is not isinstance(missing, list):
        raise EmbeddingError(f"{folder / name} can't be read: it holds a {type(content).__name__}")
    return content
