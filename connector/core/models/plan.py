"""Plan: what creating and writing need to know of a model, worked out once per set-up."""

from __future__ import annotations

from typing import Any

__all__ = ["Plan"]


class Plan:
    """The fields of a model, sorted by what has to be done about them."""

    def __init__(self, model_class: Any, triggers: Any) -> None:
        fields = model_class._fields.values()
        own = [f for f in fields if not f.automatic]
        log = model_class._log_access
        self.triggers = triggers
        #: columns that ``create`` fills from its dictionaries
        self.columns = [
            f
            for f in fields
            if f.is_column and not (log and f.automatic) and not f.related and not f.compute
        ]
        links = model_class._inherits.values()
        #: those of them that link to ``_inherits`` parents, and the others
        self.link_columns = [f for f in self.columns if f.name in links]
        self.own_columns = [f for f in self.columns if f.name not in links]
        self.column_names = frozenset(f.name for f in self.columns)
        self.log = [
            model_class._fields[name]
            for name in ("create_uid", "create_date", "write_uid", "write_date")
            if log
        ]
        #: stored fields that are computed
        self.computed = [f for f in own if f.store and (f.compute or f.related)]
        defaults = [f for f in own if f.default is not None and not (f.related and not f.inherited)]
        self.constants = {f.name: f.default for f in defaults if not callable(f.default)}
        self.called = [f for f in defaults if callable(f.default)]
        #: an addon has more to say about defaults than the fields
        self.asks_for_defaults = model_class._is_extended("default_get")
        self.inherits = {
            parent: (link, frozenset(f.name for f in fields if _is_inherited(f, link)))
            for parent, link in model_class._inherits.items()
        }
        self.names = frozenset(model_class._fields)
        self.keyed = frozenset(name for key in model_class._natural_keys for name in key)
        self.grouped = frozenset(f.name for f in fields if f.groups)
        #: columns whose change concerns computed fields that are not stored, and no others:
        #: nothing is known of these for a new record
        self.looked_at = frozenset(f for f in fields if triggers.is_only_looked_at(f))
        #: the others whose change concerns computed fields
        self.triggering = frozenset(f for f in fields if f in triggers.of) - self.looked_at
        #: many2one that a one2many shows from the other side
        self.mirrored = frozenset(f for f in fields if f in triggers.inverse)
        self.watched = self.triggering | self.mirrored
        #: names of columns that ``write`` may just put into the cache
        self.plain = frozenset(
            f.name
            for f in own
            if f.is_column
            and not (f.inverse or f.related or f.translate)
            and f.name not in self.keyed
        )


def _is_inherited(field: Any, link: str) -> bool:
    return bool(field.inherited and field.related and field.related[0] == link)
