"""Removes addons from a database: their records, columns and tables, and the names of all these."""

import logging
from collections.abc import Iterable
from typing import Any

from connector.core.modules.external_ids import REFLECTED_MODELS, ExternalIds, Link
from connector.core.sql import Cursor, schema

logger = logging.getLogger(__name__)


def remove(env: Any, doomed: set[str]) -> None:
    """
    Delete what only these addons brought: data first, then columns, then tables.

    The registry still has their models; it is built anew afterwards.
    """
    links = _links(env.cr, doomed)
    models = [link for link in links if link.model == "ir.model"]
    fields = [link for link in links if link.model == "ir.model.fields"]
    dropped = _only_theirs(env.cr, models)
    names = _model_names(env.cr, dropped)
    _delete_data(env, [link for link in links if link.model not in REFLECTED_MODELS], names)
    env.flush()  # what the deletions left pending goes out before the tables do
    _drop_constraints(env, doomed, names)
    gone = [*_only_theirs(env.cr, fields), *_custom_links(env.cr, names)]
    _drop_columns(env, gone, names)
    _drop_tables(env, names)
    _forget(env.cr, doomed, dropped, gone)
    env.invalidate_all()


def _links(cr: Cursor, doomed: set[str]) -> list[Link]:
    cr.execute(
        "SELECT id, module, name, model, res_id, COALESCE(noupdate, false) FROM ir_model_data"
        " WHERE module = ANY(%s) ORDER BY id DESC",
        (sorted(doomed),),
    )
    return [Link(*row) for row in cr.fetchall()]


def _only_theirs(cr: Cursor, links: Iterable[Link]) -> list[int]:
    """The records among *links* that no other addon has a name for."""
    by_id = {link.id: link for link in links}
    if not by_id:
        return []
    first = next(iter(by_id.values()))
    cr.execute(
        "SELECT res_id FROM ir_model_data WHERE model = %s AND res_id = ANY(%s) AND id <> ALL(%s)",
        (first.model, [link.res_id for link in by_id.values()], list(by_id)),
    )
    shared = {res_id for (res_id,) in cr.fetchall()}
    return sorted({link.res_id for link in by_id.values()} - shared)


def _model_names(cr: Cursor, model_ids: list[int]) -> list[str]:
    cr.execute("SELECT model FROM ir_model WHERE id = ANY(%s) ORDER BY id DESC", (model_ids,))
    return [name for (name,) in cr.fetchall()]


def _delete_data(env: Any, links: list[Link], dropped_models: list[str]) -> None:
    """Records of models that go entirely need no deletion one by one."""
    ExternalIds(env).delete([link for link in links if link.model not in dropped_models])


def _drop_constraints(env: Any, doomed: set[str], dropped_models: list[str]) -> None:
    for name, model in env.registry.models.items():
        if name in dropped_models or not model._auto or model._abstract:
            continue
        for definition in model._definitions:
            if definition._module in doomed:
                for key, *_ in definition.__dict__.get("_sql_constraints", ()):
                    schema.drop_constraint(
                        env.cr, model._table, schema.short_name(f"{model._table}_{key}")
                    )


def _custom_links(cr: Cursor, dropped_models: list[str]) -> list[int]:
    """The custom fields of these models, and those of others that link to them."""
    cr.execute(
        "SELECT id FROM ir_model_fields WHERE state = 'manual'"
        " AND (model = ANY(%(names)s) OR relation = ANY(%(names)s))",
        {"names": dropped_models},
    )
    return [id_ for (id_,) in cr.fetchall()]


def _drop_columns(env: Any, field_ids: list[int], dropped_models: list[str]) -> None:
    env.cr.execute("SELECT model, name FROM ir_model_fields WHERE id = ANY(%s)", (field_ids,))
    gone = env.cr.fetchall()
    kept_relations = _relations_but_of(env, set(gone))
    for model_name, field_name in gone:
        model = env.registry.models.get(model_name)
        field = model._fields.get(field_name) if model else None
        if field is None or model._abstract:
            continue
        if field.type == "many2many" and field.store:
            if field.relation not in kept_relations:
                schema.drop_table(env.cr, field.relation)
        elif field.is_column and model_name not in dropped_models and model._auto:
            schema.drop_column(env.cr, model._table, field_name)


def _relations_but_of(env: Any, gone: set[tuple[str, str]]) -> set[str]:
    """The tables in which other fields keep their links: both sides, or a copy, share one."""
    return {
        field.relation
        for model in env.registry.models.values()
        for field in model._fields.values()
        if field.type == "many2many" and field.store and not model._abstract
        if (field.model_name, field.name) not in gone
    }


def _drop_tables(env: Any, dropped_models: list[str]) -> None:
    for name in dropped_models:
        model = env.registry.models.get(name)
        if model is None:
            logger.warning("Table kept, the code of its model is gone", extra={"model": name})
        elif model._auto and not model._abstract:
            schema.drop_table(env.cr, model._table)
            logger.info("Table dropped", extra={"model": name})


def _forget(cr: Cursor, doomed: set[str], model_ids: list[int], field_ids: list[int]) -> None:
    cr.execute("DELETE FROM ir_model_fields WHERE id = ANY(%s)", (field_ids,))
    cr.execute("DELETE FROM ir_model_fields WHERE model_id = ANY(%s)", (model_ids,))
    cr.execute("DELETE FROM ir_model WHERE id = ANY(%s)", (model_ids,))
    cr.execute("DELETE FROM ir_model_data WHERE module = ANY(%s)", (sorted(doomed),))
