"""A guest book. Open the preview, and write something."""

from flask import Flask, redirect, render_template, request

app = Flask(__name__)
entries: list[str] = []


@app.get("/")
def book():
    return render_template("book.html", entries=entries)


@app.post("/")
def write():
    if text := request.form["text"].strip():
        entries.insert(0, text[:200])
    return redirect("/")


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
