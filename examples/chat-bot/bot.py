"""A bot for a chat: it runs the code of a message, and answers with what that printed. A message is a line of JSON on
its input, `{"user", "text"}`, and an answer one on its output, so that any chat can be put in front of it.

    echo '{"user": "ada", "text": "```python\\nprint(6 * 7)\\n```"}' | python bot.py

The code runs in a sandbox of its own that ends with it (`POST /api/v2/execute`): no network, three seconds, and nothing
of the message before. A pair that is `execute_only` is all that the bot needs.
"""

import base64
import json
import os
import re
import sys
import urllib.error
import urllib.request
from typing import Any, Dict, Iterable, Optional, Tuple

BLOCK = re.compile(r"```([\w+#-]+)\n(.*?)```", re.DOTALL)
LONGEST = 1_500
"""Characters of output that a chat bears."""


def code_in(text: str) -> Optional[Tuple[str, str]]:
    """The language and the code of the first block between three backquotes."""
    found = BLOCK.search(text)
    return (found[1].lower(), found[2]) if found else None


def execute(language: str, code: str) -> Dict[str, Any]:
    """The answer of the server, which has a `message` if it did not run the program."""
    pair = f"{os.environ['EMBEDENV_PUBLIC_KEY']}:{os.environ['EMBEDENV_SECRET_KEY']}"
    request = urllib.request.Request(
        os.environ["EMBEDENV_URL"].rstrip("/") + "/api/v2/execute",
        json.dumps({"language": language, "version": "*", "files": [{"content": code}]}).encode(),
        {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode(), "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as refused:
        return dict(json.load(refused))
    except urllib.error.URLError as lost:
        return {"message": f"the server can't be reached: {lost.reason}"}


def reply(text: str) -> Optional[str]:
    """What is said to a message; nothing to one without code."""
    found = code_in(text)
    if found is None:
        return None
    done = execute(*found)
    stages = [done[name] for name in ("compile", "run") if name in done]
    if not stages:
        return f"I could not run that: {done['message']}."
    failed = next((stage for stage in stages if stage["status"]), stages[-1])
    printed = failed["output"].rstrip()
    if len(printed) > LONGEST:
        printed = printed[:LONGEST] + "\n… and so on"
    # What is printed must not end the block that it stands in.
    shown = printed.replace("```", "`\u200b``") or "(it printed nothing)"
    how = f"\n{failed['message']}" if failed["status"] else ""
    return f"```\n{shown}\n```{how}"


def serve(lines: Iterable[str]) -> None:
    """Answers messages until there are no more."""
    for line in lines:
        message = json.loads(line)
        answer = reply(message["text"])
        if answer is not None:
            print(json.dumps({"to": message["user"], "text": answer}), flush=True)


if __name__ == "__main__":
    serve(sys.stdin)
