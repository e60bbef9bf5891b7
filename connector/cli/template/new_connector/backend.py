"""The kind of system.  A version of its API that differs gets a child: `backend_1` is one."""

from connector.backend import Backend

backend = Backend("new_connector")
backend_1 = Backend(parent=backend, version="1")
