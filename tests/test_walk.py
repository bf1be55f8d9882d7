"""Walking a folder: what is found, in which order, and what is left out."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from embedsearch.readers import File, Unreadable, walk
from embedsearch.readers.walking import BAD_NAME

if TYPE_CHECKING:
    from pathlib import Path


def plant(root: Path, *paths: str) -> Path:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    return root


def ignore(folder: Path, *lines: str, name: str = ".gitignore") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join(lines) + "\n")


def found(root: Path) -> list[str]:
    return [item.path for item in walk(root)]


def test_yields_files_by_name_before_the_folders_beside_them(tmp_path: Path) -> None:
    plant(tmp_path, "b.md", "a/z.md", "a.md", "c/d/e.md", "c/a.md", "B.md")
    assert found(tmp_path) == ["B.md", "a.md", "b.md", "a/z.md", "c/a.md", "c/d/e.md"]


def test_tells_size_and_time_of_change(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"12345")
    assert list(walk(tmp_path)) == [File("a.txt", 5, (tmp_path / "a.txt").stat().st_mtime_ns)]
    os.utime(tmp_path / "a.txt", ns=(1, 1_234_567_890))
    (found,) = walk(tmp_path)
    assert found == File("a.txt", 5, (tmp_path / "a.txt").stat().st_ctime_ns)


def test_finds_nothing_in_an_empty_folder(tmp_path: Path) -> None:
    assert list(walk(tmp_path)) == []


def test_reports_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert list(walk(tmp_path / "gone")) == [Unreadable(".", "no such file or directory")]


def test_leaves_out_hidden_names_and_what_tools_keep(tmp_path: Path) -> None:
    plant(tmp_path, ".env", ".git/a", ".hg/a", "CVS/a", "__pycache__/a", "node_modules/a", "a/CVS")
    assert found(tmp_path) == ["a/CVS"]


def test_leaves_out_the_files_of_an_index_but_not_what_lies_beside_them(tmp_path: Path) -> None:
    plant(tmp_path, "a/index.db", "a/index.db-wal", "a/index.db.damaged", "a/vectors.faiss")
    plant(tmp_path, "a/writer.lock", "a/note.md", "b/writer.lock", "c/index.db")
    assert found(tmp_path) == ["a/note.md", "b/writer.lock", "c/index.db"]


def test_walks_a_root_that_is_itself_hidden(tmp_path: Path) -> None:
    assert found(plant(tmp_path / ".notes", "a.md")) == ["a.md"]


def test_does_not_follow_links_inside(tmp_path: Path) -> None:
    plant(tmp_path, "a.md")
    (tmp_path / "everything").symlink_to("/")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "b.md").symlink_to(tmp_path / "a.md")
    (tmp_path / "broken").symlink_to("nowhere")
    assert found(tmp_path) == ["a.md"]


def test_follows_a_root_that_is_a_link(tmp_path: Path) -> None:
    plant(tmp_path / "real", "a.md")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert found(tmp_path / "link") == ["a.md"]


def test_never_opens_fifos_and_sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, "a.md")
    os.mkfifo(tmp_path / "pipe.md")
    os.mkfifo(tmp_path / ".gitignore")
    # A socket's path has to be short, which a relative one is.
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.md")
        assert found(tmp_path) == ["a.md"]


def test_reports_a_folder_that_cannot_be_listed(tmp_path: Path) -> None:
    plant(tmp_path, "a.md")
    names = [letter * 250 for letter in "bcdefghijklmnopqrst"]
    folder = os.open(tmp_path, os.O_RDONLY)
    for name in names:
        os.mkdir(name, dir_fd=folder)
        folder, above = os.open(name, os.O_RDONLY, dir_fd=folder), folder
        os.close(above)
    os.close(folder)
    file, unreadable = walk(tmp_path)
    assert file == File("a.md", 1, file.changed_ns if isinstance(file, File) else 0)
    assert isinstance(unreadable, Unreadable)
    assert "/".join(names).startswith(unreadable.path)
    assert unreadable.why == "file name too long"


def test_reports_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/caf\xe9.md", "w"):  # noqa: PTH123 - a path of bytes
        pass
    assert list(walk(tmp_path)) == [Unreadable("caf\ufffd.md", BAD_NAME)]
    (tmp_path / ".embedsearchignore").write_text("caf*.md")
    assert list(walk(tmp_path)) == []


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        (["*.log"], ["a/x.md", "a/y/x.md", "build/x.md", "x.md"]),
        (["*.md", "!x.md", "*.log"], ["a/x.md", "a/y/x.md", "build/x.md", "x.md"]),
        (["a/"], ["build/x.md", "x.log", "x.md"]),
        (["a"], ["build/x.md", "x.log", "x.md"]),
        (["x.md/", "a", "build", "*.log"], ["x.md"]),
        (["/x.md", "*.log"], ["a/x.md", "a/y/x.md", "build/x.md"]),
        (["a/x.md", "*.log"], ["a/y/x.md", "build/x.md", "x.md"]),
        (["**/y", "*.log"], ["a/x.md", "build/x.md", "x.md"]),
        (["a/**/x.md", "*.log"], ["build/x.md", "x.md"]),
        (["a/**", "!a/x.md", "*.log"], ["a/x.md", "build/x.md", "x.md"]),
        (["a/*", "!a/y", "*.log"], ["a/y/x.md", "build/x.md", "x.md"]),
        (["a", "!a/x.md", "*.log"], ["build/x.md", "x.md"]),
        (["*", "!*/", "!x.md"], ["a/x.md", "a/y/x.md", "build/x.md", "x.md"]),
        (["[ab]*", "x.l?g"], ["x.md"]),
        (["[!ab]*"], []),
        (["[[:alpha:]]", "*.log"], ["build/x.md", "x.md"]),
        (["# a", "", "\\x.md", "*.log"], []),
        (["a/**/", "*.log"], ["a/x.md", "build/x.md", "x.md"]),
        (["!", "/", "[", "\\", "*.log"], ["a/x.md", "a/y/x.md", "build/x.md", "x.md"]),
        (["*.log   ", "a  "], ["build/x.md", "x.md"]),
    ],
)
def test_ignores_what_git_ignores(tmp_path: Path, lines: list[str], kept: list[str]) -> None:
    plant(tmp_path, "x.md", "x.log", "a/x.md", "a/y/x.md", "build/x.md")
    ignore(tmp_path, *lines)
    assert sorted(found(tmp_path)) == kept


def test_lets_the_nearest_ignore_file_decide(tmp_path: Path) -> None:
    plant(tmp_path, "x.md", "a/x.md", "a/b/x.md")
    ignore(tmp_path, "*.md")
    ignore(tmp_path / "a", "!x.md")
    ignore(tmp_path / "a" / "b", "/x.md")
    assert found(tmp_path) == ["a/x.md"]


def test_lets_our_own_ignore_file_overrule_git_s(tmp_path: Path) -> None:
    plant(tmp_path, "kept.log", "x.log", "x.md")
    ignore(tmp_path, "*.log")
    ignore(tmp_path, "!kept.log", "x.md", name=".embedsearchignore")
    assert found(tmp_path) == ["kept.log"]


def test_reports_an_ignore_file_that_cannot_be_read(tmp_path: Path) -> None:
    plant(tmp_path, "a/b.md")
    (tmp_path / "a" / ".gitignore").symlink_to(".gitignore")
    why = "too many levels of symbolic links"
    assert next(walk(tmp_path)) == Unreadable("a/.gitignore", why)
    assert found(tmp_path) == ["a/.gitignore", "a/b.md"]


def test_reads_ignore_files_with_a_bom_and_windows_line_ends(tmp_path: Path) -> None:
    plant(tmp_path, "a.md", "b.md")
    (tmp_path / ".gitignore").write_bytes(b"\xef\xbb\xbfa.md\r\n")
    assert found(tmp_path) == ["b.md"]


def test_obeys_the_repository_that_the_root_lies_in(tmp_path: Path) -> None:
    plant(tmp_path, ".git/info/exclude", "docs/a.md", "docs/out/b.md", "docs/c.tmp", "docs/d.log")
    ignore(tmp_path, "/docs/out", "/out", "*.tmp")
    (tmp_path / ".git" / "info" / "exclude").write_text("*.log\n")
    assert found(tmp_path / "docs") == ["a.md"]
    assert found(tmp_path) == ["docs/a.md"]


def test_ignores_nothing_from_above_without_a_repository(tmp_path: Path) -> None:
    plant(tmp_path, "docs/a.md")
    ignore(tmp_path, "*.md")
    assert found(tmp_path / "docs") == ["a.md"]


def test_reads_an_ignored_folder_that_was_asked_for(tmp_path: Path) -> None:
    plant(tmp_path, ".git/HEAD", "out/deep/a.md")
    ignore(tmp_path, "out/")
    assert found(tmp_path / "out") == ["deep/a.md"]
    assert found(tmp_path / "out" / "deep") == ["a.md"]
