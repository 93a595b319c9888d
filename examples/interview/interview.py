"""An interview: a room with a task in it, a link for the candidate and another for who asks. Both see each other type,
run and talk. At the end what was written is kept, and the room is gone.

    python interview.py --candidate "Ada L." --minutes 60 --keep ./kept
"""

import argparse
import sys
from pathlib import Path
from typing import Iterator

from embedenv import FileType, Sandbox
from embedenv.errors import EmbedenvError

TASK = {
    "README.md": "# The task\n\n`lengths.py` should print the lengths of a line's words. Make `bash check.sh` pass.\n",
    "lengths.py": "line = input()\n\nprint(line)\n",
    "check.sh": 'set -eu\n[ "$(echo "to be or not" | python3 lengths.py)" = "2 2 2 3" ] && echo passed\n',
}


def files_of(sandbox: Sandbox, folder: str = ".") -> Iterator[str]:
    """The paths of all files below a folder of the project."""
    for entry in sandbox.files.list(folder):
        path = f"{folder}/{entry.name}"
        if entry.type is FileType.DIR:
            yield from files_of(sandbox, path)
        elif entry.type is FileType.FILE:
            yield path


def keep(sandbox: Sandbox, folder: Path) -> int:
    """Writes every file of the room below `folder`, and returns how many there are."""
    count = 0
    for path in files_of(sandbox):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(sandbox.files.read(path, format="bytes"))
        count += 1
    return count


def main() -> None:
    """Opens the room, waits for Enter, keeps what is there."""
    parser = argparse.ArgumentParser(description="A room for an interview.")
    parser.add_argument("--candidate", required=True)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--keep", type=Path, default=Path("kept"))
    wanted = parser.parse_args()
    # Nobody's interview lasts for ever: the room ends by itself, also if this program does not live to see it.
    seconds = (wanted.minutes + 15) * 60
    try:
        with Sandbox.create(timeout=seconds, metadata={"candidate": wanted.candidate}) as sandbox:
            for path, text in TASK.items():
                sandbox.files.write(path, text)
            print("for the candidate:", sandbox.share_url("editor", ttl=seconds, uses=3))
            print("for who asks:     ", sandbox.share_url("owner", ttl=seconds), flush=True)
            print("Enter ends the interview.", flush=True)
            sys.stdin.readline()
            passed = sandbox.commands.run("bash check.sh || true", timeout=30).stdout.strip() == "passed"
            count = keep(sandbox, wanted.keep)
            print(f"{count} files kept in {wanted.keep}; the check {'passed' if passed else 'did not pass'}")
    except EmbedenvError as error:
        sys.exit(f"interview: {error}")


if __name__ == "__main__":
    main()
