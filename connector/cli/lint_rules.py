"""What a module made for the old framework must change, found without running it."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Collection, Iterator
from types import ModuleType
from typing import NamedTuple

from connector.cli import lint_python2
from connector.cli.lint_moves import new_home, new_imports, new_module, other_addon
from connector.cli.lint_scope import free_names, in_scopes

#: Attributes of a class in the API before 8.0.
OLD_CLASS_ATTRIBUTES = {
    "_columns": "Declare fields as attributes: name = fields.Char().",
    "_defaults": "Give each field its default: fields.Char(default=...).",
}
#: Packages whose names are looked up here, so that a wrong one is found before it is imported.
OWN_PACKAGES = ("connector", "queue_worker")


class Finding(NamedTuple):
    """A line that would not run, and what to do."""

    line: int
    text: str


def findings_in(source: str, addons: Collection[str] = ()) -> list[Finding]:
    """
    Give what of a module would not run here, in the order of its lines.

    *addons* are those that can be found, or are read along.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        line, said = getattr(error, "lineno", None) or 1, getattr(error, "msg", error)
        return [Finding(line, f"This is not Python 3: {said}. Run 2to3 or write it anew.")]
    found = [finding for node in ast.walk(tree) for finding in _of(node, addons)]
    found.extend(Finding(*each) for each in lint_python2.findings(tree))
    found.extend(_missing_attributes(tree))
    return sorted(set(found))


def _of(node: ast.AST, addons: Collection[str]) -> Iterator[Finding]:
    match node:
        case ast.ImportFrom(module=str(module), level=0):
            yield from _import_from(node, module, addons)
        case ast.Import(names=names):
            for name in names:
                yield from _import(node.lineno, name, addons)
        case ast.Call(func=ast.Attribute(value=value, attr="get")) if _name(value) == "pool":
            yield Finding(node.lineno, "pool.get() gives no records: use self.env[model].")
        case ast.Subscript(value=value) if _name(value) == "pool":
            yield Finding(node.lineno, "pool[...] gives no records: use self.env[model].")
        case ast.Attribute(attr="_model", value=ast.Name(id=name)) if name not in ("self", "cls"):
            yield Finding(node.lineno, f"{name}._model is gone: {name} has what its model has.")
        case ast.Call(func=ast.Attribute(attr="set_lang")):
            advice = "make the environment with get_environment(..., lang=...)"
            yield Finding(node.lineno, f"set_lang() is gone: {advice}.")
        case ast.ClassDef(body=body):
            yield from _class(body)


def _name(value: ast.expr) -> str:
    return value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")


def _class(body: list[ast.stmt]) -> Iterator[Finding]:
    """Name what of a model is of the API before 8.0."""
    attributes = {
        statement.targets[0].id: statement.lineno
        for statement in body
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    }
    for name, line in attributes.items():
        if name in OLD_CLASS_ATTRIBUTES:
            advice = OLD_CLASS_ATTRIBUTES[name]
            yield Finding(line, f"{name} is the API before 8.0. {advice}")
    if attributes.keys() & {"_name", "_inherit", *OLD_CLASS_ATTRIBUTES}:
        for statement in body:
            yield from _old_method(statement)


def _old_method(statement: ast.stmt) -> Iterator[Finding]:
    match statement:
        case ast.FunctionDef(name=name, args=ast.arguments(args=[_, first, second, *_])) if (
            first.arg,
            second.arg,
        ) in {("cr", "uid"), ("cr", "user")}:
            advice = f"write {name}(self, ...) and use self.env."
            text = f"{name}(self, cr, uid, ...) is the API before 8.0: {advice}"
            yield Finding(statement.lineno, text)


# -- imports ---------------------------------------------------------------------------------


def _import(line: int, name: ast.alias, addons: Collection[str]) -> Iterator[Finding]:
    yield from _unknown_addon(line, name.name, addons)
    new = new_module(name.name)
    if new is None:
        return
    if name.name in ("openerp", "odoo"):
        yield Finding(line, f"import {name.name}: write import {new} as {name.asname or name.name}")
    elif _module(new) is None:
        yield Finding(line, f"import {name.name}: there is no module {new}.")
    else:
        alias = f" as {name.asname}" if name.asname else ""
        yield Finding(line, f"import {name.name}{alias}: write import {new}{alias}")


def _import_from(node: ast.ImportFrom, module: str, addons: Collection[str]) -> Iterator[Finding]:
    new = new_module(module)
    if new is not None and _module(new) is not None:
        advice = "; ".join(new_imports(node))
        yield Finding(node.lineno, f"from {module} import ...: write {advice}")
    for each in node.names:
        yield from _unknown_addon(node.lineno, f"{module}.{each.name}", addons)
        home, name = new_home(module, each.name)
        if home.partition(".")[0] in OWN_PACKAGES and other_addon(home) is None:
            yield from _missing(node.lineno, home, name)


def _missing(line: int, module: str, name: str) -> Iterator[Finding]:
    """Say that a name cannot be imported from a module here, if so."""
    target = _module(module)
    if target is None:
        yield Finding(line, f"There is no module {module}, so {name} cannot be had.")
    elif name != "*" and not hasattr(target, name) and _module(f"{module}.{name}") is None:
        yield Finding(line, f"{module} has no {name!r}.")


def _unknown_addon(line: int, module: str, addons: Collection[str]) -> Iterator[Finding]:
    addon = other_addon(module)
    if addon is not None and addon not in addons:
        advice = "Install it, put its folder on addons_path, or do without"
        yield Finding(line, f"No addon {addon!r} is found. {advice}.")


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _missing_attributes(tree: ast.Module) -> Iterator[Finding]:
    """Name what a module of this framework is asked for and does not have: `fields.Monetary`."""
    modules = dict(_imported_modules(tree))
    for node, shadowed in in_scopes(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if name in modules:
                module = modules[name]
                if name not in shadowed and _lacks(module, attr):
                    yield Finding(node.lineno, f"{module.__name__} has no {attr!r}.")


def _imported_modules(tree: ast.Module) -> Iterator[tuple[str, ModuleType]]:
    """Give the names that stand for modules of this framework all through the file."""
    bound = free_names(tree)
    for node in ast.walk(tree):
        for name, full in _imports(node):
            if full.partition(".")[0] in OWN_PACKAGES and name not in bound:
                module = _module(full)
                if module is not None:
                    yield name, module


def _imports(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Give what an import binds, each with its full name here."""
    match node:
        case ast.ImportFrom(module=str(module), level=0, names=names):
            for each in names:
                yield each.asname or each.name, ".".join(new_home(module, each.name))
        case ast.Import(names=names):
            for each in names:
                if each.asname is not None:
                    yield each.asname, new_module(each.name) or each.name


def _lacks(module: ModuleType, attr: str) -> bool:
    return not hasattr(module, attr) and _module(f"{module.__name__}.{attr}") is None
