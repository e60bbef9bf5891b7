"""`connector serve`: answer calls of the external API."""

from __future__ import annotations

import os
import signal
import sys
import threading

import click

from connector.cli.entry import open_servers
from connector.config import Config, current
from connector.core import sql
from connector.core.registry import Registry
from connector.server.app import make_app
from connector.server.master_password import MasterPassword
from connector.server.run import listen, run, url_of
from connector.server.settings import MEBIBYTE, Settings


@click.command()
@click.option("-d", "--database", multiple=True, help="Database to serve; may be given again.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("-p", "--port", default=8069, show_default=True, type=click.IntRange(0, 65535))
@click.option("--threads", default=16, show_default=True, type=click.IntRange(1),
              help="Calls worked at at once.")  # fmt: skip
@click.option("--max-request", default=128, show_default=True, type=click.IntRange(1),
              metavar="MIB", help="Size of the largest request.")  # fmt: skip
@click.option("--max-time", default=120.0, show_default=True, type=click.FloatRange(0.1),
              metavar="SECONDS", help="Longest time of a call.")  # fmt: skip
@click.option("--stop-with-input", is_flag=True, help="End when standard input ends.")
def serve(
    database: tuple[str, ...],
    host: str,
    port: int,
    threads: int,
    max_request: int,
    max_time: float,
    stop_with_input: bool,
) -> None:
    """
    Serve databases over the external API: JSON-RPC, XML-RPC, sessions and API keys.

    Only the databases named can be called, by default the one of the configuration. With list_db
    set, all can, and the holder of the master password manages them. Ends at SIGINT or SIGTERM.
    """
    config = current()
    with open_servers(config):
        names = database or (sql.default_database(),)
        settings = Settings.of(
            config,
            names,
            threads=min(threads, config.db_maxconn),
            max_request_bytes=max_request * MEBIBYTE,
            call_seconds=max_time,
        )
        _load(names, config)
        listening = listen(host, port)
        app = make_app(settings, MasterPassword.of(config))
        if stop_with_input:
            threading.Thread(target=_end_with_input, daemon=True).start()
        what = "every database" if settings.list_db else ", ".join(names)
        run(
            app,
            listening,
            settings,
            lambda: click.echo(f"Serving {what} at {url_of(listening)}"),
        )


def _end_with_input() -> None:
    """Who started the server holds its input, and so ends it however it ends itself."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _load(names: tuple[str, ...], config: Config) -> None:
    """Find out now what is wrong with a database, and let the first caller not wait."""
    for name in names:
        if config.list_db and not sql.database_exists(name):
            continue  # it may be made over the API
        Registry(name)
