"""The processes that run jobs: supervisor, dispatcher, workers; the addon `queue_worker`."""
