"""YAML as people write it today: plain values mean what they do in YAML 1.2's core schema.

``no``, ``12:30`` and ``1_000``, which YAML 1.1 makes false, 750 and 1000 of, are texts. So is what
may well be a code, and here that schema sees a number: what has a leading zero (``01234``), or an
exponent without a point (``12e3456789``, which is infinity), and ``0o17``. Dates stay dates.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

_MEANT = {
    "tag:yaml.org,2002:bool": (r"(?:true|True|TRUE|false|False|FALSE)\Z", "tTfF"),
    "tag:yaml.org,2002:int": (r"(?:[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+)\Z", "-+0123456789"),
    "tag:yaml.org,2002:float": (
        r"(?:[-+]?(?:(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z",
        "-+.0123456789",
    ),
}
"""What a plain value of these types looks like, and the characters that it may begin with."""


class _Loader(yaml.SafeLoader):
    """PyYAML's, which follows YAML 1.1, with other ideas of what is true and what is a number."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _MEANT]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _tag, (_pattern, _first) in _MEANT.items():
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))


def _as_written(loader: _Loader, node: yaml.ScalarNode) -> Any:
    return loader.construct_scalar(node)


# JSON has no bytes: base64 stays the text that it is.
_Loader.add_constructor("tag:yaml.org,2002:binary", _as_written)


def load(text: str) -> Any:
    """Return what a document of YAML holds; raises what ``yaml.safe_load`` does."""
    return yaml.load(text, _Loader)  # noqa: S506 -- it is a SafeLoader
