"""The server as a backend; a series that differs gets units of its own on its child."""

from connector.backend import Backend

SERIES = ("8.0", "9.0", *(f"{number}.0" for number in range(10, 20)))

odoo = Backend("odoo")
versions = [Backend(parent=odoo, version=series) for series in SERIES]
