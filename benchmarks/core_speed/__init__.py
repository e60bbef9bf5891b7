"""
What `benchmarks/core.py` measures, a module for each contender; all do the same to the same tables.

    tables                      the models, their database, the rows and the records to import
    ours                        the core's models
    plain                       psycopg2 by hand: one statement a row, and the best bulk statements
    alchemy, djangos, peewees   the peers that are installed
    figures                     what has no peer: registry, memory, nanoseconds, flatness
"""
