"""
The states of a job.

    wait_dependencies --> pending --> enqueued --> started --> done
                             ^           |            |
                             +-----------+------------+--> failed
    anything that waits or has failed --> cancelled
"""

from enum import StrEnum


class State(StrEnum):
    WAIT_DEPENDENCIES = "wait_dependencies"  #: another job must be done first
    PENDING = "pending"  #: stored, waiting for the dispatcher
    ENQUEUED = "enqueued"  #: handed to Redis, waiting for a worker
    STARTED = "started"  #: a worker holds its lock
    DONE = "done"  #: finished; the result is kept
    FAILED = "failed"  #: needs a person
    CANCELLED = "cancelled"  #: will not run


#: The job will still start by itself; at most one of these per identity key.
WAITING = (State.WAIT_DEPENDENCIES, State.PENDING, State.ENQUEUED)
#: The job takes a seat of its channel.
SEATED = (State.ENQUEUED, State.STARTED)
#: The job has come to an end and may be put back.
ENDED = (State.DONE, State.FAILED, State.CANCELLED)

# The names of 8.0.
PENDING = State.PENDING
ENQUEUED = State.ENQUEUED
STARTED = State.STARTED
DONE = State.DONE
FAILED = State.FAILED

STATES = tuple((state.value, state.value.replace("_", " ").capitalize()) for state in State)
