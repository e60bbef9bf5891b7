"""The pytest plugin: servers, databases and environments for tests (entry point `pytest11`)."""
