"""What callers may not do, and what holds when many call at once."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import argon2
import psutil
import pytest
import requests

from connector.core import sql

DENIED = "odoo.exceptions.AccessDenied"


def as_clerk(server: Any, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
    uid = server.result("common", "login", server.database, "clerk", server.clerk_password)
    call = (server.database, uid, server.clerk_password, model, method, list(args), kwargs)
    return server.answer("object", "execute_kw", *call)


def kind(answer: Any) -> str:
    return str(answer["error"]["data"]["name"])


# -- rights --------------------------------------------------------------------------------


def test_rights_hold_for_callers(server: Any) -> None:
    """Who may read but not write is refused, and nothing is changed."""
    assert as_clerk(server, "res.partner", "search_count", [])["result"] > 1
    answer = as_clerk(server, "res.partner", "create", {"name": "Smuggled"})
    assert kind(answer) == "odoo.exceptions.AccessError"
    assert server.execute("res.partner", "search_count", [["name", "=", "Smuggled"]]) == 0


@pytest.mark.parametrize(
    ("model", "method", "args"),
    [
        ("ir.config_parameter", "get_param", ["database.uuid"]),
        ("ir.config_parameter", "set_param", ["a", "b"]),
        ("ir.module.module", "update_list", []),
        ("ir.module.module", "button_uninstall", [[1]]),
        ("base.module.upgrade", "upgrade_module", [[]]),
        ("res.users.apikeys", "search", [[]]),
        ("res.users", "read", [[1], ["password_crypt"]]),
    ],
)
def test_what_is_the_administrators_is_refused_to_others(
    server: Any, model: str, method: str, args: list[Any]
) -> None:
    """Parameters, addons, keys and hashes are not for every user."""
    assert kind(as_clerk(server, model, method, *args)) == "odoo.exceptions.AccessError"


def test_fields_of_other_groups_are_left_out(server: Any) -> None:
    """Reading everything gives what the user may read, and describes no more."""
    (row,) = as_clerk(server, "res.users", "read", [1])["result"]
    assert row["login"] == "admin"
    assert "password_crypt" not in row
    assert "password_crypt" not in as_clerk(server, "res.users", "fields_get")["result"]


# -- passwords -----------------------------------------------------------------------------


def test_a_changed_password_ends_the_old_one_at_once(server: Any) -> None:
    """However the stored hash is changed, the old password is refused by the next call."""
    clerk = server.execute("res.users", "create", {"name": "N", "login": "new", "password": "one"})
    call = (server.database, clerk, "one", "res.users", "context_get", [])
    for _ in range(2):
        assert server.result("object", "execute_kw", *call)["uid"] == clerk
    with sql.connect(server.database).cursor() as cr:  # past the models, and without a signal
        cr.execute(
            "UPDATE res_users SET password_crypt = (SELECT password_crypt FROM res_users"
            " WHERE id = 1) WHERE id = %s",
            (clerk,),
        )
    assert kind(server.answer("object", "execute_kw", *call)) == DENIED


def test_an_archived_user_is_refused_at_once(server: Any) -> None:
    """The active flag is looked at by each call, for passwords and for sessions."""
    clerk = server.execute("res.users", "create", {"name": "A", "login": "arch", "password": "one"})
    call = (server.database, clerk, "one", "res.users", "context_get", [])
    assert server.result("object", "execute_kw", *call)["uid"] == clerk
    with requests.Session() as client:
        params = {"db": server.database, "login": "arch", "password": "one"}
        server.post("/web/session/authenticate", params, client)
        server.execute("res.users", "write", [clerk], {"active": False})
        assert kind(server.answer("object", "execute_kw", *call)) == DENIED
        answer = server.post("/web/session/get_session_info", {}, client)
        assert answer["error"]["code"] == 100


def test_known_passwords_cost_no_hashing(server: Any) -> None:
    """A call with a password that was found right before is far less work than a hashing."""
    call = (server.database, 1, server.password, "res.users", "context_get", [])
    server.result("object", "execute_kw", *call)
    start = time.process_time()
    argon2.PasswordHasher().hash(server.password)
    hashing = time.process_time() - start
    before = work_of(server)
    for _ in range(20):
        server.result("object", "execute_kw", *call)
    assert 0 < work_of(server) - before < 20 * hashing / 2


def work_of(server: Any) -> float:
    """The seconds that the server's process has computed: another's load is none of them."""
    times = psutil.Process(server.process.pid).cpu_times()
    return float(times.user + times.system)


@pytest.mark.parametrize("password", [None, "", 12, [], {"a": 1}, "a\0b"])
def test_what_is_no_password_is_refused(server: Any, password: Any) -> None:
    """Values that nobody can have as a password give AccessDenied."""
    call = (server.database, 1, password, "res.users", "context_get", [])
    assert kind(server.answer("object", "execute_kw", *call)) == DENIED


def test_guessing_is_slowed_down(fresh_server: Any) -> None:
    """After some wrong passwords even the right one has to wait; who is known does not."""
    server = fresh_server
    right = (server.database, 1, server.password, "res.users", "context_get", [])
    assert server.result("object", "execute_kw", *right)["uid"] == 1
    arguments = (server.database, "clerk")
    for number in range(7):
        assert server.result("common", "login", *arguments, f"guess {number}") is False
    assert server.result("common", "login", *arguments, server.clerk_password) is False
    assert server.result("object", "execute_kw", *right)["uid"] == 1
    params = {"db": server.database, "login": "clerk", "password": server.clerk_password}
    told = server.post("/web/session/authenticate", params)["error"]["data"]
    assert told["name"] == DENIED
    assert "too many attempts" in told["message"]


# -- databases -----------------------------------------------------------------------------


def test_management_is_off_unless_enabled(strict_server: Any) -> None:
    """Without list_db databases are neither listed nor managed, nor others reached."""
    server = strict_server
    assert kind(server.answer("db", "list")) == DENIED
    assert kind(server.answer("db", "create_database", "any", "test_making_1_1", False, "en_US"))
    assert kind(server.answer("db", "drop", "any", server.database)) == DENIED
    assert server.result("db", "db_exist", "postgres") is False
    error = server.error("common", "login", "postgres", "admin", "admin")
    assert "There is no database 'postgres'" in error["data"]["message"]


def test_management_is_behind_the_master_password(server: Any, new_name: Any) -> None:
    """A wrong master password gives AccessDenied and changes nothing."""
    name = new_name()
    assert kind(server.answer("db", "create_database", "wrong", name, False, "en_US")) == DENIED
    assert server.result("db", "db_exist", name) is False
    assert server.result("db", "list_countries", server.master)[0] == ["AF", "Afghanistan"]
    assert kind(server.answer("db", "list_countries")) == "builtins.TypeError"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("no good name!", False, "en_US"), "cannot be named"),
        (("test_making_1_2", False, "xx_XX"), "no language"),
        (("test_making_1_2", False, "en_US", "pw", "admin", "ZZZ"), "no country"),
    ],
)
def test_a_database_that_cannot_be_made_leaves_nothing(
    server: Any, arguments: Any, told: str
) -> None:
    """Wrong names, languages and countries are refused before anything is made."""
    error = server.error("db", "create_database", server.master, *arguments)
    assert told in error["data"]["message"]
    assert server.result("db", "db_exist", arguments[0]) is False


def test_a_name_that_is_taken_is_told(server: Any) -> None:
    """A database that exists is not made again, restored or duplicated over."""
    name = server.database
    for method, arguments in {
        "create_database": (name, False, "en_US"),
        "duplicate_database": (name, name),
        "restore": (name, "UEsDBA=="),
    }.items():
        error = server.error("db", method, server.master, *arguments)
        assert error["data"]["message"] == f"database {name!r} already exists!"
        assert error["data"]["name"] == "odoo.service.db.DatabaseExists"


@pytest.mark.parametrize("content", ["bm90IGEgZHVtcA==", "%%%", "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="])
def test_what_is_no_dump_leaves_nothing(
    server: Any, new_name: Callable[[], str], content: str
) -> None:
    """A restore of anything but a dump fails, and no half of a database stays."""
    name = new_name()
    assert "error" in server.answer("db", "restore", server.master, name, content)
    assert server.result("db", "db_exist", name) is False


def test_databases_are_migrated(server: Any) -> None:
    """`migrate_databases` updates the addons of a database, which goes on being served."""
    assert server.result("db", "migrate_databases", server.master, [server.database]) is True
    assert server.execute("res.partner", "search_count", []) > 1


# -- transactions --------------------------------------------------------------------------


def test_conflicts_are_run_again(server: Any) -> None:
    """Many writes of one record at once all succeed: who is in the way waits and tries again."""
    partner = server.execute("res.partner", "create", {"name": "Contended"})

    def write(number: int) -> Any:
        return server.execute("res.partner", "write", [partner], {"ref": f"ref {number}"})

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(write, range(24)))


def test_a_call_that_fails_changes_nothing(server: Any) -> None:
    """What a call did before its error is rolled back."""
    values = [{"name": "Half"}, {"name": "Half", "country_id": 999_999}]
    told = server.refused("res.partner", "create", values)
    assert told["name"] == "odoo.exceptions.ValidationError"
    assert server.execute("res.partner", "search_count", [["name", "=", "Half"]]) == 0


def test_changes_of_other_processes_are_followed(server: Any) -> None:
    """A field that another process has made is there for the next call."""
    from connector.core.environment import Environment
    from connector.core.registry import Registry

    with Environment.manage(), Registry(server.database).cursor() as cr:
        env = Environment(cr, 1, {})
        model = env["ir.model"].search([("model", "=", "res.partner.category")])
        field = env["ir.model.fields"].create(
            {"model_id": model.id, "name": "x_signal", "ttype": "char", "state": "manual"}
        )
        field_id = field.id
    assert "x_signal" in server.execute("res.partner.category", "fields_get")
    server.execute("ir.model.fields", "unlink", [field_id])
    assert "x_signal" not in server.execute("res.partner.category", "fields_get")
    Registry(server.database).check_signaling()


# -- limits --------------------------------------------------------------------------------


def test_a_call_that_takes_too_long_is_cut_off(strict_server: Any) -> None:
    """A call that waits for a lock is ended by the limit, and changes nothing afterwards."""
    server = strict_server
    partner = server.execute("res.partner", "create", {"name": "Locked"})
    with sql.connect(server.database).cursor(sql.READ_COMMITTED) as cr:
        cr.execute("SELECT 1 FROM res_partner WHERE id = %s FOR UPDATE", (partner,))
        start = time.monotonic()
        told = server.refused("res.partner", "write", [partner], {"ref": "too late"})
        assert time.monotonic() - start < 8
    assert told["name"] == "connector.server.errors.CallTimeoutError"
    assert "changed nothing" in told["message"]
    assert server.execute("res.partner", "read", [partner], ["ref"])[0]["ref"] is False


def test_a_request_that_is_too_large_is_refused(strict_server: Any) -> None:
    """The size told, and the size that arrives, are both limited."""
    url = f"{strict_server.url}/jsonrpc"
    headers = {"content-type": "application/json"}
    answer = requests.post(url, data=b"x" * 2**21, headers=headers, timeout=10)
    assert answer.status_code == 413
    chunks = (b"x" * 65_536 for _ in range(64))
    try:
        answer = requests.post(url, data=chunks, headers=headers, timeout=10)
    except requests.ConnectionError:
        return  # closed while the rest was being sent
    assert answer.status_code == 413


def test_a_call_that_changes_models_disturbs_no_other(server: Any) -> None:
    """Calls go on while custom fields come and go; none of them meets half of a model."""
    (model,) = server.execute("ir.model", "search", [["model", "=", "res.partner.category"]])

    def read(_number: int) -> Any:
        return len(server.execute("res.partner.category", "search_read", [], ["name"]))

    def change(number: int) -> Any:
        values = {"model_id": model, "name": f"x_turn_{number}", "ttype": "char"}
        field = server.execute("ir.model.fields", "create", {**values, "state": "manual"})
        return server.execute("ir.model.fields", "unlink", [field])

    with ThreadPoolExecutor(4) as pool:
        changes = [pool.submit(change, number) for number in range(3)]
        reads = [pool.submit(read, number) for number in range(60)]
        assert all(done.result() is True for done in changes)
        assert len({done.result() for done in reads}) == 1


def test_a_sleeping_database_is_served_and_told(
    server: Any, serve_database: Any, new_name: Any, capfd: Any
) -> None:
    """A copy can be called; the command says that it is asleep."""
    name = new_name()
    assert server.result("db", "duplicate_database", server.master, server.database, name)
    with serve_database(name) as running:
        assert running.execute("res.partner", "search_count", []) > 1
    assert f"{name!r} is a copy and asleep" in capfd.readouterr().err


def test_the_server_ends_in_good_order(strict_server: Any) -> None:
    """A SIGTERM ends the server, with the exit status of a command so ended."""
    assert strict_server.execute("res.partner", "search_count", []) > 0
    strict_server.process.terminate()
    assert strict_server.process.wait(20) in (0, -15, 143)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", strict_server.port), timeout=5)
