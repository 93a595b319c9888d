"""Paths as callers write them, and as the wire has them: a project and a path in it. Knows no file system."""

from __future__ import annotations

from typing import NamedTuple

from .errors import InvalidArgumentError

HOME = "/home/user"
"""The folder of the projects in a sandbox."""


class Place(NamedTuple):
    """A path in a project; `""` is the project's own folder."""

    project: str
    path: str

    @property
    def absolute(self) -> str:
        """As programs in the sandbox see it."""
        return f"{HOME}/{self.project}/{self.path}".rstrip("/")

    @property
    def name(self) -> str:
        """Its last part."""
        return self.path.rpartition("/")[2] or self.project

    @property
    def parent(self) -> Place:
        """The folder it is in; of a project's own folder, that folder."""
        return Place(self.project, self.path.rpartition("/")[0])

    def child(self, name: str) -> Place:
        """An entry of this folder."""
        return Place(self.project, f"{self.path}/{name}" if self.path else name)


def place(text: str, project: str) -> Place:
    """Reads a path: a relative one is in `project`, `/home/user/P/rest` is `rest` in the project P.

    Raises:
        InvalidArgumentError: `bad_path`, for `..`, a NUL, an empty path, and an absolute one elsewhere.
    """
    if not text or "\0" in text:
        raise _bad("a path must not be empty or have a NUL in it; the project's own folder is '.'")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise _bad(f"the path {text!r} must not contain '..'")
    if not text.startswith("/"):
        return Place(project, "/".join(parts))
    home = HOME.strip("/").split("/")
    if parts[: len(home)] != home or len(parts) == len(home):
        raise _bad(f"{text!r} is in no project: paths are relative to one, or below {HOME}/PROJECT")
    return Place(parts[len(home)], "/".join(parts[len(home) + 1 :]))


def entry(text: str, project: str) -> Place:
    """Reads the path of an entry: any but a project's own folder."""
    read = place(text, project)
    if not read.path:
        raise _bad(f"{text!r} is the folder of a project, which can't be changed itself")
    return read


def checked_project(name: str) -> str:
    """A project's name, which is one part of a path."""
    if not name or "/" in name or name in (".", "..") or "\0" in name:
        raise _bad(f"a project's name is one part of a path, and {name!r} is not")
    return name


def _bad(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(message, code="bad_path")
