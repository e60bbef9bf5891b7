"""The example shop: a REST API over the Chinook data, in a process of its own."""
