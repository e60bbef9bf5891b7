# -*- coding: utf-8 -*-
{
    "name": "Coffee Connector",
    "version": "8.0.1.0.0",
    "author": "A Roastery",
    "category": "Connector",
    "depends": ["base", "connector"],
    "images": [],
    "data": ["security/ir.model.access.csv", "coffee_data.xml"],
    "test": [],
    "installable": True,
    "application": False,
}
