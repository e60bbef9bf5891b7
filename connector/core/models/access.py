"""Access: what the user may do with a model (ir.model.access) and with its records (ir.rule)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connector.core.domain import All, AnyOf, Leaf, Node, Not, parse
from connector.core.exceptions import AccessError, MissingError
from connector.core.fields import Field
from connector.core.models.computing import Computing
from connector.core.models.matching import is_decidable, matches

__all__ = ["Access"]

SUPERUSER_ID = 1
VERBS = {"read": "read", "write": "write", "create": "create", "unlink": "delete"}

RIGHTS = """
    SELECT bool_or(a.perm_read), bool_or(a.perm_write),
           bool_or(a.perm_create), bool_or(a.perm_unlink)
      FROM ir_model_access a
      JOIN ir_model m ON m.id = a.model_id
     WHERE m.model = %(model)s AND a.active IS NOT FALSE
       AND (a.group_id IS NULL OR a.group_id IN (
            SELECT gid FROM res_groups_users_rel WHERE uid = %(uid)s))
"""
RULES = """
    SELECT r.domain_force, r.global, r.perm_read, r.perm_write, r.perm_create, r.perm_unlink
      FROM ir_rule r
      JOIN ir_model m ON m.id = r.model_id
     WHERE m.model = %(model)s AND r.active IS NOT FALSE
       AND (r.global OR r.id IN (
            SELECT rg.rule_group_id FROM rule_group_rel rg
              JOIN res_groups_users_rel gu ON gu.gid = rg.group_id
             WHERE gu.uid = %(uid)s))
