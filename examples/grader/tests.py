"""The tests of a task: `median(numbers)`. They end with what was passed, behind the word that the grader gave them."""

import json
import sys

CASES = [([1], 1), ([3, 1, 2], 2), ([4, 1, 3, 2], 2.5), ([5, 5, 1, 5], 5), (list(range(1001)), 500)]

token = sys.argv.pop()
# Before any line of the submission runs: what prints the marks is ours.
say = sys.stdout.write

import solution  # noqa: E402

passed = 0
for numbers, right in CASES:
    try:
        passed += solution.median(list(numbers)) == right
    except Exception as error:
        print(f"median({numbers[:5]}): {error!r}")
say(token + json.dumps({"passed": passed, "of": len(CASES)}) + "\n")
