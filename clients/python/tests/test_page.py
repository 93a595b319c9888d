"""docs/python.md: what it shows is run, as it stands there."""

from __future__ import annotations

import re

import pytest

from embedenv import Sandbox, SandboxQuery
from server import REPOSITORY, Server


def test_what_the_page_shows_runs(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in server.options.items():
        monkeypatch.setenv(f"EMBEDENV_{name.upper()}", str(value))
    guide, _, _ = (REPOSITORY / "docs/python.md").read_text().partition("## Reference")
    blocks = re.findall(r"^```python\n(.*?)^```$", guide, flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) > 4
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), names)
    shown = capsys.readouterr().out
    for said in ("Hello Ada", "typed", "No such file", "\n3\n", f"{server.url}/w#join=", "# typed together"):
        assert said in shown, shown
    assert Sandbox.list(SandboxQuery({"course": "python 101"})).next_items() == []
    opened = names["opened"]
    assert Sandbox.kill(opened.sandbox_id)  # type: ignore[attr-defined]
