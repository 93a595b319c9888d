"""Marks submissions in parallel: each runs with the same tests, in a sandbox of its own.

    python grade.py SUBMISSIONS tests.py --at-once 8 > marks.json

`SUBMISSIONS` is a folder of Python files. The tests import `solution`, and print `{"passed", "of"}` as JSON behind the
word in `sys.argv`, so that what a submission prints counts for nothing; one that never ends costs its own time alone.
Submission and tests share a process: who goes looking for the word can find it, and tests against such people call the
submission as a program of its own.
"""

import argparse
import base64
import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Dict

TRIES = 8
"""How often a submission is sent again to a server that is busy."""
SECONDS = 5
"""How long its tests may take."""


def post(job: Dict[str, Any]) -> Dict[str, Any]:
    """The server's answer; waits as long as a busy one says."""
    pair = f"{os.environ['EMBEDENV_PUBLIC_KEY']}:{os.environ['EMBEDENV_SECRET_KEY']}"
    fields = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    url = os.environ["EMBEDENV_URL"].rstrip("/") + "/api/v2/execute"
    for left in reversed(range(TRIES)):
        try:
            with urllib.request.urlopen(urllib.request.Request(url, json.dumps(job).encode(), fields)) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as refused:
            wait = refused.headers.get("Retry-After")
            if wait is None or left == 0:
                return dict(json.load(refused))
            time.sleep(float(wait))
    raise AssertionError("the last try returns")


def mark(submission: Path, tests: str) -> Dict[str, Any]:
    """What one submission got."""
    # The last line is the tests' own only if it begins with what no submission can know.
    token = secrets.token_hex(8)
    runner = f"import runpy, sys\nsys.argv = ['tests.py', {token!r}]\nrunpy.run_path('tests.py')\n"
    job = {
        "language": "python",
        "version": "3.x",
        "run_timeout": SECONDS * 1000,
        "files": [
            {"name": "main.py", "content": runner},
            {"name": "tests.py", "content": tests},
            {"name": "solution.py", "content": submission.read_text()},
        ],
    }
    run = post(job)
    if "run" not in run:
        return {"submission": submission.stem, "passed": 0, "why": f"not run: {run['message']}"}
    run = run["run"]
    lines = [line for line in run["stdout"].splitlines() if line.startswith(token)]
    if run["status"] or not lines:
        why = run["message"] or "the tests did not come to their end"
        return {"submission": submission.stem, "passed": 0, "why": why}
    return {"submission": submission.stem, **json.loads(lines[-1][len(token) :])}


def main() -> None:
    """Marks all of them."""
    parser = argparse.ArgumentParser(description="Marks submissions in parallel.")
    parser.add_argument("submissions", type=Path)
    parser.add_argument("tests", type=Path)
    parser.add_argument("--at-once", type=int, default=8)
    wanted = parser.parse_args()
    submissions = sorted(wanted.submissions.glob("*.py"))
    tests = wanted.tests.read_text()
    began = time.monotonic()
    with ThreadPoolExecutor(wanted.at_once) as pool:
        marks = list(pool.map(lambda submission: mark(submission, tests), submissions))
    json.dump(marks, sys.stdout, indent=2)
    full = sum("of" in one and one["passed"] == one["of"] for one in marks)
    print(f"{len(marks)} marked in {time.monotonic() - began:.1f} s; {full} pass everything", file=sys.stderr)


if __name__ == "__main__":
    main()
