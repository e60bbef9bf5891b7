"""The addons in the order of their dependencies."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from connector.core.exceptions import (
    DependencyCycleError,
    UnknownModuleError,
    UnmetDependencyError,
)
from connector.core.modules.manifest import Manifest, manifest_of


@dataclass
class Node:
    """An addon in the graph, with what the database says about it."""

    name: str
    manifest: Manifest
    depth: int
    state: str = "uninstalled"
    #: the version whose tables and data the database has
    installed_version: str | None = None
    demo: bool = False

    @property
    def depends(self) -> tuple[str, ...]:
        return self.manifest.depends


class Graph:
    """Addons by name; iterated by depth, then by name: each after all that it needs."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}

    def __getitem__(self, name: str) -> Node:
        return self._nodes[name]

    def __contains__(self, name: object) -> bool:
        return name in self._nodes

    def __len__(self) -> int:
        return len(self._nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(sorted(self._nodes.values(), key=lambda node: (node.depth, node.name)))

    def add(self, names: Iterable[str]) -> list[str]:
        """
        Add addons whose dependencies are, or get, in the graph; returns those that cannot be.

        For addons installed long ago: one whose package is gone must not keep the database shut.
        """
        waiting = {name: _manifest_or_none(name) for name in names if name not in self._nodes}
        while True:
            ready = [
                manifest
                for manifest in waiting.values()
                if manifest and all(name in self._nodes for name in manifest.depends)
            ]
            if not ready:
                return sorted(waiting)
            for manifest in ready:
                depth = 1 + max((self._nodes[name].depth for name in manifest.depends), default=-1)
                self._nodes[manifest.addon] = Node(manifest.addon, manifest, depth)
                del waiting[manifest.addon]


def closure(names: Iterable[str], find: Callable[[str], Manifest] = manifest_of) -> list[str]:
    """
    The addons and all that they depend on, each after those it needs.

    Raises:
        UnknownModuleError: one of *names* is not found.
        UnmetDependencyError: a dependency is not found.
        DependencyCycleError: addons need each other.
    """
    done: dict[str, None] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in done:
            return
        if name in path:
            cycle = " -> ".join((*path[path.index(name) :], name))
            raise DependencyCycleError(
                f"The addons depend on each other: {cycle}. Take one of them out of a `depends`."
            )
        for needed in _find(find, name, path).depends:
            visit(needed, (*path, name))
        done[name] = None

    for name in names:
        visit(name, ())
    return list(done)


def _find(find: Callable[[str], Manifest], name: str, path: tuple[str, ...]) -> Manifest:
    try:
        return find(name)
    except UnknownModuleError as error:
        if not path:
            raise
        raise UnmetDependencyError(
            f"The addon {path[-1]!r} depends on {name!r} ({' -> '.join((*path, name))}), "
            "which is not found. Install its package, or put its folder on addons_path."
        ) from error


def _manifest_or_none(name: str) -> Manifest | None:
    try:
        return manifest_of(name)
    except UnknownModuleError:
        return None


def nodes_with_states(graph: Graph, rows: Iterable[tuple[str, str, str | None, Any]]) -> None:
    """Take state, installed version and demo of each addon from rows of the database."""
    for name, state, version, demo in rows:
        if name in graph:
            node = graph[name]
            node.state, node.installed_version, node.demo = state, version, bool(demo)
