"""What was bought: invoices and their lines."""

from typing import Any

from connector.core import api, fields, models


class SaleInvoice(models.Model):
    _name = "sale.invoice"
    _description = "Invoice"

    partner_id = fields.Many2one("res.partner", required=True, ondelete="restrict", index=True)
    date_invoice = fields.Date(required=True)
    street = fields.Char()
    city = fields.Char()
    state_name = fields.Char(string="State")
    zip = fields.Char()
    country_name = fields.Char(string="Country")
    amount_total = fields.Float(digits=(10, 2))
    line_ids = fields.One2many("sale.invoice.line", "invoice_id", string="Lines")


class ShopInvoice(models.Model):
    _name = "shop.invoice"
    _inherit = "shop.binding"
    _inherits = {"sale.invoice": "openerp_id"}
    _description = "Shop invoice"

    openerp_id = fields.Many2one("sale.invoice", required=True, ondelete="cascade", index=True)
    shop_line_ids = fields.One2many("shop.invoice.line", "shop_invoice_id")


class SaleInvoiceLine(models.Model):
    _name = "sale.invoice.line"
    _description = "Invoice line"

    invoice_id = fields.Many2one("sale.invoice", required=True, ondelete="cascade", index=True)
    track_id = fields.Many2one("music.track", required=True, ondelete="restrict", index=True)
    price_unit = fields.Float(digits=(10, 2))
    quantity = fields.Integer(required=True)


class ShopInvoiceLine(models.Model):
    _name = "shop.invoice.line"
    _inherit = "shop.binding"
    _inherits = {"sale.invoice.line": "openerp_id"}
    _description = "Shop invoice line"

    openerp_id = fields.Many2one("sale.invoice.line", required=True, ondelete="cascade", index=True)
    shop_invoice_id = fields.Many2one("shop.invoice", required=True, ondelete="cascade", index=True)

    @api.model_create_multi
    def create(self, values: Any) -> Any:
        """A line of a shop's invoice is a line of the invoice that is bound to it."""
        return super().create([self._with_invoice(each) for each in values])

    def write(self, values: Any) -> Any:
        """A line that moves to another of the shop's invoices moves here too."""
        return super().write(self._with_invoice(values) if "shop_invoice_id" in values else values)

    def _with_invoice(self, values: dict[str, Any]) -> dict[str, Any]:
        shop_invoice = self.env["shop.invoice"].browse(values["shop_invoice_id"])
        return {**values, "invoice_id": shop_invoice.openerp_id.id}
