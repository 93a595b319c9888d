"""Makes what follows from the async classes: the synchronous face (`src/embedenv/sync/`) and the reference in
`docs/python.md`. With `--check` it writes nothing and fails if something is not as it would be made.

The async classes are the one place for signatures and docstrings. Each synchronous method has the same text and runs
the async one on the background loop.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Set, Tuple, Union

HERE = Path(__file__).resolve().parent.parent
PACKAGE = HERE / "src" / "embedenv"
PAGE = HERE.parent.parent / "docs" / "python.md"
MODULES = ("_commands", "_pty", "_watch", "_files", "_documents", "_sandbox")
BEGIN, END = "<!-- reference: made by clients/python/scripts/generate.py -->\n", "<!-- end of the reference -->\n"

Method = Union[ast.FunctionDef, ast.AsyncFunctionDef]
RENAMED = {"__aenter__": "__enter__", "__aexit__": "__exit__"}


class Module:
    """A module of async classes, with its text."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = (PACKAGE / f"{name}.py").read_text()
        self.lines = self.text.splitlines()
        self.tree = ast.parse(self.text)
        nodes = [node for node in self.tree.body if isinstance(node, ast.ClassDef)]
        self.classes = [node for node in nodes if node.name.startswith("Async")]

    def source(self, first: int, last: int) -> str:
        """Lines by their numbers, both included."""
        return "\n".join(self.lines[first - 1 : last])


ALL = [Module(name) for name in MODULES]
HOME: Dict[str, str] = {node.name: module.name for module in ALL for node in module.classes}
"""In which module each async class is."""


def sync_name(text: str) -> str:
    """A text about async classes as one about synchronous ones."""
    text = re.sub(r"\bAsyncIterator\b", "Iterator", text)
    return re.sub(r"\bAsync(\w+)", lambda found: found[1] if found[0] in HOME else found[0], text)


def is_public(node: Method) -> bool:
    """Whether a method belongs to the face."""
    return not node.name.startswith("_") or node.name in RENAMED


def decorators(node: Method) -> List[str]:
    return [ast.unparse(decorator) for decorator in node.decorator_list]


def face(module: Module) -> str:
    """The synchronous classes of a module."""
    body = "\n\n".join(sync_class(module, node) for node in module.classes)
    head = f"The synchronous face of `embedenv.{module.name}`. Made by scripts/generate.py: change that module instead."
    return f'"""{head}"""\n\n' + "from __future__ import annotations\n\n" + imports(module, body) + "\n\n" + body


def sync_class(module: Module, node: ast.ClassDef) -> str:
    name = sync_name(node.name)
    parts = [f"class {name}:"]
    parts.append(sync_name(module.source(node.body[0].lineno, node.body[0].end_lineno or 0)) + "\n")
    held = [
        (item.target.id, ast.unparse(item.annotation))
        for item in node.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    ]
    parts.extend(f"    {attribute}: {sync_name(kind)}" for attribute, kind in held)
    parts.append(f"{'' if not held else chr(10)}    def __init__(self, of: {node.name}) -> None:")
    parts.append('        """For this package."""\n        self._async = of')
    parts.extend(f"        self.{attribute} = {sync_name(kind)}(of.{attribute})" for attribute, kind in held)
    for item in node.body:
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and is_public(item):
            parts.append("\n" + sync_method(module, node, item))
    return "\n".join(parts) + "\n"


def sync_method(module: Module, owner: ast.ClassDef, node: Method) -> str:
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    name = RENAMED.get(node.name, node.name)
    statement = node.body[0]
    if "overload" in decorators(node):
        return plain(module.source(first, node.end_lineno or 0), node, name)
    lines = plain(module.source(first, statement.lineno - 1), node, name)
    documented = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    if documented:
        lines += "\n" + sync_name(module.source(statement.lineno, statement.end_lineno or 0))
    return lines + "\n" + call(owner, node)


def plain(text: str, node: Method, name: str) -> str:
    """A signature without its async words."""
    return sync_name(text.replace("async def ", "def ", 1).replace(f"def {node.name}(", f"def {name}(", 1))


def call(owner: ast.ClassDef, node: Method) -> str:
    """The body: the same call of the async object, and what it returns as the face has it."""
    marks = decorators(node)
    returns = ast.unparse(node.returns) if node.returns else "None"
    if "property" in marks:
        return f"        return self._async.{node.name}"
    if node.name == "__aenter__":
        return "        return self"
    names = [argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)]
    kept = [argument for argument in names if argument not in ("self", "cls")]
    given = ", ".join(f"{argument}={argument}" for argument in kept)
    if node.name == "__aexit__":
        given = ", ".join(kept)
    first = node.args.args[0] if node.args.args else None
    is_overloaded = any(
        isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and item.name == node.name and item is not node
        for item in owner.body
    )
    if first is not None and first.arg == "self" and first.annotation is not None:
        done = f"{owner.name}.{node.name}(self if isinstance(self, str) else self._async, {given})"
    elif "classmethod" in marks or "staticmethod" in marks:
        done = f"{owner.name}.{node.name}({given})"
    elif is_overloaded:
        # Which overload is meant, only the caller knows.
        done = f"cast(Any, self._async).{node.name}({given})"
    else:
        done = f"self._async.{node.name}({given})"
    if isinstance(node, ast.AsyncFunctionDef):
        done = f"run({done})"
    wrapped = [word for word in re.findall(r"Async\w+", returns)]
    if not wrapped:
        return f"        {done}" if returns == "None" else f"        return {done}"
    if returns.strip("\"'") == wrapped[0]:
        return f"        return {sync_name(wrapped[0])}({done})"
    lines = [f"        done: {returns} = {done}"]
    for word in wrapped:
        made = "iterate(done)" if word == "AsyncIterator" else f"{sync_name(word)}(done)"
        lines += [f"        if isinstance(done, {word}):", f"            return {made}"]
    return "\n".join([*lines, "        return done"])


