"""The addon of the storm: jobs that leave one effect each, and where they leave it."""
