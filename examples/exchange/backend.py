"""A host's backend: it alone knows the key pair. `POST /room` opens a room and answers with what a browser may know.

python backend.py [PORT]
"""

import asyncio
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import websockets

SERVER = os.environ["EMBEDENV_URL"].rstrip("/")
SOCKET = SERVER.replace("http", "ws", 1) + "/ws/spaces/default/"
PAGE = Path(__file__).with_name("page.html")


async def open_room() -> str:
    """Takes one credit, and returns the key by which people join."""
    async with websockets.connect(SOCKET) as socket:
        pair = {"public_key": os.environ["EMBEDENV_PUBLIC_KEY"], "secret_key": os.environ["EMBEDENV_SECRET_KEY"]}
        await socket.send(json.dumps({"type": "init", **pair}))
        answer = json.loads(await socket.recv())
    if answer["type"] != "init":
        raise RuntimeError(f"{answer.get('code')}: {answer.get('message')}")
    return str(answer["join"])


class Handler(BaseHTTPRequestHandler):
    """The page, and the exchange."""

    def do_GET(self) -> None:
        """The page has nothing secret in it."""
        if self.path != "/":
            return self.answer(404, "text/plain", b"there is nothing here\n")
        return self.answer(200, "text/html; charset=utf-8", PAGE.read_bytes())

    def do_POST(self) -> None:
        """Here a real host would first look at who asks."""
        if self.path != "/room":
            return self.answer(404, "text/plain", b"there is nothing here\n")
        try:
            told, status = {"socket": SOCKET, "join": asyncio.run(open_room())}, 200
        except (OSError, RuntimeError, websockets.WebSocketException) as error:
            told, status = {"error": str(error)}, 502
        return self.answer(status, "application/json", json.dumps(told).encode())

    def answer(self, status: int, kind: str, body: bytes) -> None:
        """Sends an answer."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing of each request."""


def main() -> None:
    """Serves until it is interrupted."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