def imports(module: Module, body: str) -> str:
    """What the classes name, from where the async ones have it."""
    used = set(re.findall(r"\w+", re.sub(r'""".*?"""', "", body, flags=re.DOTALL)))
    found: Dict[str, Set[str]] = {}
    own = {sync_name(node.name) for node in module.classes}
    for node in module.tree.body:
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            source = f"..{node.module}" if node.level else str(node.module)
            found.setdefault(source, set()).update(alias.name for alias in node.names if alias.name in used)
        elif isinstance(node, (ast.Assign, ast.ClassDef)):
            names = [node.name] if isinstance(node, ast.ClassDef) else [ast.unparse(target) for target in node.targets]
            found.setdefault(f"..{module.name}", set()).update(name for name in names if name in used)
    for name, home in HOME.items():
        if name in used:
            found.setdefault(f"..{home}", set()).add(name)
        if sync_name(name) in used and sync_name(name) not in own:
            found.setdefault(f".{home}", set()).add(sync_name(name))
    found.setdefault("typing", set()).update(
        name for name in ("Any", "AsyncIterator", "Iterator", "cast") if name in used
    )
    found.setdefault(".._loop", set()).update(name for name in ("iterate", "run") if re.search(rf"\b{name}\(", body))
    groups: Tuple[List[str], List[str]] = ([], [])
    for source in sorted(found, key=lambda source: source.lstrip(".")):
        if found[source]:
            group = groups[1] if source.startswith(".") else groups[0]
            group.append(f"from {source} import {', '.join(sorted(found[source]))}")
    return "\n\n".join("\n".join(group) for group in groups if group)


def reference() -> str:
    """The reference: what stands in the docstrings."""
    parts: List[str] = []
    for module in reversed(ALL):
        for node in module.classes:
            parts.extend(of_class(module, node, skip=("__aenter__", "__aexit__")))
    for name, title in (("models", "Values"), ("errors", "Errors")):
        parts.append(f"### {title}\n")
        tree = ast.parse((PACKAGE / f"{name}.py").read_text())
        parts.append(f"{paragraph(ast.get_docstring(tree) or '')}\n")
        for item in tree.body:
            if isinstance(item, ast.ClassDef):
                parts.append(of_value(item))
        parts.append("")
    return "\n".join(parts)


def of_class(module: Module, node: ast.ClassDef, skip: Tuple[str, ...]) -> Iterator[str]:
    name = sync_name(node.name)
    yield f"### {name}\n"
    yield f"{paragraph(sync_name(ast.get_docstring(node) or ''))}\n"
    for item in node.body:
        if not isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) or not is_public(item) or item.name in skip:
            continue
        # Behind the overloads stands what has it all.
        if "overload" in decorators(item):
            continue
        said = sync_name(ast.get_docstring(item) or "")
        text, _, raises = said.partition("\nRaises:\n")
        yield f"- **`{signature(name, item)}`** {paragraph(text)}"
        for line in raised(raises):
            yield f"    - raises {line}"
    yield ""


def signature(owner: str, node: Method) -> str:
    if "property" in decorators(node):
        return f"{node.name}: {sync_name(ast.unparse(node.returns) if node.returns else 'None')}"
    without: List[Optional[ast.expr]] = [None] * (len(node.args.args) - len(node.args.defaults))
    arguments = list(zip(node.args.args, [*without, *node.args.defaults]))
    shown = [argument(*pair) for pair in arguments if pair[0].arg not in ("self", "cls")]
    if node.args.kwonlyargs:
        shown += ["*", *(argument(*pair) for pair in zip(node.args.kwonlyargs, node.args.kw_defaults))]
    is_of_class = "classmethod" in decorators(node) or "staticmethod" in decorators(node)
    returns = sync_name(ast.unparse(node.returns).strip("'\"")) if node.returns else "None"
    gives = "" if returns == "None" else f" -> {returns}"
    return f"{f'{owner}.' if is_of_class else ''}{node.name}({', '.join(shown)}){gives}"


def argument(named: ast.arg, default: Optional[ast.expr]) -> str:
    return named.arg if default is None else f"{named.arg}={ast.unparse(default)}"


def of_value(node: ast.ClassDef) -> str:
    fields = [
        f"{item.target.id}: {ast.unparse(item.annotation)}"
        for item in node.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    ]
    members = [
        ast.unparse(item.targets[0])
        for item in node.body
        if isinstance(item, ast.Assign) and ast.unparse(item.targets[0]).isupper()
    ]
    is_error = node.name.endswith("Error")
    shown = node.name if is_error else f"{node.name}({', '.join(fields or members)})"
    return f"- **`{shown}`** {paragraph(ast.get_docstring(node) or '')}"


def paragraph(text: str) -> str:
    """A docstring as one paragraph."""
    return re.sub(r"\s+", " ", text).strip()


def raised(text: str) -> List[str]:
    """The lines of a `Raises:` section, each `Name: why`."""
    found: List[str] = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, colon, why = line.partition(": ")
        if colon and name.endswith("Error"):
            found.append(f"`{name}`: {why}")
        elif found:
            found[-1] += f" {line}"
    return found


def page() -> str:
    """docs/python.md with the reference as it is now."""
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{reference()}{END}{after}"


def main() -> int:
    """Writes, or checks."""
    made: Dict[Path, str] = {PACKAGE / "sync" / f"{module.name}.py": face(module) for module in ALL}
    made[PAGE] = page()
    stale = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path}: run clients/python/scripts/generate.py")
        return 1 if stale else 0
    for path in stale:
        path.write_text(made[path])
        print(f"{path} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
