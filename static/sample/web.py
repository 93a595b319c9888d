"""A small web server. Press Run; Stop, or Ctrl+C in the terminal, ends it."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 3000
visits = 0


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        global visits
        visits += 1
        body = f"<!doctype html><title>It runs</title><h1>It runs</h1><p>Visit number {visits}.</p>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


print(f"Serving on port {PORT}")
try:
    ThreadingHTTPServer(("", PORT), Page).serve_forever()
except KeyboardInterrupt:
    print("\nStopped.")
