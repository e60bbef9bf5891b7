# -*- coding: utf-8 -*-
{
    "name": "Books Connector",
    "version": "1.0",
    "depends": ["connector"],
    "installable": True,
}
