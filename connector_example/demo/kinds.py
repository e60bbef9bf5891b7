"""The shop's tables and the binding models they are imported into; dependencies come first."""

#: The lines have no batch of their own: they come with their invoices.
MODELS = {
    "genres": "shop.genre",
    "media_types": "shop.media.type",
    "artists": "shop.artist",
    "albums": "shop.album",
    "tracks": "shop.track",
    "employees": "shop.employee",
    "customers": "shop.customer",
    "invoices": "shop.invoice",
    "invoice_lines": "shop.invoice.line",
}

BATCHES = [model for table, model in MODELS.items() if table != "invoice_lines"]
