"""
A complete small connector: an example shop and everything that imports it.

    shop/           the shop itself, a process that knows nothing of connectors
    models/         what is kept here, and the bindings that say where it came from
    backend.py      the shop as a backend, and its version
    adapter.py      how to talk to it
    binder.py       which record here is which there
    mapper.py       how a record of the shop becomes one of ours
    importer.py     what is imported, in which order
    exporter.py     what goes back to the shop, and when
    verify.py       is everything here, and right?
    demo/           the command `connector demo`
"""
