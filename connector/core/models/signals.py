"""
Triggers: which computed fields a change of a field concerns, and of which records.

A field that depends on ``line_ids.product_id.price`` is triggered by three fields:

    line_ids            on the record itself
    product_id          on a line: back through line_ids
    price               on a product: back through product_id, then line_ids
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from connector.core.domain import is_leaf
from connector.core.exceptions import UnknownFieldError
from connector.core.query import array_literal, identifier

__all__ = ["Triggers"]

Path = tuple[Any, ...]


class Triggers:
    """field -> pairs of a computed field and the relational fields that lead to it."""

    def __init__(self, registry: Any) -> None:
        self.registry = registry
        found: defaultdict[Any, dict[tuple[Any, Path], None]] = defaultdict(dict)
        for model_class in registry.models.values():
            for field in model_class._fields.values():
                for path in _paths(field):
                    for source, back in self._steps(model_class, path, field):
                        if source is not field or back:
                            found[source][field, back] = None
        #: many2one -> the one2many that show it from the other side
        self.inverse: defaultdict[Any, list[Any]] = defaultdict(list)
        #: many2many -> those that keep their links in the same table
        self.mirrors: defaultdict[Any, list[Any]] = defaultdict(list)
        self._pair_fields()
        self.of: dict[Any, list[tuple[Any, Path]]] = {k: list(v) for k, v in found.items()}
        #: model -> stored links to it, where it matters to a computed field that a record goes
        self.links_to = self._links_to(self.of)
        #: the same of what is more than looked at
        self.firm_links_to = self._links_to({f for f in self.of if not self._is_looked_at(f)})
        self._number_fields()

    def _links_to(self, watched_fields: Collection[Any]) -> dict[str, list[Any]]:
        links = [
            field
            for model_class in self.registry.models.values()
            for field in model_class._fields.values()
            if field.store and field.type in ("many2one", "many2many")
        ]
        matter = {field.model_name for field in watched_fields}
        found: defaultdict[str, list[Any]] = defaultdict(list)
        while True:
            known = len(matter)
            for link in links:
                watched = link in watched_fields or (_cascades(link) and link.model_name in matter)
                if watched and link not in found[link.comodel_name]:
                    found[link.comodel_name].append(link)
                    matter.add(link.comodel_name)
            if len(matter) == known:
                return {name: fields for name, fields in found.items() if fields}

    def _number_fields(self) -> None:
        """Number computed fields, each after those that it depends on; find the recursive ones."""
        done: dict[Any, None] = {}

        def visit(field: Any, open_: tuple[Any, ...]) -> None:
            for dependant, _ in self.of.get(field, ()):
                if dependant is field or dependant in open_:
                    for member in open_[open_.index(dependant) if dependant in open_ else 0 :]:
                        member.recursive = True
                    dependant.recursive = True
                elif dependant not in done:
                    visit(dependant, (*open_, dependant))
            done[field] = None

        for field in self.of:
            if field not in done:
                visit(field, (field,))
        for number, field in enumerate(reversed(done)):
            field.sequence = number

    def _pair_fields(self) -> None:
        by_relation: defaultdict[str, list[Any]] = defaultdict(list)
        for model_class in self.registry.models.values():
            for field in model_class._fields.values():
                if field.type == "one2many" and not field.compute and not field.related:
                    comodel = self.registry.models[field.comodel_name]
                    self.inverse[comodel._fields[field.inverse_name]].append(field)
                elif field.type == "many2many" and field.store:
                    by_relation[field.relation].append(field)
        for fields in by_relation.values():
            for field in fields:
                self.mirrors[field] = [other for other in fields if other is not field]

    def _steps(self, model_class: Any, path: str, computed: Any) -> Iterable[tuple[Any, Path]]:
        """Every field that the path reads, with the fields walked to reach it."""
        walked: list[Any] = []
        names = path.split(".")
        while names:
            field = model_class._fields.get(names[0])
            if field is None:
                raise UnknownFieldError(
                    f"The field {computed!r} depends on {path!r}, but {model_class._name!r} has "
                    f"no field {names[0]!r}. Correct the path."
                )
            if field.related and not field.store:
                names[0:1] = field.related
                continue
            yield field, tuple(walked)
            names.pop(0)
            if field.type == "one2many" and field.inverse_name:
                inverse = self.registry.models[field.comodel_name]._fields[field.inverse_name]
                yield inverse, (*walked, field)
            if field.x2many and not (field.compute or field.related):
                for source, back in self._members(model_class, field, computed):
                    yield source, (*walked, field, *back)
            if names:
                walked.append(field)
                model_class = self.registry.models[field.comodel_name]

    def _members(self, model_class: Any, field: Any, computed: Any) -> Iterable[tuple[Any, Path]]:
        """The fields of linked records that say whether they are shown by an x2many."""
        comodel_class = self.registry.models[field.comodel_name]
        paths = ["active"] if "active" in comodel_class._fields else []
        for condition in () if callable(field.domain) else field.own_domain(model_class):
            if is_leaf(condition) and isinstance(condition[0], str) and condition[0] != "id":
                paths.append(condition[0])
        for path in paths:
            yield from self._steps(comodel_class, path, computed)

    def modified(
        self, env: Any, changed: Iterable[Any], ids: Iterable[Any], *, draft: bool = False
    ) -> None:
        """
        Have recomputed, or read anew, all that depends on *changed* fields of the records.

        What depends on a *draft* is computed when it is read, and never written.
        """
        of = self.of
        #: of values that are not written nothing tells that they are marked already
        seen: defaultdict[Any, set[Any]] = defaultdict(set)
        pending = [(field, set(ids)) for field in changed if field in of]
        while pending:
            field, from_ids = pending.pop()
            for dependant, back in of[field]:
                if dependant.local and not self._matters(env, dependant):
                    continue
                reached = self._back(env, back, from_ids)
                reached = self._mark(env, dependant, reached, draft=draft)
                if dependant.local or draft:
                    reached -= seen[dependant]  # records may link in a circle
                    seen[dependant] |= reached
                if reached and dependant in of:
                    pending.append((dependant, reached))

    def is_only_looked_at(self, field: Any) -> bool:
        """Is a value, not a link, made use of only where a computed field is read?"""
        return field in self.of and not field.relational and self._is_looked_at(field)

    def _is_looked_at(self, field: Any) -> bool:
        return all(other.local and other not in self.of for other, _ in self.of[field])

    def _matters(self, env: Any, local: Any) -> bool:
        """Does anything look at the values of a computed field that is not stored?"""
        return local in self.of or any(env.transaction.local.get(local, ()))

    def deleted(self, env: Any, model_name: str, ids: Iterable[int]) -> None:
        """
        Have recomputed what depends on records that go; to be called before they do.

        Others go with them where a link cascades, and lose the link where it does not.
        """
        links_to = self.links_to if env.transaction.local else self.firm_links_to
        seen: defaultdict[str, set[int]] = defaultdict(set)
        waiting = [(model_name, set(ids))]
        while waiting:
            name, gone = waiting.pop()
            seen[name] |= gone
            fields = self.registry.models[name]._fields.values()
            self.modified(env, [field for field in fields if field in self.of], gone)
            for link in links_to.get(name, ()):
                reached = self._linking(env, link, gone)
                if not _cascades(link):
                    self.modified(env, [link], reached)
                elif reached - seen[link.model_name]:
                    waiting.append((link.model_name, reached - seen[link.model_name]))

    def _mark(self, env: Any, field: Any, ids: set[Any], *, draft: bool) -> set[Any]:
        """Mark the records; returns those that were not marked before."""
        transaction = env.transaction
        ids = ids - transaction.computing.get(field, set())
        if field.store and draft:
            drafts, values = transaction.draft[field], transaction.values[field]
            ids = {id_ for id_ in ids if id_ in values or id_ not in drafts}
            ids = {id_ for id_ in ids if not transaction.is_pending(field, id_)}
            drafts.update(id_ for id_ in ids if id_)
            for id_ in ids:
                values.pop(id_, None)
        elif field.store:
            todo = transaction.todo[field]
            if field in transaction.draft:
                transaction.draft[field] -= ids
            values, dirty = transaction.values[field], transaction.dirty.get(field, {})
            # A value of what is due already was looked at in `norecompute`.
            ids = {id_ for id_ in ids if id_ not in todo or id_ in values}
            todo.update(dict.fromkeys(id_ for id_ in ids if id_))
            for id_ in ids:
                values.pop(id_, None)
                dirty.pop(id_, None)  # what waits is out of date; computing sends it anew
        elif ids:
            for values in transaction.local.get(field, ()):
                for id_ in ids:
                    values.pop(id_, None)
        return ids

    def _back(self, env: Any, path: Path, ids: set[Any]) -> set[Any]:
        for field in reversed(path):
            if not ids:
                break
            ids = self._linking(env, field, ids)
        return ids

    def _linking(self, env: Any, field: Any, ids: set[Any]) -> set[Any]:
        """The records whose *field* holds one of *ids*."""
        transaction = env.transaction
        if field.type == "one2many" and not field.compute:
            lines = env[field.comodel_name].sudo().browse(ids)
            inverse = lines._fields[field.inverse_name]
            found = {id_ for line in lines if (id_ := line._known(inverse))}
            return found | _drafts_with(transaction, field, ids)
        if not field.store:
            return {id_ for id_, value in transaction.values[field].items() if _holds(value, ids)}
        if field.type == "many2many":
            return self._linking_rows(transaction, field, ids)
        return self._linking_column(transaction, field, ids)

    def _linking_column(self, transaction: Any, field: Any, ids: set[Any]) -> set[Any]:
        model_class = self.registry.models[field.model_name]
        values = transaction.values[field]
        waiting = {**transaction.new.get(field.model_name, {}), **transaction.dirty.get(field, {})}
        found = {id_ for id_ in waiting if values.get(id_) in ids}
        # Nothing in the database links to a record that is not there yet.
        stored = [i for i in ids if i and i not in transaction.new.get(field.comodel_name, ())]
        if stored:
            transaction.cr.execute_unflushed(
                f"SELECT id FROM {identifier(model_class._table)}"  # noqa: S608 - quoted names
                f" WHERE {identifier(field.name)} = ANY(%s::int[])",
                (array_literal(stored),),
            )
            found.update(id_ for (id_,) in transaction.cr.fetchall() if id_ not in waiting)
        return found | {id_ for id_, value in values.items() if not id_ and value in ids}

    def _linking_rows(self, transaction: Any, field: Any, ids: set[Any]) -> set[Any]:
        links = transaction.links.get((field.relation, field.column1, field.column2), {})
        transaction.cr.execute_unflushed(
            f"SELECT {identifier(field.column1)}, {identifier(field.column2)}"  # noqa: S608
            f" FROM {identifier(field.relation)}"
            f" WHERE {identifier(field.column2)} = ANY(%s::int[])",
            (array_literal(id_ for id_ in ids if id_),),
        )
        found = {one for one, two in transaction.cr.fetchall() if links.get((one, two), True)}
        found |= {one for (one, two), there in links.items() if there and two in ids}
        return found | _drafts_with(transaction, field, ids)


def _drafts_with(transaction: Any, field: Any, ids: set[Any]) -> set[Any]:
    """The records in draft whose x2many *field* holds one of *ids*."""
    if not transaction.has_drafts:
        return set()
    values = transaction.values[field]
    return {id_ for id_, held in values.items() if not id_ and held and _holds(held, ids)}


def _cascades(link: Any) -> bool:
    return bool(link.type == "many2one" and link.ondelete == "cascade")


def _paths(field: Any) -> Iterable[str]:
    if field.related and field.store:
        return (".".join(field.related),)
    return field.depends if field.compute else ()


def _holds(value: Any, ids: set[Any]) -> bool:
    return not ids.isdisjoint(value) if isinstance(value, tuple) else value in ids
