"""``embedsearch api image``, ``edit-image`` and ``variation``."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedsearch.cli import options, outputs
from embedsearch.cli.api import asking, printing, secrets
from embedsearch.cli.errors import FAILED, SOME_FAILED
from embedsearch.cli.reports import list_lines
from embedsearch.cli.terminal import counted, note, show
from embedsearch.errors import EmbedsearchError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from embedsearch.client.types.images import Image, ImagesResponse

DEFAULT_MODEL = "gpt-image-1"
VARYING_MODEL = "dall-e-2"
"""The only model of OpenAI's that makes variations."""
FORMATS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}


def _of_pictures(model: str) -> Callable[[asking.F], asking.F]:
    """Add what all commands have that write pictures."""
    return options.together(
        asking.of_model(model),
        click.option(
            "-o",
            "--output",
            metavar="FILE",
            type=click.Path(dir_okay=False, path_type=Path),
            default="image.png",
            show_default=True,
            help="Where it goes: a png, jpg or webp; several are NAME-1.png, ...",
        ),
        outputs.force,
        click.option("-n", "count", type=click.IntRange(1, 10), default=1, help="How many."),
        click.option("--size", metavar="WxH", help="1024x1024, 1536x1024, auto, ..."),
        asking.extras,
    )


of_style = options.together(
    click.option("--quality", metavar="WORD", help="low, medium, high, ..."),
    click.option("--background", type=click.Choice(["transparent", "opaque", "auto"])),
)


@click.command("image")
@asking.texts
@_of_pictures(DEFAULT_MODEL)
@of_style
@asking.common
def image_(
    *, words: tuple[str, ...], files: tuple[str, ...], extra: dict[str, Any], **given: Any
) -> None:
    """Draw what TEXT ('-' is stdin) describes, and print the names of the files it went to.

    With --json the answer is printed, and no file is written.
    """
    prompt = asking.text(words, files)
    paths = _claimed(given)
    with asking.client() as client:
        answer = client.images.generate(prompt=prompt, **_body(given), extra_body=extra)
    _finish(answer, paths, given)


@click.command("edit-image")
@click.argument("prompt", metavar="TEXT")
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, type=secrets.FILE)
@click.option(
    "--mask",
    metavar="FILE",
    type=secrets.FILE,
    help="A png that is transparent where the picture may change.",
)
@secrets.allowing
@_of_pictures(DEFAULT_MODEL)
@of_style
@asking.common
def edit_image_(
    *, prompt: str, images: tuple[str, ...], mask: str | None, extra: dict[str, Any], **given: Any
) -> None:
    """Change IMAGE as TEXT ('-' is stdin) says, or make one picture of several."""
    paths = _claimed(given)
    body = _body(given) | asking.said(mask=Path(mask) if mask else None)
    pictures = [Path(image) for image in images]
    image = pictures[0] if len(pictures) == 1 else pictures
    words = asking.text([prompt], [])
    with asking.client() as client:
        answer = client.images.edit(prompt=words, image=image, **body, extra_body=extra)
    _finish(answer, paths, given)


@click.command("variation")
@click.argument("image", type=secrets.FILE)
@secrets.allowing
@_of_pictures(VARYING_MODEL)
@asking.common
def variation_(*, image: str, extra: dict[str, Any], **given: Any) -> None:
    """Draw pictures like IMAGE, a square png."""
    paths = _claimed(given)
    with asking.client() as client:
        answer = client.images.create_variation(image=Path(image), **_body(given), extra_body=extra)
    _finish(answer, paths, given)


def _claimed(given: dict[str, Any]) -> list[Path]:
    """Return where pictures go, none where only the answer is wanted."""
    if given["as_json"]:
        return []
    if given["output"].suffix.lower() not in FORMATS:
        names = ", ".join(FORMATS)
        raise click.UsageError(f"-o: expected a name in {names}, got {str(given['output'])!r}")
    paths = printing.numbered(given["output"], given["count"])
    printing.claim(None, force=given["force"], names=paths)
    return paths


def _body(given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments; the older models give addresses unless told otherwise, in png only."""
    names = ("model", "size", "quality", "background")
    body = asking.said(n=given["count"], **{name: given.get(name) for name in names})
    if given["model"].startswith("dall-e"):
        return body | {"response_format": "b64_json"}
    kind = FORMATS.get(given["output"].suffix.lower(), "png")
    return body if kind == "png" else body | {"output_format": kind}


def _finish(answer: ImagesResponse, paths: list[Path], given: dict[str, Any]) -> None:
    if given["as_json"]:
        printing.whole(answer.to_dict())
        return
    pictures = answer.data or []
    if not pictures:
        raise EmbedsearchError("the answer holds no picture", hint="see it with --json")
    if len(pictures) < len(paths):
        note(f"{len(pictures)} of {counted(len(paths), 'picture')} came")
    if len(pictures) > len(paths):
        paths = printing.numbered(given["output"], len(pictures))
    _keep_all(pictures, paths, force=given["force"])


def _keep_all(pictures: Sequence[Image], paths: Sequence[Path], *, force: bool) -> None:
    """Keep each picture that can be kept: all were paid for."""
    failed = []
    for picture, path in zip(pictures, paths, strict=False):
        try:
            _keep(picture, path, force=force)
        except (EmbedsearchError, OSError) as error:
            if len(pictures) == 1:
                raise
            why = str(getattr(error, "strerror", None) or error)
            failed.append(("failed", f"{path}: {why[0].lower()}{why[1:]}"))
    list_lines(failed)
    if failed:
        click.get_current_context().exit(SOME_FAILED if len(failed) < len(pictures) else FAILED)


def _keep(picture: Image, path: Path, *, force: bool) -> None:
    if picture.b64_json is None:
        show(picture.url or "")
        note("the server keeps the picture at this address, for an hour or so")
        return
    try:
        content = base64.b64decode(picture.b64_json, validate=True)
    except binascii.Error as error:
        raise EmbedsearchError(f"the picture is no base64: {error}") from error
    with printing.saving(path, force=force) as file:
        file.write(content)
