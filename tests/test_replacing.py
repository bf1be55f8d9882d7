"""Files that are replaced: all of it or none, and what kind of file it is stays."""

from __future__ import annotations

import errno
import os
import resource
import signal
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from embedsearch.replacing import replacing

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def small_files(most: int) -> Iterator[None]:
    """Let no file have more bytes: it stands in for a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def write(path: Path, content: bytes) -> None:
    with replacing(path) as file:
        file.write(content)


def test_a_full_disk_leaves_the_old_file_and_is_told_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write(path, b"old")
    with small_files(1_000), pytest.raises(OSError, match="too large") as refused:
        write(path, bytes(100_000))
    assert (refused.value.errno, refused.value.filename) == (errno.EFBIG, str(path))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_told_by_the_name_that_was_given(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "page.html"
    with pytest.raises(FileNotFoundError) as refused:
        write(path, b"new")
    assert refused.value.filename == str(path)


def test_links_permissions_and_pipes_stay(tmp_path: Path) -> None:
    plain, new, old, link, dangling, pipe = (
        tmp_path / name for name in ("plain", "new", "old", "link", "dangling", "pipe")
    )
    plain.touch()
    old.touch(0o640)
    link.symlink_to(old)
    dangling.symlink_to(new)
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    for path in (link, dangling, pipe):
        write(path, b"012")
    reader.join()
    assert link.is_symlink()
    assert (old.read_bytes(), old.stat().st_mode & 0o777) == (b"012", 0o640)
    assert dangling.is_symlink()
    assert (new.read_bytes(), new.stat().st_mode) == (b"012", plain.stat().st_mode)
    assert (pipe.is_fifo(), got) == (True, [b"012"])


def test_what_stands_for_an_open_file_is_written_to_where_that_is(tmp_path: Path) -> None:
    log, link = tmp_path / "log", tmp_path / "link"
    with log.open("wb") as file:
        file.write(b"before ")
        file.flush()
        link.symlink_to(f"/dev/fd/{file.fileno()}")
        write(link, b"page ")
        write(Path(f"/dev/fd/{file.fileno()}"), b"page ")
        file.write(b"after")
    assert log.read_bytes() == b"before page page after"
    assert sorted(tmp_path.iterdir()) == [link, log]


def test_what_is_no_open_file_is_told_by_the_name_that_was_given() -> None:
    with pytest.raises(OSError, match="Bad file descriptor") as refused:
        write(Path("/dev/fd/987"), b"new")
    assert refused.value.filename == "/dev/fd/987"
