# -*- coding: utf-8 -*-
from datetime import timedelta
from openerp import models, fields, api, _
from openerp.exceptions import Warning as UserError
from openerp.addons.connector.session import ConnectorSession
from .unit.import_synchronizer import import_batch


class CoffeeBackend(models.Model):
    _name = "coffee.backend"
    _description = "Coffee Backend"
    _inherit = "connector.backend"
    _backend_type = "coffee"

    @api.model
    def _select_versions(self):
        """Available versions; can be inherited to add custom versions."""
        return [("1.0", "1.0"), ("2.0", "2.0 and above")]

    version = fields.Selection(selection="_select_versions", string="Version", required=True)
    location = fields.Char(string="Location", required=True)
    default_category_id = fields.Many2one(comodel_name="res.partner.category")
    import_partners_from_date = fields.Datetime(string="Import customers from date")

    @api.multi
    def import_partners(self):
        session = ConnectorSession(self.env.cr, self.env.uid, context=self.env.context)
        for backend in self:
            if not backend.location:
                raise UserError(_("The location of %s is not set") % backend.name)
            filters = {}
            start = fields.Datetime.from_string(fields.Datetime.now())
            if backend.import_partners_from_date:
                filters["from_date"] = backend.import_partners_from_date
            import_batch.delay(
                session, "coffee.res.partner", backend.id, filters, priority=5, max_retries=3
            )
            next_time = start - timedelta(seconds=30)
            backend.write({"import_partners_from_date": fields.Datetime.to_string(next_time)})
        return True

    @api.model
    def _scheduler_import_partners(self, domain=None):
        self.search(domain or []).import_partners()
