"""The shop's tables and the binding models they are imported into."""

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
