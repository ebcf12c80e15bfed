-- How much the facts about a payment have told to be given back.
ALTER TABLE payments ADD COLUMN told_refunded_minor bigint NOT NULL DEFAULT 0;
UPDATE payments SET told_refunded_minor = refunded_minor WHERE told IN (6, 7);

-- Money that goes back. A row is a promise: it is written before the provider is asked.
CREATE TABLE refunds (
  order_id       text        NOT NULL REFERENCES payments (order_id),
  refund_number  integer     NOT NULL CHECK (refund_number > 0),
  amount_minor   bigint      NOT NULL CHECK (amount_minor > 0),
  reason         smallint    NOT NULL,
  note           text        NOT NULL,
  requested_by   text        NOT NULL,
  created_at     timestamptz NOT NULL,
  updated_at     timestamptz NOT NULL,
  PRIMARY KEY (order_id, refund_number)
);

-- What of it goes back to which part of the payment. States: 1 promised, 2 waiting, 3 succeeded, 4 failed.
CREATE TABLE refund_pieces (
  order_id            text     NOT NULL,
  refund_number       integer  NOT NULL,
  part_number         integer  NOT NULL,
  amount_minor        bigint   NOT NULL CHECK (amount_minor > 0),
  state               smallint NOT NULL,
  provider_reference  text,
  failure_reason      text,
  PRIMARY KEY (order_id, refund_number, part_number),
  FOREIGN KEY (order_id, refund_number) REFERENCES refunds (order_id, refund_number),
  FOREIGN KEY (order_id, part_number) REFERENCES payment_parts (order_id, part_number)
);

-- Whoever writes: what is given back or promised of a part never exceeds what was taken of it. Writers of one payment
-- come one after the other, because each holds the row of the payment.
CREATE FUNCTION refunds_within_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT sum(amount_minor) FROM refund_pieces WHERE order_id = NEW.order_id AND part_number = NEW.part_number AND state <> 4)
     > (SELECT captured_minor FROM payment_parts WHERE order_id = NEW.order_id AND part_number = NEW.part_number) THEN
    RAISE EXCEPTION 'Refunds of part % of % exceed what was captured.', NEW.part_number, NEW.order_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'refunds_within_payment';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER refunds_within_payment AFTER INSERT OR UPDATE ON refund_pieces
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refunds_within_payment();
