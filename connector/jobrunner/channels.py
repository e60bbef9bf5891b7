"""The name of 8.0 for `connector.queue.channels`."""

from connector.queue.channels import (
    Channel,
    ChannelJob,
    ChannelManager,
    ChannelNotFound,
    ChannelQueue,
    PriorityQueue,
    SafeSet,
)

__all__ = [
    "Channel",
    "ChannelJob",
    "ChannelManager",
    "ChannelNotFound",
    "ChannelQueue",
    "PriorityQueue",
    "SafeSet",
]
