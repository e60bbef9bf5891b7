"""What the table of jobs has beside its columns: indexes, the notification, the dependencies."""

from typing import Any

from connector.queue import procedures

#: Channel of the one notification that a transaction with new jobs sends.
NOTIFY_CHANNEL = "queue_job"
#: Payload of a notification that tells of a changed channel.
CHANNELS_CHANGED = "channels"

_INDEXES = """
CREATE UNIQUE INDEX IF NOT EXISTS queue_job_uuid ON queue_job (uuid);
CREATE INDEX IF NOT EXISTS queue_job_pending
    ON queue_job (channel, priority, date_created, id) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS queue_job_eta
    ON queue_job (eta) WHERE state = 'pending' AND eta IS NOT NULL;
CREATE INDEX IF NOT EXISTS queue_job_seated
    ON queue_job (channel) WHERE state IN ('enqueued', 'started');
CREATE INDEX IF NOT EXISTS queue_job_failed
    ON queue_job (channel) WHERE state = 'failed';
CREATE INDEX IF NOT EXISTS queue_job_waits
    ON queue_job (id) WHERE state = 'wait_dependencies';
CREATE UNIQUE INDEX IF NOT EXISTS queue_job_identity
    ON queue_job (identity_key)
    WHERE identity_key IS NOT NULL AND state IN ('pending', 'enqueued', 'wait_dependencies')
"""

# A job's row is written four times in its life, and soon dead: leave room in its page, and
# clean up early.
_STORAGE = """
ALTER TABLE queue_job SET (
    fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02
)
"""

_DEPENDENCIES = """
CREATE TABLE IF NOT EXISTS queue_job_dependency (
    child_id integer NOT NULL REFERENCES queue_job ON DELETE CASCADE,
    parent_id integer NOT NULL REFERENCES queue_job ON DELETE CASCADE,
    PRIMARY KEY (parent_id, child_id)
);
CREATE INDEX IF NOT EXISTS queue_job_dependency_child ON queue_job_dependency (child_id)
"""

# A commit that notifies holds a lock of the whole cluster: one equal notification per
# statement, which PostgreSQL folds to one per transaction, and none for changes of state.
_NOTIFICATION = f"""
CREATE OR REPLACE FUNCTION queue_job_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('{NOTIFY_CHANNEL}', '');
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER queue_job_notify AFTER INSERT ON queue_job
    FOR EACH STATEMENT EXECUTE FUNCTION queue_job_notify()
"""

# A channel that is written unchanged wakes nobody.
_CHANNEL_NOTIFICATION = f"""
CREATE OR REPLACE FUNCTION queue_job_channel_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('{NOTIFY_CHANNEL}', '{CHANNELS_CHANGED}');
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER queue_job_channel_notify
    AFTER INSERT OR UPDATE OR DELETE ON queue_job_channel
    FOR EACH ROW EXECUTE FUNCTION queue_job_channel_notify()
"""


# No foreign key: a line about a started job must not lock its row.
_JOURNAL = """
CREATE TABLE IF NOT EXISTS queue_job_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_uuid text NOT NULL,
    date timestamp NOT NULL,
    level text NOT NULL,
    message text NOT NULL
);
CREATE INDEX IF NOT EXISTS queue_job_log_job ON queue_job_log (job_uuid, id);
CREATE TABLE IF NOT EXISTS queue_job_progress (
    job_uuid text PRIMARY KEY,
    date timestamp NOT NULL,
    done bigint NOT NULL,
    total bigint
)
"""

_DROP = f"""
{procedures.DROP};
DROP TABLE IF EXISTS queue_job_dependency, queue_job_log, queue_job_progress;
DROP TRIGGER IF EXISTS queue_job_notify ON queue_job;
DROP FUNCTION IF EXISTS queue_job_notify();
DROP TRIGGER IF EXISTS queue_job_channel_notify ON queue_job_channel;
DROP FUNCTION IF EXISTS queue_job_channel_notify()
"""


def complete_table(cr: Any) -> None:
    """Add to the table of jobs what its model cannot declare; again is fine."""
    parts = (_INDEXES, _STORAGE, _DEPENDENCIES, _JOURNAL, _NOTIFICATION, procedures.CREATE)
    for statements in parts:
        cr.execute(statements)


def follow_channels(cr: Any) -> None:
    """Let changes of channels wake the dispatcher; again is fine."""
    cr.execute(_CHANNEL_NOTIFICATION)


def drop_rest(cr: Any) -> None:
    """Drop what `complete_table` has made beside the table, before the table goes itself."""
    cr.execute(_DROP)


def notify(cr: Any) -> None:
    """Wake the dispatcher when this transaction commits: jobs were put back."""
    cr.execute_unflushed("SELECT pg_notify(%s, '')", (NOTIFY_CHANNEL,))
