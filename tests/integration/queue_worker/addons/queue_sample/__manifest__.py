{
    "name": "Queue sample",
    "summary": "Jobs of every temper, for the tests of the queue",
    "version": "1.0",
    "license": "LGPL-3",
    "depends": ["queue_worker"],
    "imports": ["models", "jobs"],
}
