"""Files, over the synchronous face."""

from __future__ import annotations

import io
import queue
import random
from typing import Callable, List, Tuple, Type

import pytest

from embedenv import (
    AlreadyExistsError,
    EmbedenvError,
    FileKindError,
    FilesystemEvent,
    FilesystemEventType,
    FileType,
    InvalidArgumentError,
    NotFoundError,
    Sandbox,
)

WITHIN = 10.0


def test_files_are_written_read_listed_moved_and_removed(shared: Sandbox) -> None:
    files = shared.files
    written = files.write("plain/deep/hällo.txt", "Grüße\n")
    assert written.path == "/home/user/main/plain/deep/hällo.txt"
    assert files.read("plain/deep/hällo.txt") == "Grüße\n"
    assert files.read("/home/user/main/plain/deep/hällo.txt", "bytes") == "Grüße\n".encode()
    assert files.make_dir("plain/a/b/c") and not files.make_dir("plain/a/b/c")
    listed = files.list("plain", depth=4)
    assert [(entry.path[len("/home/user/main/plain/") :], entry.type) for entry in listed] == [
        ("a", FileType.DIR),
        ("a/b", FileType.DIR),
        ("a/b/c", FileType.DIR),
        ("deep", FileType.DIR),
        ("deep/hällo.txt", FileType.FILE),
    ]
    assert files.rename("plain/deep/hällo.txt", "plain/a/b/b.txt").size == len("Grüße\n".encode())
    assert files.exists("plain/a/b/b.txt") and not files.exists("plain/deep/hällo.txt")
    files.remove("plain/a")
    assert [entry.name for entry in files.list("plain")] == ["deep"]


def test_another_project_is_named_by_its_absolute_path(shared: Sandbox) -> None:
    shared.files.write("/home/user/other/x.txt", "x")
    assert "other" in shared.projects()
    assert not shared.files.exists("x.txt") and shared.files.exists("/home/user/other/x.txt")
    with pytest.raises(InvalidArgumentError):
        shared.files.rename("/home/user/other/x.txt", "x.txt")


@pytest.mark.parametrize("path", ["", "/tmp/x", "/home/user", "/home/other/x", "../x", "a/../../x", "a\0b"])
def test_a_path_that_is_in_no_project_is_refused(shared: Sandbox, path: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        shared.files.read(path)
    assert caught.value.code == "bad_path"


def test_what_goes_wrong_has_a_class_and_the_servers_code(shared: Sandbox) -> None:
    files = shared.files
    files.write("wrong/file", b"\xff\xfe")
    cases: List[Tuple[Callable[[], object], Type[EmbedenvError], str]] = [
        (lambda: files.read("wrong/none"), NotFoundError, "not_found"),
        (lambda: files.read("wrong"), FileKindError, "is_a_folder"),
        (lambda: files.read("wrong/file"), FileKindError, "not_text"),
        (lambda: files.list("wrong/file"), FileKindError, "not_a_folder"),
        (lambda: files.make_dir("wrong/file"), AlreadyExistsError, "already_exists"),
        (lambda: files.remove("wrong/none"), NotFoundError, "not_found"),
        (lambda: files.get_info("wrong/none"), NotFoundError, "not_found"),
    ]
    for failing, kind, code in cases:
        with pytest.raises(kind) as caught:
            failing()
        assert caught.value.code == code


def test_a_large_file_goes_in_pieces_and_comes_as_a_stream(shared: Sandbox) -> None:
    data = random.Random(1).randbytes(20 * 1024 * 1024)
    shared.files.write("large/data.bin", b"before")
    shared.files.write("large/data.bin", io.BytesIO(data))
    assert b"".join(shared.files.read("large/data.bin", "stream")) == data
    # What can be read once is written, too.
    unseekable = io.BytesIO(data[:3_000_000])
    unseekable.seekable = lambda: False  # type: ignore[method-assign]
    shared.files.write("large/data.bin", unseekable)
    assert shared.files.read("large/data.bin", "bytes") == data[:3_000_000]


def test_a_watched_folder_tells_what_changes_and_a_handler_may_use_the_sandbox(shared: Sandbox) -> None:
    files = shared.files
    files.write("watched/kept", "1")
    seen: queue.Queue[FilesystemEvent] = queue.Queue()
    sizes = []

    def look(event: FilesystemEvent) -> None:
        if event.type is not FilesystemEventType.REMOVE:
            sizes.append(len(files.read(f"watched/{event.name}")))
        seen.put(event)

    over: queue.Queue[object] = queue.Queue()
    watched = files.watch_dir("watched", look, over.put)
    changes: List[Tuple[Callable[[], object], Tuple[str, FilesystemEventType]]] = [
        (lambda: files.write("watched/new", "new"), ("new", FilesystemEventType.CREATE)),
        (lambda: files.write("watched/kept", "22"), ("kept", FilesystemEventType.WRITE)),
        (lambda: files.remove("watched/new"), ("new", FilesystemEventType.REMOVE)),
    ]
    for change, expected in changes:
        change()
        event = seen.get(timeout=WITHIN)
        assert (event.name, event.type) == expected
    watched.stop()
    assert over.get(timeout=WITHIN) is None
    assert sizes == [3, 2]
