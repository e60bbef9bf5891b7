{
    "name": "new_connector",
    "summary": "Keeps partners in step with another system",
    "version": "0.1.0",
    "category": "Connector",
    "depends": ["connector"],
    "imports": [
        "models",
        "backend",
        "adapter",
        "binder",
        "mapper",
        "importer",
        "exporter",  # if export
    ],
    "installable": True,
}
