-- Facts whose handling failed more often than is worth trying in memory: tried again later, and in the end moved to the
-- error queue. They wait here and not in the broker, which cannot delay without a plugin.
CREATE TABLE messaging.failed_facts (
  consumer     text        NOT NULL,
  message_id   uuid        NOT NULL,
  key          text        NOT NULL,
  version      bigint      NOT NULL,
  fact         text        NOT NULL,
  body         text        NOT NULL,
  traceparent  text,
  attempts     integer     NOT NULL,
  next_at      timestamptz NOT NULL,
  last_error   text        NOT NULL,
  failed_at    timestamptz NOT NULL,
  PRIMARY KEY (consumer, message_id)
);
CREATE INDEX failed_facts_next_at ON messaging.failed_facts (next_at);

-- Whose lease it is: a worker that lost its lease must not close the point for the one who has it now.
ALTER TABLE messaging.recovery_points ADD COLUMN lease_token uuid;

-- Each kind has its own share of a worker, so that a slow one cannot hold up the others.
CREATE INDEX recovery_points_kind_due ON messaging.recovery_points (kind, due_at);
