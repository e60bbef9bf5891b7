"""The command line `connector`: one file per command, joined by the entry points they declare."""
