"""
A second system beside the shop: any server of the external API, from 8.0 to 19.0.

    backend.py      one backend, with a version for each series
    models.py       the server's record, and the bindings
    client.py       one conversation with the server for each task, and its errors as ours
    binder.py       which record here is which there
    adapter.py      search, read, create, write and delete over the external API
    mapper.py       their partners to ours, and ours to theirs
    importer.py     partners with categories, countries, parents and children
    exporter.py     the way back
    consumer.py     a change here enqueues its export
"""
