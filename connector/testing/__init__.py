"""What authors of connectors test with; `plugin` is loaded by pytest itself."""
