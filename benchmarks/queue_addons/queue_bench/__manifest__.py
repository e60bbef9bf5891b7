{
    "name": "Queue bench",
    "summary": "The jobs that the queue is measured by",
    "version": "1.0",
    "license": "LGPL-3",
    "depends": ["queue_worker"],
    "imports": ["jobs"],
}
