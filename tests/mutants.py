"""Hunts for changes of the core that no test notices: `python -m tests.mutants commands/*.py book/*.py`.

Each mutant changes one thing in one file (a comparison, a constant, an operator, a statement left out) in a
process of its own, and runs the quick tests until one fails. What survives is printed: a gap in the tests, or
a change that means nothing. Takes a second or more for each mutant, and changes nothing on disk.
"""

from __future__ import annotations

import ast
import copy
import importlib.abc
import importlib.util
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import hypothesis  # noqa: F401 - imported before each fork, for speed
import pydantic  # noqa: F401
import pytest

TESTS = (
    "transfers", "accounts", "parties", "access", "books", "rejections", "pipeline", "bad_input",
    "schemas", "machine",
)  # fmt: skip
TIMEOUT_S = 120
MOST_BYTES = 2 << 30
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult,
}  # fmt: skip


def mutants(tree: ast.Module) -> Iterator[tuple[int, str, ast.Module]]:
    """Each with the line and what was done there."""
    nodes = list(ast.walk(tree))
    for number, node in enumerate(nodes):
        for what, change in _changes(node):
            changed = copy.deepcopy(tree)
            twin = list(ast.walk(changed))[number]
            change(twin)
            yield getattr(node, "lineno", 0), what, ast.fix_missing_locations(changed)


def _changes(node: ast.AST) -> Iterator[tuple[str, _Change]]:
    if isinstance(node, ast.Compare):
        for place, op in enumerate(node.ops):
            yield f"{ast.unparse(node)}: {type(op).__name__}", _SwapComparison(place)
    elif isinstance(node, (ast.BoolOp, ast.BinOp, ast.AugAssign)) and type(node.op) in SWAPS:
        yield f"{ast.unparse(node)}: {type(node.op).__name__}", _swap_operator
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield f"{ast.unparse(node)}: sign", _drop_sign
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield f"{node.value} + 1", _add_one
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield f"not {node.value}", _negate
    elif isinstance(node, (ast.FunctionDef, ast.If, ast.For, ast.While)):
        for place, statement in enumerate(node.body):
            docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if not docstring and not isinstance(statement, (ast.Assert, ast.Pass, ast.FunctionDef)):
                yield f"without: {ast.unparse(statement).splitlines()[0]}", _Leave(place)
        if isinstance(node, ast.If) and node.orelse:
            yield f"without else: {ast.unparse(node.orelse[0]).splitlines()[0]}", _drop_else


class _SwapComparison:
    def __init__(self, place: int) -> None:
        self.place = place

    def __call__(self, node: ast.AST) -> None:
        assert isinstance(node, ast.Compare)
        swapped = SWAPS[type(node.ops[self.place])]()
        assert isinstance(swapped, ast.cmpop)
        node.ops[self.place] = swapped


class _Leave:
    def __init__(self, place: int) -> None:
        self.place = place

    def __call__(self, node: ast.AST) -> None:
        assert isinstance(node, (ast.FunctionDef, ast.If, ast.For, ast.While))
        node.body[self.place] = ast.Pass()


def _swap_operator(node: ast.AST) -> None:
    assert isinstance(node, (ast.BoolOp, ast.BinOp, ast.AugAssign))
    node.op = SWAPS[type(node.op)]()  # type: ignore[assignment]


def _drop_sign(node: ast.AST) -> None:
    assert isinstance(node, ast.UnaryOp)
    node.op = ast.UAdd() if isinstance(node.op, ast.USub) else ast.Not()
    if isinstance(node.op, ast.Not):
        node.operand = ast.UnaryOp(ast.Not(), node.operand)


def _add_one(node: ast.AST) -> None:
    assert isinstance(node, ast.Constant)
    assert isinstance(node.value, int)
    node.value += 1


def _negate(node: ast.AST) -> None:
    assert isinstance(node, ast.Constant)
    node.value = not node.value


def _drop_else(node: ast.AST) -> None:
    assert isinstance(node, ast.If)
    node.orelse = []


_Change = Callable[[ast.AST], None]


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a changed tree."""

    def __init__(self, name: str, path: str, tree: ast.Module) -> None:
        self.name, self.path, self.tree = name, path, tree

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=self.path)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.tree, self.path, "exec"), module.__dict__)  # noqa: S102 - our own source, changed


def survives(path: Path, tree: ast.Module, tests: Sequence[str]) -> bool:
    """Whether all tests pass with the changed file."""
    child = os.fork()
    if child == 0:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))  # a loop that never ends may collect
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        sys.meta_path.insert(0, _Mutated(".".join(path.with_suffix("").parts), str(path), tree))
        status = pytest.main(["-x", "-q", "-m", "not long", "-p", "no:cacheprovider", *tests])
        os._exit(int(status))
    until = time.monotonic() + TIMEOUT_S
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def main(files: Sequence[str]) -> None:
    """Print every mutant that survives, and how many there were."""
    tests = [f"tests/{name}_test.py" for name in TESTS]
    count = survivors = 0
    for file in files:
        path = Path(file)
        own = f"tests/{path.stem}_test.py"
        ordered = sorted(tests, key=lambda test: test != own)
        unchanged = ast.parse(path.read_text(encoding="utf-8"))
        assert survives(path, unchanged, ordered), "the tests pass where nothing is changed"
        for line, what, tree in mutants(unchanged):
            count += 1
            if survives(path, tree, ordered):
                survivors += 1
                sys.stdout.write(f"{file}:{line}: {what}\n")
                sys.stdout.flush()
    sys.stdout.write(f"{survivors} of {count} mutants survived\n")


if __name__ == "__main__":
    main(sys.argv[1:])
