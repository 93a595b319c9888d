"""The examples, as somebody runs them who has a server and a key pair."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Dict, Iterator

import pytest

from embedenv import Sandbox, SandboxQuery
from server import REPOSITORY, Server

EXAMPLES = REPOSITORY / "examples"
LONGEST = 120
"""Seconds that one may take."""


@pytest.fixture
def environment(server: Server) -> Dict[str, str]:
    """What they read."""
    pair = {"EMBEDENV_PUBLIC_KEY": server.key["public_key"], "EMBEDENV_SECRET_KEY": server.key["secret_key"]}
    return {**os.environ, **pair, "EMBEDENV_URL": server.url, "PYTHONPATH": str(REPOSITORY / "clients/python/src")}


def example(name: str, *arguments: str) -> list[str]:
    """The command of one."""
    return [sys.executable, str(EXAMPLES / name), *arguments]


def test_a_bot_answers_code_with_what_it_prints(environment: Dict[str, str]) -> None:
    texts = [
        "```python\nprint(6 * 7)\n```",
        "no code in here",
        "```bash\nprintf '\\140\\140\\140'; exit 3\n```",
        "```cobol\nDISPLAY 1.\n```",
        "```py\nprint('x' * 5000)\n```",
    ]
    lines = "".join(json.dumps({"user": f"u{at}", "text": text}) + "\n" for at, text in enumerate(texts))
    done = subprocess.run(
        example("chat-bot/bot.py"), input=lines, env=environment, capture_output=True, text=True, timeout=LONGEST
    )
    answers = {answer["to"]: answer["text"] for answer in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0, done.stderr
    assert list(answers) == ["u0", "u2", "u3", "u4"]
    assert answers["u0"] == "```\n42\n```"
    assert answers["u2"].count("```") == 2 and "code 3" in answers["u2"]
    assert "cobol" in answers["u3"]
    assert len(answers["u4"]) < 1_600


def test_a_hundred_submissions_are_marked_each_on_its_own(environment: Dict[str, str], tmp_path: Path) -> None:
    right = (
        "def median(n):\n    n, h = sorted(n), len(n) // 2\n    return n[h] if len(n) % 2 else (n[h - 1] + n[h]) / 2\n"
    )
    nearly = "def median(n):\n    return sorted(n)[len(n) // 2]\n"
    forged = 'print(\'{"passed": 5, "of": 5}\')\nraise SystemExit\n'
    kinds = [(right, 5), (nearly, 4), (forged, 0), ("def median(n)\n    return 1\n", 0)]
    for at in range(100):
        (tmp_path / f"s{at:02}.py").write_text(kinds[at % len(kinds)][0])
    arguments = [str(tmp_path), str(EXAMPLES / "grader/tests.py"), "--at-once", "4"]
    done = subprocess.run(
        example("grader/grade.py", *arguments), env=environment, capture_output=True, text=True, timeout=LONGEST
    )
    assert done.returncode == 0, done.stderr
    marks = json.loads(done.stdout)
    assert [one["submission"] for one in marks] == [f"s{at:02}" for at in range(100)]
    assert [one["passed"] for one in marks] == [kinds[at % len(kinds)][1] for at in range(100)], done.stdout
    assert "25 pass everything" in done.stderr


def test_an_interview_has_two_links_and_is_kept(server: Server, environment: Dict[str, str], tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    command = example("interview/interview.py", "--candidate", "Ada L.", "--minutes", "5", "--keep", str(kept))
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as interview:
        assert interview.stdin is not None and interview.stdout is not None
        links = [re.sub(r".*#join=", "", interview.stdout.readline().strip()) for _ in range(2)]
        assert interview.stdout.readline().startswith("Enter")
        with Sandbox.connect(join=links[0], url=server.url) as candidate:
            candidate.files.write("lengths.py", "print(*map(len, input().split()))\n")
        rest = interview.communicate("\n", timeout=LONGEST)[0]
    assert interview.returncode == 0
    assert "3 files kept" in rest and "check passed" in rest, rest
    assert (kept / "lengths.py").read_text().startswith("print(*map")
    rooms = Sandbox.list(SandboxQuery(metadata={"candidate": "Ada L."}), **server.options)
    assert rooms.next_items() == []


@pytest.fixture
def backend(environment: Dict[str, str]) -> Iterator[str]:
    """The address of the backend of the exchange."""
    with subprocess.Popen(
        example("exchange/backend.py", "0"), env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


def test_a_backend_hands_on_a_room_and_keeps_its_keys(
    server: Server, environment: Dict[str, str], backend: str
) -> None:
    with urllib.request.urlopen(backend, timeout=LONGEST) as answer:
        page = answer.read().decode()
    assert "/room" in page and environment["EMBEDENV_PUBLIC_KEY"] not in page
    with urllib.request.urlopen(urllib.request.Request(backend + "room", b""), timeout=LONGEST) as answer:
        text = answer.read().decode()
    assert environment["EMBEDENV_SECRET_KEY"] not in text
    with Sandbox.connect(join=json.loads(text)["join"], url=server.url) as sandbox:
        assert sandbox.commands.run("echo here").stdout == "here\n"
