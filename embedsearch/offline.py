"""Nothing leaves this machine unasked: what a library would send by itself is turned off."""

from __future__ import annotations

import os


def silence_onnxruntime() -> None:
    """Turn off the telemetry of ONNX Runtime; it looks once, while it is loaded.

    From release 1.29 on it keeps an id of the machine and a log of its uses in the user's cache,
    and sends them to Microsoft (its docs/Privacy.md). What the user has set stays as it is.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
