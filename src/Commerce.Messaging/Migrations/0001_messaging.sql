CREATE SCHEMA messaging;

-- Facts on their way to the broker. A row is written in the transaction of what it tells, and leaves only when the
-- broker has confirmed that it routed the fact to every subscriber's queue.
CREATE TABLE messaging.outbox (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  message_id    uuid        NOT NULL,
  fact          text        NOT NULL,
  key           text        NOT NULL,
  version       bigint      NOT NULL,
  body          text        NOT NULL,
  traceparent   text,
  enqueued_at   timestamptz NOT NULL,
  attempts      integer     NOT NULL DEFAULT 0,
  last_error    text
);

-- What each consumer has already done: written in the transaction of the effect, so a redelivery finds it.
CREATE TABLE messaging.inbox (
  consumer    text        NOT NULL,
  message_id  uuid        NOT NULL,
  handled_at  timestamptz NOT NULL,
  PRIMARY KEY (consumer, message_id)
);
CREATE INDEX inbox_handled_at ON messaging.inbox (handled_at);

-- How far each consumer has come with each key: a snapshot is applied when newer, a transition only when next.
CREATE TABLE messaging.inbox_versions (
  consumer  text   NOT NULL,
  key       text   NOT NULL,
  version   bigint NOT NULL,
  PRIMARY KEY (consumer, key)
);

-- Transitions that came before the one that they follow.
CREATE TABLE messaging.parked_facts (
  consumer     text        NOT NULL,
  key          text        NOT NULL,
  version      bigint      NOT NULL,
  message_id   uuid        NOT NULL,
  fact         text        NOT NULL,
  body         text        NOT NULL,
  traceparent  text,
  parked_at    timestamptz NOT NULL,
  PRIMARY KEY (consumer, key, version)
);
CREATE INDEX parked_facts_parked_at ON messaging.parked_facts (parked_at);

-- Mutating requests and what they made: the same request_id gives the same answer.
CREATE TABLE messaging.requests (
  caller       text        NOT NULL,
  method       text        NOT NULL,
  request_id   text        NOT NULL,
  payload_hash bytea       NOT NULL,
  resource     text        NOT NULL,
  version      bigint      NOT NULL,
  created_at   timestamptz NOT NULL,
  PRIMARY KEY (caller, method, request_id)
);
CREATE INDEX requests_created_at ON messaging.requests (created_at);

-- Work that needs the outside world, or a later time: the intent is stored first, in the transaction that decides it.
CREATE TABLE messaging.recovery_points (
  kind            text        NOT NULL,
  key             text        NOT NULL,
  payload         text        NOT NULL,
  traceparent     text,
  due_at          timestamptz NOT NULL,
  attempts        integer     NOT NULL DEFAULT 0,
  leased_until    timestamptz,
  last_error      text,
  created_at      timestamptz NOT NULL,
  PRIMARY KEY (kind, key)
);
CREATE INDEX recovery_points_due ON messaging.recovery_points (due_at);
