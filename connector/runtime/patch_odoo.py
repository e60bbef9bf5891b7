"""`patch_openerp_v5` under its later name: empty."""
