-- Which message goes out about what. No contact is kept: who sends it asks Orders.
CREATE TABLE notifications (
  id              uuid        PRIMARY KEY,
  seq             bigint      GENERATED ALWAYS AS IDENTITY,
  store_id        text        NOT NULL,
  order_id        text        NOT NULL,
  shipment_id     text        NOT NULL,
  kind            smallint    NOT NULL,
  channel         text        NOT NULL,
  carrier         text        NOT NULL,
  tracking_number text        NOT NULL,
  state           smallint    NOT NULL,
  attempts        integer     NOT NULL DEFAULT 0,
  created_at      timestamptz NOT NULL,
  sent_at         timestamptz,
  -- Once for its event and channel, whatever is delivered to us how often.
  CONSTRAINT notifications_event UNIQUE (order_id, shipment_id, kind, channel)
);
-- The messages of an order in the order of their making; whether an earlier one still waits.
CREATE INDEX notifications_order ON notifications (order_id, seq);
