"""
A connector: keeps the partners here and the customers of another system in step.

    backend.py     the kind of system, and its versions
    models/        the record of one such system, and the binding of its customers
    adapter.py     how to talk to it
    binder.py      which record here is which there
    mapper.py      how a record there becomes one here
    importer.py    what is imported, and what must be in it
    exporter.py    what goes there, and when  # if export
"""
