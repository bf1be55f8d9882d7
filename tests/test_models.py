"""Model names resolved, and what tokens cost."""

from __future__ import annotations

import re

import pytest
import tiktoken.model

from embedsearch.tokens import encoding_for, model
from embedsearch.tokens.encodings import DEFINITIONS
from embedsearch.tokens.models import MODELS


def test_every_model_has_the_encoding_that_tiktoken_gives_it() -> None:
    ours = {name: row.encoding for name, row in MODELS.items()}
    theirs = {name: tiktoken.model.encoding_name_for_model(name) for name in ours}
    assert ours == theirs


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, encoding in tiktoken.model.MODEL_TO_ENCODING.items()
        if encoding in DEFINITIONS
    ],
)
def test_every_model_that_tiktoken_knows_is_known(name: str) -> None:
    assert encoding_for(name).name == tiktoken.model.encoding_name_for_model(name)


@pytest.mark.parametrize("prefix", tiktoken.model.MODEL_PREFIX_TO_ENCODING)
def test_prefixes_resolve_as_in_tiktoken(prefix: str) -> None:
    name = f"{prefix}something-new" if prefix.endswith("-") else prefix
    expected = tiktoken.model.encoding_name_for_model(name)
    if expected in DEFINITIONS:
        assert model(name).encoding == expected


def test_a_snapshot_is_the_model_under_its_own_name() -> None:
    snapshot, current = model("gpt-4o-mini-2024-07-18"), model("gpt-4o-mini")
    assert snapshot.name == "gpt-4o-mini-2024-07-18"
    assert (snapshot.context, snapshot.input_price) == (128_000, 0.15)
    assert (current.context, current.input_price) == (128_000, 0.15)


def test_a_fine_tuned_model_has_the_limits_of_its_base_but_no_known_price() -> None:
    tuned = model("ft:gpt-4.1-mini-2025-04-14:acme::abc123")
    assert (tuned.encoding, tuned.context, tuned.max_output) == ("o200k_base", 1_047_576, 32_768)
    assert tuned.cost(1) is None


def test_of_a_model_known_by_its_prefix_only_the_encoding_is_known() -> None:
    unlisted = model("gpt-5.9-mini")
    assert unlisted.encoding == "o200k_base"
    assert unlisted.context is None
    assert unlisted.cost(1) is None


def test_an_unknown_model_is_refused_with_close_names() -> None:
    with pytest.raises(ValueError, match=re.escape("did you mean text-embedding-3-small, ")):
        model("text-embeding-3-small")


def test_a_name_like_no_other_is_refused_with_how_to_see_all() -> None:
    with pytest.raises(ValueError, match="'zzz': no name is near; embedsearch tokens --models li"):
        model("zzz")


def test_cost_is_dollars_per_million_tokens() -> None:
    assert model("text-embedding-3-small").cost(5_000_000) == pytest.approx(0.10)
    assert model("gpt-4o").cost(1000, 100) == pytest.approx(0.0025 + 0.001)
    assert model("gpt-4o").cost(0) == 0.0


def test_cost_is_unknown_where_a_price_is() -> None:
    assert model("text-embedding-3-small").cost(1, 1) is None