"""


class Access(Computing):
    """The superuser may do everything; others what rights and rules give them."""

    _register = False

    def check_access_rights(self, mode: str, raise_exception: bool = True) -> bool:
        """
        May the user do this with records of the model at all?

        Raises:
            AccessError: no, unless *raise_exception* is false.
        """
        if self.env.uid == SUPERUSER_ID or self._transient:
            return True
        allowed = bool(self._rights()[mode])
        if not allowed and raise_exception:
            raise AccessError(
                f"User {self.env.uid} may not {VERBS[mode]} records of {self._name!r} "
                f"({self._description}). Add the user to a group that may, or give one of the "
                f"user's groups access in ir.model.access."
            )
        return allowed

    def _is_restricted(self, mode: str) -> bool:
        """
        Are there rules on which of the records the user may treat so?

        The answer "no" holds for the transaction, until rights or rules are written.

        Raises:
            AccessError: the user may treat none of them so.
        """
        env = self.env
        if env.uid == SUPERUSER_ID:
            return False
        transaction, key = env.transaction, (env.uid, self._name, mode)
        if key in transaction.unrestricted:
            return False
        self.check_access_rights(mode)
        if self._rule_node(mode) is not None:
            return True
        transaction.unrestricted.add(key)
        return False

    def _rights(self) -> dict[str, bool]:
        rights: dict[str, bool] = self._asked("rights", self._read_rights)
        return rights

    def _asked(self, what: str, ask: Any) -> Any:
        """An answer that holds for the registry until rights change."""
        own = self.env.transaction.rights
        known = self.env.registry.cache if own is None else own
        key = ("access", what, self._name, self.env.uid)
        if key not in known:
            known[key] = ask()
        return known[key]

    def _read_rights(self) -> dict[str, bool]:
        self._flush_access()
        if "ir.model.access" not in self.env.registry.models:
            return dict.fromkeys(VERBS, True)
        self.env.cr.execute_unflushed(RIGHTS, {"model": self._name, "uid": self.env.uid})
        return dict(zip(VERBS, map(bool, self.env.cr.fetchall()[0]), strict=True))

    def _flush_access(self) -> None:
        transaction = self.env.transaction
        if transaction.pending_rows:
            transaction.flush()

    # -- rules ----------------------------------------------------------------------------

    def _rule_node(self, mode: str) -> Node | None:
        """The condition of the rules on records that the user may treat so; None without rules."""
        if self.env.uid == SUPERUSER_ID:
            return None
        known = self.env.transaction.rules
        key = (self.env.uid, self._name, mode)
        if key not in known:
            known[key] = None  # a rule is not asked whether its own domain may be read
            known[key] = self._own_rule_node() if self._transient else self._combined_rules(mode)
            if known[key] is not None:
                # Searches that the rules' domains make were let through for the while.
                self.env.transaction.unrestricted.discard(key)
        node: Node | None = known[key]
        return node

    def _combined_rules(self, mode: str) -> Node | None:
        parts = [self._parse_rules(mode)]
        for parent_name, link in self._inherits.items():
            parent = self.env[parent_name]._rule_node(mode)
            if parent is not None:
                parts.append(_below(link, parent))
        nodes = tuple(part for part in parts if part is not None)
        return All(nodes) if nodes else None

    def _parse_rules(self, mode: str) -> Node | None:
        rows = [row for row in self._asked("rules", self._read_rules) if row[mode]]
        if not rows:
            return None
        everyones = [self._rule_domain(row) for row in rows if row["global"]]
        groups = [self._rule_domain(row) for row in rows if not row["global"]]
        if groups:
            everyones.append(AnyOf(tuple(groups)))
        return All(tuple(everyones))

    def _read_rules(self) -> list[dict[str, Any]]:
        self._flush_access()
        if "ir.rule" not in self.env.registry.models:
            return []
        self.env.cr.execute_unflushed(RULES, {"model": self._name, "uid": self.env.uid})
        names = ("domain", "global", *VERBS)
        return [dict(zip(names, row, strict=True)) for row in self.env.cr.fetchall()]

    def _rule_domain(self, row: dict[str, Any]) -> Node:
        return parse(self.env["ir.rule"].sudo()._domain_for(row["domain"], self.env.uid))

    def check_access_rule(self, mode: str) -> None:
        """
        Do the rules let the user treat these records so?

        Raises:
            AccessError: not all of them.
            MissingError: one is gone.
        """
        self._check_records(mode)

    def _check_records(self, mode: str) -> None:
        env = self.env
        if env.uid == SUPERUSER_ID:
            return
        if (env.uid, self._name, mode) in env.transaction.unrestricted:
            return
        refused = self._refused(mode)
        if refused:
            self._raise_refused(mode, refused)

    def _refused(self, mode: str) -> list[int]:
        node = self._rule_node(mode)
        if node is None:
            return []
        allowed = self.env.transaction.allowed[self.env.uid, self._name, mode]
        unknown = [id_ for id_ in self._ids if id_ and id_ not in allowed]
        if unknown and self._all_cached(unknown) and is_decidable(self, node):
            allowed.update(r._ids[0] for r in self.sudo().browse(unknown) if matches(r, node))
        elif unknown:
            found = self.sudo()._search_node(All((node, parse([("id", "in", unknown)]))))
            allowed.update(found._ids)
        return [id_ for id_ in unknown if id_ not in allowed]

    def _all_cached(self, ids: list[int]) -> bool:
        """Do all these records wait to be inserted, so that asking for them is to write them?"""
        new = self.env.transaction.new.get(self._name, ())
        dirty = self.env.transaction.touched.get(self._name, ())
        return all(id_ in new or id_ in dirty for id_ in ids)

    def _own_rule_node(self) -> Node | None:
        """Records of a transient model are their creator's alone."""
        if not self._log_access:
            return None
        return parse([("create_uid", "=", self.env.uid)])

    def _raise_refused(self, mode: str, refused: list[int]) -> None:
        shown = f"{self._name}({', '.join(map(str, refused[:10]))})"
        if len(self.browse(refused).sudo().exists()) < len(refused):
            raise MissingError(
                f"The record {shown} does not exist or has been deleted. "
                f"Check with exists() before."
            )
        raise AccessError(
            f"User {self.env.uid} may not {VERBS[mode]} {shown}: a rule of {self._name!r} "
            f"(ir.rule) keeps it from the user. Change the rule, or the record."
        )

    def _filter_access_rules(self, mode: str) -> Any:
        """Those of the records that the rules allow."""
        if self.env.uid == SUPERUSER_ID:
            return self
        refused = set(self._refused(mode))
        return self.browse([id_ for id_ in self._ids if id_ not in refused]) if refused else self

    def _check_readable(self, field: Field) -> None:
        """One record's field is asked for: may the user read it?"""
        self.check_access_rights("read")
        self._check_field_groups(field)
        if self._rule_node("read") is None:
            return
        allowed = self.env.transaction.allowed[self.env.uid, self._name, "read"]
        if self._ids[0] not in allowed:
            # The neighbours are asked for in the same statement.
            ids = [id_ for id_ in self._prefetch_ids() if id_][:1000]
            refused = self.browse(ids)._refused("read")
            if self._ids[0] in refused:
                self._raise_refused("read", [self._ids[0]])

    def filtered_domain(self, domain: Sequence[Any]) -> Any:
        """Those of the records that meet *domain*, by their values, written or not."""
        node = parse(domain)
        if self.env.transaction.draft or is_decidable(self, node):
            return self.filtered(lambda record: matches(record, node))
        found = set(self._search_node(All((Leaf("id", "in", self.ids), node)))._ids)
        return self.filtered(
            lambda record: record.id in found or (not record.id and matches(record, node))
        )

    def _check_field_groups(self, field: Field, mode: str = "read") -> None:
        if not self._is_for_user(field):
            raise AccessError(
                f"User {self.env.uid} may not {mode} {field!r}: it is for the groups "
                f"{field.groups}. Add the user to one of them."
            )

    def _is_for_user(self, field: Field) -> bool:
        """Is the user in one of the groups that the field is for, if it is for some?"""
        return (
            not field.groups or self.env.uid == SUPERUSER_ID or self.user_has_groups(field.groups)
        )

    def _reads_freely(self, field: Field) -> bool:
        """May the user read the field of every record? Then the cache answers without asking."""
        if self.env.uid == SUPERUSER_ID:
            return True
        if field.groups or not self.check_access_rights("read", raise_exception=False):
            return False
        return self._rule_node("read") is None

    def user_has_groups(self, groups: str) -> bool:
        """Is the user in one of the groups, given as external ids joined by commas?"""
        return self.env.user.sudo().has_group_of(groups)  # type: ignore[no-any-return]


def _below(link: str, node: Node) -> Node:
    """*node* said of the record behind *link*."""
    match node:
        case Leaf(path, operator, value):
            return Leaf(f"{link}.{path}", operator, value)
        case Not(operand):
            return Not(_below(link, operand))
        case All(operands):
            return All(tuple(_below(link, each) for each in operands))
        case AnyOf(operands):
            return AnyOf(tuple(_below(link, each) for each in operands))
        case _:
            return node
