"""What all tests share; fixtures of servers and databases come from `connector.testing.plugin`."""

from hypothesis import settings

# A busy machine is no failure of a rule.
settings.register_profile("connector", deadline=None)
settings.load_profile("connector")
