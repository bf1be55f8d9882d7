"""Mail messages: the head, the body, what is attached by name, and texts among that."""

from __future__ import annotations

from email import policy
from email.errors import MessageError
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from embedsearch.errors import ReadError
from embedsearch.readers import markup
from embedsearch.readers.blocks import Blocks
from embedsearch.readers.decoding import decode

if TYPE_CHECKING:
    from email.message import EmailMessage, MIMEPart

    from embedsearch.records import Document

_HEAD = ("Subject", "From", "To", "Cc", "Date")


def read(id: str, data: bytes) -> Document:
    """Read a message: its plain text, or its HTML where it has none, or every text it has."""
    blocks = Blocks()
    head = add(blocks, data)
    return blocks.document(id, _metadata(head))


def add(blocks: Blocks, data: bytes, *, level: int | None = None) -> dict[str, str]:
    """Add a message's text, its subject as a heading of a level if one is given; return its head.

    Raises ReadError for what is no message.
    """
    try:
        message = BytesParser(policy=policy.default).parsebytes(data)
        head = {name: " ".join(_field(message, name).split()) for name in _HEAD}
        parts = _bodies(message)
        attached = list(message.iter_attachments())
        names = ", ".join(filter(None, (part.get_filename() for part in attached)))
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, IndexError) as error:
        raise ReadError("is not a mail message that can be parsed") from error
    except RecursionError as error:
        raise ReadError("is nested too deeply") from error
    if level is not None:
        blocks.heading(head["Subject"] or "(no subject)", level=level)
    told = [f"{name}: {value}" for name, value in head.items() if value]
    blocks.add("\n".join(told[1:] if level is not None and head["Subject"] else told))
    for part in parts:
        _add(blocks, part)
    blocks.add(f"Attachments: {names}" if names else "")
    for part in attached:
        if part.get_content_maintype() == "text":
            _add(blocks, part)
    return head


def _field(message: EmailMessage, name: str) -> str:
    """Return a field of the head, as it stands there where its numbers are beyond all dates."""
    try:
        return str(message.get(name, ""))
    except OverflowError:
        return next(str(value) for key, value in message.raw_items() if key.lower() == name.lower())


def _bodies(message: EmailMessage) -> list[MIMEPart]:
    body = message.get_body(("plain", "html"))
    if body is not None:
        return [body]
    return [part for part in message.walk() if part.get_content_maintype() == "text"]


def _add(blocks: Blocks, part: MIMEPart) -> None:
    payload = part.get_payload(decode=True)
    text = decode(
        payload if isinstance(payload, bytes) else b"", declared=part.get_content_charset()
    )
    if part.get_content_subtype() == "html":
        markup.add(blocks, text)
    else:
        blocks.add(text.replace("\r\n", "\n").strip())


def _metadata(head: dict[str, str]) -> dict[str, str]:
    try:
        date = parsedate_to_datetime(head["Date"]).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        date = head["Date"]
    return {
        "title": head["Subject"],
        "subject": head["Subject"],
        "from": head["From"],
        "to": head["To"],
        "date": date,
    }
