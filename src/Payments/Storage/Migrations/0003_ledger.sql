-- The ledger: double entry, append-only. A debit is positive, a credit negative. Names sort by their bytes, so that the
-- movements of one order ("ORD-…/1/capture/0") are one range of the key.
CREATE TABLE ledger_accounts (
  account    text     COLLATE "C" PRIMARY KEY,
  store_id   text     NOT NULL,
  currency   text     NOT NULL,
  kind       smallint NOT NULL,
  provider   text     NOT NULL
);

-- One movement of money, or of what is held. Its name says what moved and from where on, so that the same movement, learned
-- twice, has the same name and is posted once.
CREATE TABLE ledger_movements (
  movement   text        COLLATE "C" PRIMARY KEY,
  store_id   text        NOT NULL,
  order_id   text        NOT NULL,
  kind       smallint    NOT NULL,
  posted_at  timestamptz NOT NULL
);

CREATE TABLE ledger_entries (
  movement      text        COLLATE "C" NOT NULL REFERENCES ledger_movements (movement),
  line_number   smallint    NOT NULL,
  -- No foreign key: every payment of a store would lock the same row. ledger_balances looks for the account instead, and
  -- accounts are never deleted.
  account       text        COLLATE "C" NOT NULL,
  amount_minor  bigint      NOT NULL CHECK (amount_minor <> 0),
  store_id      text        NOT NULL,
  posted_at     timestamptz NOT NULL,
  PRIMARY KEY (movement, line_number)
);
CREATE INDEX ledger_entries_account ON ledger_entries (account, posted_at, movement, line_number) INCLUDE (amount_minor);
CREATE INDEX ledger_entries_store ON ledger_entries (store_id, posted_at, movement, line_number);

-- What is posted stays: a mistake is corrected by further entries. ALWAYS: also for a session that plays a replica.
CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The ledger is append-only: % of % is refused. Post a correction instead.', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_accounts FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_movements FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
ALTER TABLE ledger_accounts ENABLE ALWAYS TRIGGER ledger_is_append_only;
ALTER TABLE ledger_movements ENABLE ALWAYS TRIGGER ledger_is_append_only;
ALTER TABLE ledger_entries ENABLE ALWAYS TRIGGER ledger_is_append_only;

-- Every movement has entries, and they sum to zero in each currency; asked at the commit, when all of them are there.
CREATE FUNCTION ledger_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM ledger_entries WHERE movement = NEW.movement) THEN
    RAISE EXCEPTION 'Movement % has no entries.', NEW.movement USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balances';
  END IF;
  IF EXISTS (
    SELECT FROM ledger_entries e LEFT JOIN ledger_accounts a USING (account)
    WHERE e.movement = NEW.movement AND (a.store_id IS NULL OR a.store_id <> e.store_id)) THEN
    RAISE EXCEPTION 'Movement % posts to an account that its store does not have.', NEW.movement USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balances';
  END IF;
  IF EXISTS (
    SELECT FROM ledger_entries e JOIN ledger_accounts a USING (account)
    WHERE e.movement = NEW.movement GROUP BY a.currency HAVING sum(e.amount_minor) <> 0) THEN
    RAISE EXCEPTION 'The entries of movement % do not sum to zero.', NEW.movement USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balances';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_balances AFTER INSERT ON ledger_movements
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balances();
CREATE CONSTRAINT TRIGGER ledger_balances AFTER INSERT ON ledger_entries
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balances();
ALTER TABLE ledger_movements ENABLE ALWAYS TRIGGER ledger_balances;
ALTER TABLE ledger_entries ENABLE ALWAYS TRIGGER ledger_balances;

-- What moved before there was a ledger, as one movement of each kind a part: (kind of movement, amount, debit, credit).
-- Kinds of accounts: 1 provider clearing, 2 sales, 3 refunds, 4 vouchers, 5 holds, 6 holds' counterpart.
CREATE TEMPORARY TABLE opening ON COMMIT DROP AS
SELECT m.movement, h.store_id, h.order_id, m.kind, h.updated_at AS posted_at, h.currency, e.line_number, e.account_kind, e.provider, e.amount,
  h.store_id || '/' || h.currency || '/' || (ARRAY['PROVIDER_CLEARING', 'SALES', 'REFUNDS', 'VOUCHERS', 'HOLDS', 'HOLDS_COUNTERPART'])[e.account_kind]
    || CASE WHEN e.provider = '' THEN '' ELSE '/' || e.provider END AS account
FROM payments h JOIN payment_parts p USING (order_id)
CROSS JOIN LATERAL (SELECT CASE WHEN p.method = 'VOUCHER' THEN 4 ELSE 1 END AS money) means
CROSS JOIN LATERAL (VALUES
  (h.order_id || '/' || p.part_number || '/hold', 1, CASE WHEN p.state = 4 THEN p.amount_minor ELSE 0 END, 5, 6),
  (h.order_id || '/' || p.part_number || '/capture/0', 2, p.captured_minor, means.money, 2),
  (h.order_id || '/' || p.part_number || '/refund/0', 4, p.refunded_minor, 3, means.money)
) AS m (movement, kind, minor, debit, credit)
CROSS JOIN LATERAL (VALUES
  (1, m.debit, CASE WHEN m.debit IN (1, 4, 5, 6) THEN p.provider ELSE '' END, m.minor),
  (2, m.credit, CASE WHEN m.credit IN (1, 4, 5, 6) THEN p.provider ELSE '' END, -m.minor)
) AS e (line_number, account_kind, provider, amount)
WHERE m.minor > 0;

INSERT INTO ledger_accounts (account, store_id, currency, kind, provider)
SELECT DISTINCT account, store_id, currency, account_kind::smallint, provider FROM opening;
INSERT INTO ledger_movements (movement, store_id, order_id, kind, posted_at)
SELECT DISTINCT movement, store_id, order_id, kind::smallint, posted_at FROM opening;
INSERT INTO ledger_entries (movement, line_number, account, amount_minor, store_id, posted_at)
SELECT movement, line_number, account, amount, store_id, posted_at FROM opening;
