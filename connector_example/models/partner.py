"""The people: the shop's employees, and its customers among the partners."""

from connector.core import fields, models


class HrEmployee(models.Model):
    _name = "hr.employee"
    _description = "Employee"

    first_name = fields.Char()
    last_name = fields.Char(required=True)
    job_title = fields.Char()
    parent_id = fields.Many2one("hr.employee", string="Manager", ondelete="restrict", index=True)
    birth_date = fields.Date()
    hire_date = fields.Date()
    street = fields.Char()
    city = fields.Char()
    state_name = fields.Char(string="State")
    zip = fields.Char()
    country_name = fields.Char(string="Country")
    phone = fields.Char()
    fax = fields.Char()
    email = fields.Char()


class ShopEmployee(models.Model):
    _name = "shop.employee"
    _inherit = "shop.binding"
    _inherits = {"hr.employee": "openerp_id"}
    _description = "Shop employee"

    openerp_id = fields.Many2one("hr.employee", required=True, ondelete="cascade", index=True)


class ResPartner(models.Model):
    """A partner has one name; a customer of the shop has it in two parts."""

    _inherit = "res.partner"

    first_name = fields.Char()
    last_name = fields.Char()
    company_name = fields.Char()
    state_name = fields.Char(string="State")
    country_name = fields.Char(string="Country")
    support_employee_id = fields.Many2one("hr.employee", ondelete="set null", index=True)


class ShopCustomer(models.Model):
    _name = "shop.customer"
    _inherit = "shop.binding"
    _inherits = {"res.partner": "openerp_id"}
    _description = "Shop customer"

    openerp_id = fields.Many2one("res.partner", required=True, ondelete="cascade", index=True)
