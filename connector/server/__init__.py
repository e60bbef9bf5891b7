"""The external API's server: the services once, and one module for each way to call them."""
