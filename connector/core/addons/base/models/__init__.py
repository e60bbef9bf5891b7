"""The models of `base`, in an order in which each finds what its `init` needs."""

# ruff: noqa: I001 - the tables of partners and companies come before those of users
from connector.core.addons.base.models import (
    ir_model as ir_model,
    ir_model_fields as ir_model_fields,
    ir_model_data as ir_model_data,
    ir_module as ir_module,
    ir_config_parameter as ir_config_parameter,
    ir_cron as ir_cron,
    res_lang as res_lang,
    res_country as res_country,
    res_partner as res_partner,
    res_company as res_company,
    res_groups as res_groups,
    res_users as res_users,
    res_users_apikeys as res_users_apikeys,
    ir_model_access as ir_model_access,
    ir_rule as ir_rule,
    base_module_upgrade as base_module_upgrade,
)
