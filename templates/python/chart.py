def draw(path: list[int]) -> str:
    """A row for each height, the highest first."""
    rows = []
    for height in range(max(path), min(path) - 1, -1):
        marks = "".join("●" if at == height else " " for at in path)
        rows.append(f"{height:4} │{marks}".rstrip())
    return "\n".join(rows)
