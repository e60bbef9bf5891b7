"""Which names of a Python file are the file's own where they are used."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def in_scopes(
    node: ast.AST, shadowed: frozenset[str] = frozenset()
) -> Iterator[tuple[ast.AST, frozenset[str]]]:
    """Give every node below, with the names that functions and classes around it bind."""
    for child in ast.iter_child_nodes(node):
        inner = shadowed
        if isinstance(child, _Function):
            inner = shadowed | _bound_in_function(child)
        elif isinstance(child, ast.ClassDef):
            inner = shadowed | frozenset(_assigned(child.body))
        yield child, inner
        yield from in_scopes(child, inner)


def free_names(tree: ast.Module) -> frozenset[str]:
    """Give the names that the module binds outside its functions by other means than imports."""
    return frozenset(_assigned(tree.body))


def imported_names(tree: ast.Module) -> frozenset[str]:
    """Give the names that imports bind anywhere in the file."""
    return frozenset(
        (each.asname or each.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for each in node.names
    )


def _bound_in_function(function: _Function) -> frozenset[str]:
    given = function.args
    names = {each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
    names |= {each.arg for each in (given.vararg, given.kwarg) if each is not None}
    if not isinstance(function, ast.Lambda):
        names |= set(_assigned(function.body))
    return frozenset(names)


def _assigned(body: list[ast.stmt]) -> Iterator[str]:
    """Give what the statements bind, not looking into functions and classes among them."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
                continue
            case ast.ClassDef(name=name):
                yield name
                continue
            case ast.Name(id=name, ctx=ast.Store()) | ast.ExceptHandler(name=str(name)):
                yield name
        waiting.extend(ast.iter_child_nodes(node))
