-- When the money is taken: 1 at once, 2 by hand, 3 as parcels are handed over.
ALTER TABLE payments ADD COLUMN capture_mode smallint NOT NULL DEFAULT 1 CHECK (capture_mode BETWEEN 1 AND 3);

-- What is held and not taken is to be let go.
ALTER TABLE payments ADD COLUMN void_requested boolean NOT NULL DEFAULT false;

-- Some of it was taken, and the rest is held no longer.
ALTER TABLE payment_parts ADD COLUMN rest_voided boolean NOT NULL DEFAULT false;

-- Money that is to be taken of what is held. A row is a promise: it is written before the provider is asked.
CREATE TABLE captures (
  order_id        text        NOT NULL REFERENCES payments (order_id),
  capture_number  integer     NOT NULL CHECK (capture_number > 0),
  amount_minor    bigint      NOT NULL CHECK (amount_minor > 0),
  requested_by    text        NOT NULL,
  created_at      timestamptz NOT NULL,
  updated_at      timestamptz NOT NULL,
  PRIMARY KEY (order_id, capture_number)
);

-- What of it is taken of which part of the payment. States: 1 promised, 2 taken, 3 failed.
CREATE TABLE capture_pieces (
  order_id        text     NOT NULL,
  capture_number  integer  NOT NULL,
  part_number     integer  NOT NULL,
  amount_minor    bigint   NOT NULL CHECK (amount_minor > 0),
  state           smallint NOT NULL,
  failure_reason  text,
  PRIMARY KEY (order_id, capture_number, part_number),
  FOREIGN KEY (order_id, capture_number) REFERENCES captures (order_id, capture_number),
  FOREIGN KEY (order_id, part_number) REFERENCES payment_parts (order_id, part_number)
);

-- Whoever writes: what is taken or promised of a part never exceeds what it is over. Writers of one payment come one after
-- the other, because each holds the row of the payment.
CREATE FUNCTION captures_within_authorisation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT sum(amount_minor) FROM capture_pieces WHERE order_id = NEW.order_id AND part_number = NEW.part_number AND state <> 3)
     > (SELECT amount_minor FROM payment_parts WHERE order_id = NEW.order_id AND part_number = NEW.part_number) THEN
    RAISE EXCEPTION 'Captures of part % of % exceed what was authorised.', NEW.part_number, NEW.order_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'captures_within_authorisation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER captures_within_authorisation AFTER INSERT OR UPDATE ON capture_pieces
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION captures_within_authorisation();

-- The parcels of orders whose money is taken as they are handed over; what is in one is not known before it was planned.
CREATE TABLE payment_shipments (
  order_id      text      NOT NULL,
  shipment_id   text      NOT NULL,
  line_numbers  integer[] NOT NULL DEFAULT '{}',
  quantities    integer[] NOT NULL DEFAULT '{}',
  handed_over   boolean   NOT NULL DEFAULT false,
  PRIMARY KEY (order_id, shipment_id)
);
