{
    "name": "Queue late",
    "summary": "A field, a model and a job that come while workers run",
    "version": "1.0",
    "license": "LGPL-3",
    "depends": ["queue_sample"],
    "imports": ["late"],
}
