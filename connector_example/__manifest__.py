{
    "name": "Connector example",
    "summary": "Imports a small record shop: the tutorial's connector",
    "version": "1.0.0",
    "author": "The connector's authors",
    "license": "LGPL-3",
    "category": "Connector",
    "depends": ["connector"],
    "imports": ["models", "backend", "adapter", "binder", "mapper", "importer"],
    "installable": True,
}
