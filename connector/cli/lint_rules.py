"""What a module made for the old framework must change, found without running it."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from typing import NamedTuple

#: The beginning of an old module name -> of the new one; the longest that fits counts.
MODULES = {
    "openerp.addons.connector.checkpoint.checkpoint": "connector.checkpoint",
    "openerp.addons.connector.unit.binder": "connector.connector",
    "openerp.addons.connector.backend_model": "connector.models.backend",
    "openerp.addons.connector.tests.common": "connector.testing",
    "openerp.addons.connector": "connector",
    "odoo.addons.queue_job.job": "connector.queue.job",
    "odoo.addons.queue_job.exception": "connector.exception",
    "openerp.tests.common": "connector.core.testing",
    "openerp": "connector.core",
}
#: Names of Python 2 -> what says the same today.
BUILTINS = {"unicode": "str", "basestring": "str", "long": "int", "xrange": "range"}
METHODS = {"iteritems": "items", "itervalues": "values", "iterkeys": "keys", "has_key": "in"}
#: Attributes of a class in the API before 8.0.
OLD_CLASS_ATTRIBUTES = {
    "_columns": "Declare fields as attributes: name = fields.Char().",
    "_defaults": "Give each field its default: fields.Char(default=...).",
}
SESSION_SHORTCUTS = {"search", "browse", "read", "create", "write", "unlink"}


class Finding(NamedTuple):
    """A line that would not run, and what to do."""

    line: int
    text: str


def findings_in(source: str) -> list[Finding]:
    """Give what of a module would not run here, in the order of its lines."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        text = f"This is not Python 3: {error.msg}. Run 2to3 or write it anew."
        return [Finding(error.lineno or 1, text)]
    found = [finding for node in ast.walk(tree) for finding in _of(node)]
    return sorted(set(found))


def _of(node: ast.AST) -> Iterator[Finding]:
    match node:
        case ast.ImportFrom(module=str(module), level=0, names=names):
            yield from _import_from(node.lineno, module, [name.name for name in names])
        case ast.Import(names=names):
            for name in names:
                if (new := new_module(name.name)) is not None:
                    yield Finding(node.lineno, f"import {name.name}: write import {new}.")
        case ast.Name(id=name, ctx=ast.Load()) if name in BUILTINS:
            yield Finding(node.lineno, f"{name} is of Python 2: write {BUILTINS[name]}.")
        case ast.Call(func=ast.Attribute(attr=name)) if name in METHODS:
            yield Finding(node.lineno, f".{name}() is of Python 2: write {METHODS[name]}.")
        case ast.Call(func=ast.Attribute(value=value, attr=name)):
            yield from _call(node.lineno, value, name)
        case ast.FunctionDef(args=ast.arguments(args=[_, first, second, *_])) if (
            first.arg,
            second.arg,
        ) in {("cr", "uid"), ("cr", "user")}:
            advice = f"write {node.name}(self, ...) and use self.env."
            text = f"{node.name}(self, cr, uid, ...) is the API before 8.0: {advice}"
            yield Finding(node.lineno, text)
        case ast.ClassDef(body=body):
            yield from _class(body)


def _import_from(line: int, module: str, names: list[str]) -> Iterator[Finding]:
    new = new_module(module)
    if new is None:
        return
    yield Finding(line, f"from {module} import ...: write from {new} import ...")
    try:
        target = importlib.import_module(new)
    except ImportError:
        yield Finding(line, f"There is no module {new}, so {', '.join(names)} cannot be had.")
        return
    for name in names:
        if name != "*" and not hasattr(target, name) and not _is_module(f"{new}.{name}"):
            yield Finding(line, f"{new} has no {name!r}.")


def _is_module(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _call(line: int, value: ast.expr, name: str) -> Iterator[Finding]:
    owner = value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")
    if owner == "session" and name in SESSION_SHORTCUTS:
        yield Finding(line, f"session.{name}() is gone: use session.env[model].{name}().")
    if owner == "pool" and name == "get":
        yield Finding(line, "pool.get() gives no records: use self.env[model].")
    if name == "set_lang":
        yield Finding(line, "set_lang() is gone: use session.change_context(lang=...).")


def _class(body: list[ast.stmt]) -> Iterator[Finding]:
    for statement in body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            if name in OLD_CLASS_ATTRIBUTES:
                advice = OLD_CLASS_ATTRIBUTES[name]
                yield Finding(statement.lineno, f"{name} is the API before 8.0. {advice}")


def new_module(module: str) -> str | None:
    """Give the module that stands here for an old one; None when it is none of the framework's."""
    for old in sorted(MODULES, key=len, reverse=True):
        for spelling in (old, old.replace("openerp", "odoo", 1)):
            if module == spelling or module.startswith(f"{spelling}."):
                if module.startswith(f"{spelling}.addons."):
                    return None  # an addon of the author's
                return MODULES[old] + module[len(spelling) :]
    return None
