"""
Client of the external API, over JSON-RPC.

    errors, failures        what goes wrong: of a call, of a connection
    causes                  what a client's exception says of the request
    redaction, repeating    which texts are secret, which calls may be sent twice
    protocol, services      the envelope and its answer; what each function sends. No I/O
    exchange                one call over any HTTP client, for both faces; awaits nothing
    transports              HTTP clients of our own, one for each face
    sync, aio, faces        the functions, in the two faces
    conversation, paging    log in, try again, read page by page. No I/O
    odoo                    Odoo and AsyncOdoo, the friendly faces

The functions here are the asynchronous ones; the synchronous ones are in `connector.rpc.sync`.
"""

from connector.rpc.aio import (
    about,
    authenticate,
    change_admin_password,
    check_jsonrpc_response,
    create_database,
    db_exist,
    drop_database,
    dump_database,
    duplicate_database,
    execute_kw,
    jsonrpc,
    list_countries,
    list_databases,
    list_lang,
    login,
    migrate_databases,
    rename_database,
    restore_database,
    rpc_call_and_check,
    rpc_result,
    server_version,
    version,
)
from connector.rpc.errors import Kind, RPCError
from connector.rpc.helpers import (
    build_odoo_base_url,
    build_odoo_jsonrpc_endpoint_url,
    execute_kwargs,
    odoo_base_url2jsonrpc_endpoint,
)
from connector.rpc.odoo import AsyncOdoo, Odoo
from connector.rpc.transports import AsyncHttpTransport, HttpTransport

__all__ = [
    "AsyncHttpTransport",
    "AsyncOdoo",
    "HttpTransport",
    "Kind",
    "Odoo",
    "RPCError",
    "about",
    "authenticate",
    "build_odoo_base_url",
    "build_odoo_jsonrpc_endpoint_url",
    "change_admin_password",
    "check_jsonrpc_response",
    "create_database",
    "db_exist",
    "drop_database",
    "dump_database",
    "duplicate_database",
    "execute_kw",
    "execute_kwargs",
    "jsonrpc",
    "list_countries",
    "list_databases",
    "list_lang",
    "login",
    "migrate_databases",
    "odoo_base_url2jsonrpc_endpoint",
    "rename_database",
    "restore_database",
    "rpc_call_and_check",
    "rpc_result",
    "server_version",
    "version",
]
