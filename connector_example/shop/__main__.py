"""
The shop's process: `python -m connector_example.shop [--port 0] [--state FILE] [--seconds]`.

Tokens come from the environment, SHOP_TOKEN and SHOP_ADMIN_TOKEN: a command line is public.
The first line on standard output is the shop's URL.  The shop closes with its standard input,
so it never outlives the program that started it.
"""

import argparse
import os
import socket
import sys
import threading
from pathlib import Path

import uvicorn

from connector_example.shop.app import Shop
from connector_example.shop.catalogue import Catalogue


def main() -> None:
    arguments = _arguments()
    shop = Shop(
        Catalogue(arguments.state, counts_seconds=arguments.seconds),
        token=os.environ["SHOP_TOKEN"],
        admin_token=os.environ["SHOP_ADMIN_TOKEN"],
    )
    # The shop dates its answers itself: its clock can be wrong.
    config = uvicorn.Config(
        shop.application(), log_level="warning", lifespan="off", date_header=False
    )
    server = uvicorn.Server(config)
    # asyncio sends without delay only where the protocol is named.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", arguments.port))
        except OSError as error:
            sys.exit(f"The shop cannot open on port {arguments.port}: {error.strerror}.")
        listener.listen()
        host, port = listener.getsockname()
        sys.stdout.write(f"http://{host}:{port}\n")
        sys.stdout.flush()
        threading.Thread(target=_close_with_input, args=[server], daemon=True).start()
        server.run(sockets=[listener])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="connector_example.shop")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path, default=None)
    parser.add_argument(
        "--seconds",
        action="store_true",
        help="stamp changes with whole seconds, and list those after a stamp only",
    )
    return parser.parse_args()


def _close_with_input(server: uvicorn.Server) -> None:
    sys.stdin.read()
    server.should_exit = True


if __name__ == "__main__":
    main()
