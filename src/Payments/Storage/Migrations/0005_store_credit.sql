-- The shop's own id of the customer; empty where it has none.
ALTER TABLE payments ADD COLUMN customer_id text NOT NULL DEFAULT '';

-- Where a refund goes: 1 back to what was paid with, 2 to the customer's store credit.
ALTER TABLE refunds ADD COLUMN destination smallint NOT NULL DEFAULT 1 CHECK (destination IN (1, 2));

-- What a store owes a customer in a currency. The ledger has the same, as an account for each; this row is what orders that
-- want the same money wait for, and what never goes below zero.
CREATE TABLE store_credits (
  store_id       text        NOT NULL,
  customer_id    text        COLLATE "C" NOT NULL,
  currency       text        NOT NULL,
  balance_minor  bigint      NOT NULL CHECK (balance_minor >= 0),
  held_minor     bigint      NOT NULL CHECK (held_minor BETWEEN 0 AND balance_minor),
  last_entry     integer     NOT NULL,
  updated_at     timestamptz NOT NULL,
  PRIMARY KEY (store_id, customer_id, currency)
) WITH (fillfactor = 70);

-- What orders hold of it, as a provider keeps its authorisations: the key's work is done once, and amounts only grow.
CREATE TABLE store_credit_holds (
  hold_id         text        COLLATE "C" PRIMARY KEY,
  request_key     text        COLLATE "C" NOT NULL UNIQUE,
  store_id        text        NOT NULL,
  customer_id     text        COLLATE "C" NOT NULL,
  currency        text        NOT NULL,
  amount_minor    bigint      NOT NULL CHECK (amount_minor > 0),
  captured_minor  bigint      NOT NULL DEFAULT 0 CHECK (captured_minor BETWEEN 0 AND amount_minor),
  refunded_minor  bigint      NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND captured_minor),
  declined        boolean     NOT NULL,
  voided          boolean     NOT NULL DEFAULT false,
  created_at      timestamptz NOT NULL
);

-- How a balance came about. Kinds: 1 granted, 2 spent, 3 refunded.
CREATE TABLE store_credit_entries (
  store_id       text        NOT NULL,
  customer_id    text        COLLATE "C" NOT NULL,
  currency       text        NOT NULL,
  entry_number   integer     NOT NULL,
  kind           smallint    NOT NULL,
  amount_minor   bigint      NOT NULL CHECK (amount_minor <> 0),
  balance_minor  bigint      NOT NULL,
  order_id       text        NOT NULL,
  note           text        NOT NULL,
  actor          text        NOT NULL,
  movement       text        COLLATE "C" NOT NULL UNIQUE REFERENCES ledger_movements (movement),
  created_at     timestamptz NOT NULL,
  PRIMARY KEY (store_id, customer_id, currency, entry_number)
);
CREATE INDEX store_credit_entries_newest ON store_credit_entries (store_id, customer_id, created_at DESC, currency, entry_number DESC);
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON store_credit_entries FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
ALTER TABLE store_credit_entries ENABLE ALWAYS TRIGGER ledger_is_append_only;
