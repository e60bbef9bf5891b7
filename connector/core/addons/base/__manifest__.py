{
    "name": "Base",
    "summary": "The models that every database has",
    "version": "1.0",
    "category": "Base",
    "license": "LGPL-3",
    "depends": [],
    "data": [
        "data/res.lang.csv",
        "data/res.country.csv",
        "data/res.country.state.csv",
        "security/base_groups.xml",
        "security/ir.model.access.csv",
    ],
    "installable": True,
    "auto_install": False,
}
