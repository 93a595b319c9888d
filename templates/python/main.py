"""A random walk, drawn in the terminal. Run it, and answer it."""

import random

from chart import draw


def walk(steps: int) -> list[int]:
    at, path = 0, [0]
    for _ in range(steps):
        at += random.choice((-1, 1))
        path.append(at)
    return path


answer = input("How many steps? ")
steps = int(answer) if answer.strip().isdigit() else 60
path = walk(min(steps, 75))
print(draw(path))
print(f"\nIt ended at {path[-1]}, {max(map(abs, path))} away at most.")
