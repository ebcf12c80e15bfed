-- What providers say that they moved, line by line, as they were imported. The ledger has what they cost and paid out, under
-- "settlement/{provider}/{line_id}". Types: 1 charge, 2 refund, 3 fee, 4 chargeback, 5 chargeback reversed, 6 payout.
CREATE TABLE settlement_lines (
  provider      text        NOT NULL,
  line_id       text        COLLATE "C" NOT NULL,
  store_id      text        NOT NULL,
  type          smallint    NOT NULL,
  currency      text        NOT NULL,
  amount_minor  bigint      NOT NULL CHECK (amount_minor > 0),
  fee_minor     bigint      NOT NULL CHECK (fee_minor >= 0),
  tax_minor     bigint      NOT NULL CHECK (tax_minor >= 0),
  -- "{order_id}/{part_number}" where the line is about a part of a payment of ours; otherwise what it says that it is about.
  part          text        COLLATE "C" NOT NULL,
  reference     text        NOT NULL,
  authorisation text        NOT NULL,
  payout_id     text        NOT NULL,
  occurred_at   timestamptz NOT NULL,
  imported_at   timestamptz NOT NULL,
  content_hash  bytea       NOT NULL,
  PRIMARY KEY (provider, line_id)
);
CREATE INDEX settlement_lines_part ON settlement_lines (part);
CREATE INDEX settlement_lines_time ON settlement_lines (store_id, provider, occurred_at);

-- Why and by whom a movement was made by hand.
CREATE TABLE ledger_notes (
  movement  text COLLATE "C" PRIMARY KEY REFERENCES ledger_movements (movement),
  note      text NOT NULL,
  actor     text NOT NULL
);
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_lines FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_notes FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
ALTER TABLE settlement_lines ENABLE ALWAYS TRIGGER ledger_is_append_only;
ALTER TABLE ledger_notes ENABLE ALWAYS TRIGGER ledger_is_append_only;
