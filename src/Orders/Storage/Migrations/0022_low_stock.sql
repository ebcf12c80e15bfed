-- At how few pieces that can still be ordered a stock is low; null: only at none. stock_facts counts the facts told of it.
ALTER TABLE stock ADD COLUMN low_at bigint, ADD COLUMN facts bigint NOT NULL DEFAULT 0;

-- 0: enough, 1: low, 2: none can be ordered.
CREATE FUNCTION stock_level(p_available bigint, p_low_at bigint) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p_available <= 0 THEN 2 WHEN p_available <= coalesce(p_low_at, 0) THEN 1 ELSE 0 END
$$;

-- Told by the change itself and in its transaction, for it alone knows what the stock was: 64 buyers at once change the row one
-- after the other, and only one of them takes the last piece. The body is as Commerce.Messaging writes it. The first pieces that
-- a stock ever has are no news to anybody.
CREATE FUNCTION stock_crossed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  before integer := stock_level(old.on_hand - old.reserved, old.low_at);
  after integer := stock_level(new.on_hand - new.reserved, new.low_at);
BEGIN
  IF before = after OR (old.facts = 0 AND old.on_hand = 0 AND old.reserved = 0) THEN
    RETURN new;
  END IF;
  new.facts := old.facts + 1;
  INSERT INTO messaging.outbox (message_id, fact, key, version, body, enqueued_at)
  VALUES (
    gen_random_uuid(),
    CASE WHEN after < before THEN 'StockReplenished' WHEN after = 1 THEN 'StockLow' ELSE 'StockOut' END,
    'stores/' || new.store_id || '/products/' || new.sku || '/stock', new.facts,
    jsonb_build_object(
      'storeId', new.store_id, 'sku', new.sku, 'version', new.facts, 'occurredAt', to_json(clock_timestamp()),
      'available', new.on_hand - new.reserved, 'lowAt', new.low_at)::text,
    clock_timestamp());
  RETURN new;
END $$;

-- The condition keeps most changes from calling it at all.
CREATE TRIGGER stock_crosses BEFORE UPDATE ON stock FOR EACH ROW
WHEN ((old.on_hand - old.reserved <= 0) <> (new.on_hand - new.reserved <= 0)
   OR (old.on_hand - old.reserved <= coalesce(old.low_at, 0)) <> (new.on_hand - new.reserved <= coalesce(new.low_at, 0)))
EXECUTE FUNCTION stock_crossed();
