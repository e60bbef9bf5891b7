"""What of a file that is valid Python 3 was meant for Python 2 and would fail, or do nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from connector.cli.lint_scope import free_names, imported_names, in_scopes

#: What is said of a line: its number and the text.
Said = tuple[int, str]

BUILTINS = {
    "unicode": "str",
    "basestring": "str",
    "long": "int",
    "xrange": "range",
    "unichr": "chr",
    "raw_input": "input",
    "reduce": "functools.reduce",
    "file": "open",
    "cmp": "(a > b) - (a < b)",
    "execfile": "exec(open(path).read())",
    "reload": "importlib.reload",
    "apply": "function(*args)",
    "buffer": "memoryview",
    "intern": "sys.intern",
    "StandardError": "Exception",
}
METHODS = {
    "iteritems": "items",
    "itervalues": "values",
    "iterkeys": "keys",
    "viewitems": "items",
    "viewkeys": "keys",
    "viewvalues": "values",
    "has_key": "in",
}
MODULES = {
    "urllib2": "urllib.request and urllib.error",
    "urlparse": "urllib.parse",
    "httplib": "http.client",
    "xmlrpclib": "xmlrpc.client",
    "cookielib": "http.cookiejar",
    "StringIO": "io",
    "cStringIO": "io",
    "cPickle": "pickle",
    "ConfigParser": "configparser",
    "Queue": "queue",
    "HTMLParser": "html.parser",
    "__builtin__": "builtins",
}
#: Names that a module of the standard library had in Python 2.
MODULE_NAMES = {
    ("itertools", "izip"): "zip",
    ("itertools", "imap"): "map",
    ("itertools", "ifilter"): "filter",
    ("itertools", "izip_longest"): "itertools.zip_longest",
    ("urllib", "quote"): "urllib.parse.quote",
    ("urllib", "unquote"): "urllib.parse.unquote",
    ("urllib", "urlencode"): "urllib.parse.urlencode",
    ("urllib", "urlopen"): "urllib.request.urlopen",
    ("string", "letters"): "string.ascii_letters",
    ("string", "maketrans"): "str.maketrans",
    ("sys", "maxint"): "sys.maxsize",
    ("os", "getcwdu"): "os.getcwd",
}
#: Methods that Python 3 never calls.
SPECIAL_METHODS = {
    "__nonzero__": "__bool__",
    "__unicode__": "__str__",
    "__cmp__": "__eq__ and __lt__",
    "__getslice__": "__getitem__",
    "__div__": "__truediv__",
}
#: Encodings from bytes to bytes, which str.encode had.
BYTE_ENCODINGS = {"base64", "hex", "zip", "rot13", "zlib", "string_escape"}
VIEWS = {"keys", "values", "items"}
LAZY = {"map", "filter", "zip", "range"}


def findings(tree: ast.Module) -> Iterator[Said]:
    """Give what was meant for Python 2."""
    own = free_names(tree) | imported_names(tree)
    for node, shadowed in in_scopes(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()) if name in BUILTINS:
                if name not in own and name not in shadowed:
                    yield node.lineno, f"{name} is of Python 2: write {BUILTINS[name]}."
            case _:
                yield from _of(node)


def _of(node: ast.AST) -> Iterator[Said]:
    match node:
        case ast.Import(names=names):
            for each in names:
                yield from _module(node.lineno, each.name)
        case ast.ImportFrom(module=str(module), level=0, names=names):
            yield from _module(node.lineno, module)
            for each in names:
                yield from _module_name(node.lineno, module, each.name)
        case ast.Call(func=ast.Attribute(attr=name)) if name in METHODS:
            yield node.lineno, f".{name}() is of Python 2: write {METHODS[name]}."
        case ast.Call(
            func=ast.Attribute(attr="encode" | "decode"), args=[ast.Constant(value=str(name)), *_]
        ) if name in BYTE_ENCODINGS:
            yield (
                node.lineno,
                f"{name!r} encodes no text in Python 3: use base64 or zlib.",
            )
        case ast.Call(keywords=keywords) if any(each.arg == "cmp" for each in keywords):
            yield node.lineno, "cmp= is of Python 2: write key=functools.cmp_to_key(...)."
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module in {"sys", "string"}:
            yield from _module_name(node.lineno, module, name)
        case ast.Subscript(value=ast.Call() as call) if not isinstance(node.slice, ast.Name):
            yield from _no_list(call)
        case ast.Call(func=ast.Attribute(value=ast.Call() as call, attr="sort" | "append")):
            yield from _no_list(call)
        case ast.BinOp(op=ast.Add(), left=ast.Call() as call):
            yield from _no_list(call)
        case ast.ExceptHandler(name=str(name), body=body):
            yield from _messages(name, body)
        case ast.ClassDef(body=body):
            yield from _class(body)


def _module(line: int, module: str) -> Iterator[Said]:
    if module in MODULES:
        yield line, f"{module} is a module of Python 2: use {MODULES[module]}."


def _module_name(line: int, module: str, name: str) -> Iterator[Said]:
    if (module, name) in MODULE_NAMES:
        yield line, f"{module}.{name} is of Python 2: write {MODULE_NAMES[module, name]}."


def _no_list(call: ast.Call) -> Iterator[Said]:
    """Name a call whose result was a list."""
    match call.func:
        case ast.Attribute(attr=name) if name in VIEWS and not call.args and not call.keywords:
            yield call.lineno, f".{name}() is no list in Python 3: write list(...)."
        case ast.Name(id=name) if name in LAZY - {"range"} and call.args:
            yield call.lineno, f"{name}() is no list in Python 3: write list({name}(...))."


def _messages(name: str, body: list[ast.stmt]) -> Iterator[Said]:
    for statement in body:
        for node in ast.walk(statement):
            match node:
                case ast.Attribute(value=ast.Name(id=used), attr="message") if used == name:
                    yield node.lineno, f"{name}.message is of Python 2: write str({name})."


def _class(body: list[ast.stmt]) -> Iterator[Said]:
    for statement in body:
        match statement:
            case ast.FunctionDef(name=name) if name in SPECIAL_METHODS:
                new = SPECIAL_METHODS[name]
                yield statement.lineno, f"{name} is never called in Python 3: write {new}."
            case ast.Assign(targets=[ast.Name(id="__metaclass__")]):
                advice = "write class Name(metaclass=...)"
                yield statement.lineno, f"__metaclass__ does nothing in Python 3: {advice}."
