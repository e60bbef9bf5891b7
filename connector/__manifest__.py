{
    "name": "Connector",
    "summary": "Backends, bindings, checkpoints and background jobs",
    "version": "1.0",
    "category": "Connector",
    "license": "LGPL-3",
    "depends": ["base"],
    # Importing the package itself stays cheap; these hold the models.
    "imports": ["models", "producer"],
    "data": [
        "security/connector_groups.xml",
        "security/ir.model.access.csv",
        "data/queue_channels.xml",
        "data/queue_cron.xml",
    ],
    "uninstall_hook": "uninstall_hook",
    "installable": True,
    "auto_install": False,
}
