"""Documents that several clients have open at once."""

from __future__ import annotations

import asyncio
from typing import List

import pytest

from embedenv import AsyncSandbox, DocumentChange, ForbiddenError, InvalidArgumentError, NotFoundError
from embedenv._yjs import splice
from server import Server

WITHIN = 10.0


def test_edits_of_two_clients_meet_and_reach_the_file(server: Server) -> None:
    async def case() -> None:
        async with await AsyncSandbox.create(**server.options) as ada:
            await ada.files.write("text.md", "one 😀 three\n")
            key = await ada.create_join_key("editor")
            async with await AsyncSandbox.connect(join=key.key, url=server.url) as bob:
                changes: List[DocumentChange] = []
                changed = asyncio.Event()

                async def follow(change: DocumentChange) -> None:
                    changes.append(change)
                    changed.set()

                hers = await ada.documents.open("text.md", on_change=follow)
                his = await bob.documents.open("text.md")
                # Positions are Python's, whatever the letters take elsewhere.
                await his.edit(4, 5, "two")
                await asyncio.wait_for(changed.wait(), WITHIN)
                assert changes == [DocumentChange("one two three\n", 4, "😀", "two", False)]
                await asyncio.gather(*(hers.append(f"her {n}\n") for n in range(50)), his.insert(0, "# "))
                await his.append("his\n")
                await hers.save()
                assert sorted((await ada.files.read("text.md")).splitlines()) == sorted(
                    ["# one two three", "his", *(f"her {n}" for n in range(50))]
                )
                await hers.set_text("new\n")
                with pytest.raises(InvalidArgumentError):
                    await hers.edit(0, 100, "")
                with pytest.raises(NotFoundError):
                    await ada.documents.open("none")
                # What a program writes is merged into it.
                changed.clear()
                await ada.files.write("text.md", "written\n")
                await asyncio.wait_for(changed.wait(), WITHIN)
                await ada.files.rename("text.md", "moved.md")
                await hers.append("at its new place\n")
                assert hers.path == "/home/user/main/moved.md"
                await hers.close()

    asyncio.run(case())


def test_who_only_watches_reads_and_does_not_edit(server: Server) -> None:
    async def case() -> None:
        async with await AsyncSandbox.create(**server.options) as owner:
            await owner.files.write("text.md", "text")
            viewer_key = await owner.create_join_key("viewer", uses=1)
            async with await AsyncSandbox.connect(join=viewer_key.key, url=server.url) as viewer:
                document = await viewer.documents.open("text.md")
                assert (document.text, document.read_only) == ("text", "role")
                with pytest.raises(ForbiddenError):
                    await document.append("!")

    asyncio.run(case())


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "a", (0, "", "a")),
        ("aaa", "aa", (2, "a", "")),
        ("abc", "aXc", (1, "b", "X")),
        ("abab", "ababab", (4, "", "ab")),
        ("same", "same", (4, "", "")),
    ],
)
def test_the_one_stretch_that_differs_is_found(before: str, after: str, expected: object) -> None:
    assert splice(before, after) == expected
