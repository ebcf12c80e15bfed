-- In which transaction a stock moved: what a watcher saw last is told by a transaction before which all had ended, because the
-- ids of movements are not committed in their order. Rows are appended in about the order of their transactions, so an index of
-- their ranges finds the newest of them and costs a reservation next to nothing.
ALTER TABLE stock_movements ADD COLUMN xid bigint;
ALTER TABLE stock_movements ALTER COLUMN xid SET DEFAULT pg_current_xact_id()::text::bigint;
CREATE INDEX stock_movements_xid ON stock_movements USING brin (xid) WITH (pages_per_range = 16, autosummarize = on);

-- What changes a stock and moves no pieces: a new one, its threshold, whether it may be backordered.
CREATE TABLE stock_marks (
  store_id text COLLATE "C" NOT NULL,
  sku      text COLLATE "C" NOT NULL,
  xid      bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint
);
CREATE INDEX stock_marks_xid ON stock_marks (store_id, xid);

CREATE FUNCTION stock_marked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO stock_marks (store_id, sku) VALUES (new.store_id, new.sku);
  RETURN NULL;
END $$;
CREATE TRIGGER stock_begins AFTER INSERT ON stock FOR EACH ROW EXECUTE FUNCTION stock_marked();
CREATE TRIGGER stock_is_set AFTER UPDATE ON stock FOR EACH ROW
WHEN (old.low_at IS DISTINCT FROM new.low_at OR old.backorder <> new.backorder) EXECUTE FUNCTION stock_marked();
