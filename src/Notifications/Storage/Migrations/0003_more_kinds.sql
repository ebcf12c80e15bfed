-- Some kinds happen several times to an order: each return, each change, each refund is an event of its own.
ALTER TABLE notifications
  ADD COLUMN event         text    NOT NULL DEFAULT '',
  ADD COLUMN return_number integer NOT NULL DEFAULT 0,
  ADD COLUMN amount_minor  bigint,
  ADD COLUMN currency      text,
  ADD COLUMN reason        text    NOT NULL DEFAULT '';
-- The version before, which knows of no such events, stays within the old one.
ALTER TABLE notifications
  DROP CONSTRAINT notifications_event,
  ADD CONSTRAINT notifications_event UNIQUE (order_id, shipment_id, kind, channel, event);
