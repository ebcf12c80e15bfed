-- How an order's lines changed, by the order's version. What a change without a charge made the order cheaper by is not to be
-- paid, or goes back. A change may be heard of before its order.
CREATE TABLE order_changes (
  order_id          text    NOT NULL,
  version           bigint  NOT NULL,
  change_number     integer NOT NULL,
  difference_minor  bigint  NOT NULL,
  lines             jsonb   NOT NULL,
  PRIMARY KEY (order_id, version)
);

-- A part with a change_number charges for a change of the order; 0: a part of the order as it was placed.
ALTER TABLE payment_parts
  ADD COLUMN change_number integer NOT NULL DEFAULT 0, ADD COLUMN withdrawn boolean NOT NULL DEFAULT false, ADD COLUMN change_told boolean NOT NULL DEFAULT false;
CREATE UNIQUE INDEX payment_parts_change ON payment_parts (order_id, change_number) WHERE change_number > 0;

-- amount_minor is what the order came to when it was placed; with charges more than that is captured. Each part still has its own
-- bound. A constraint of two columns has a name that says neither.
DO $$
DECLARE bound name := (
  SELECT conname FROM pg_constraint
  WHERE conrelid = 'payments'::regclass AND contype = 'c' AND pg_get_constraintdef(oid) LIKE '%captured_minor <= amount_minor%');
BEGIN
  EXECUTE format('ALTER TABLE payments DROP CONSTRAINT %I, ADD CONSTRAINT payments_captured_not_negative CHECK (captured_minor >= 0) NOT VALID', bound);
END $$;

-- Changes that were withdrawn, perhaps before we heard that they were proposed: they are never charged.
CREATE TABLE withdrawn_changes (
  order_id       text    NOT NULL,
  change_number  integer NOT NULL,
  PRIMARY KEY (order_id, change_number)
);
