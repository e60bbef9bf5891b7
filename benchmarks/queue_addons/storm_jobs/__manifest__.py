{
    "name": "Storm jobs",
    "summary": "The jobs that run while workers and servers are killed",
    "version": "1.0",
    "license": "LGPL-3",
    "depends": ["queue_worker"],
    "imports": ["models", "jobs"],
}
