-- Orders that arrive together are written by one transaction. The functions of one order alone stay for the version before.

-- As before, for the articles of many orders; by the key, whatever the planner thinks of arrays.
CREATE FUNCTION assert_products(p_stores text[], p_skus text[], p_versions bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM unnest(p_stores, p_skus, p_versions) AS copy (store_id, sku, version)
    WHERE coalesce((SELECT p.version FROM products p WHERE p.store_id = copy.store_id AND p.sku = copy.sku), 0) <> copy.version)
  THEN
    RAISE EXCEPTION 'the catalogue changed' USING ERRCODE = 'CM001';
  END IF;
END $$;

-- Counts the movements that changes of this row recorded themselves. A change that leaves it alone is recorded by the trigger,
-- as ever: so none can be forgotten.
ALTER TABLE stock ADD COLUMN recorded bigint NOT NULL DEFAULT 0;

CREATE OR REPLACE TRIGGER stock_moves AFTER UPDATE ON stock FOR EACH ROW
WHEN (new.recorded = old.recorded AND (old.on_hand <> new.on_hand OR old.reserved <> new.reserved)) EXECUTE FUNCTION stock_moved();

-- Reserves every SKU of every order or none. Each row is locked once and in the order of the keys, whatever order the callers
-- give: so those who want the same SKUs wait for each other and never deadlock. What is short is told as the error's message,
-- as before. An article that several of the orders want has a movement for each of them, as if they had come one by one.
CREATE FUNCTION reserve_stock(p_stores text[], p_skus text[], p_quantities bigint[], p_orders bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  short jsonb;
BEGIN
  SELECT jsonb_agg(jsonb_build_object('sku', w.sku, 'wanted', w.quantity, 'available', coalesce(s.free, 0)))
  FROM (
    SELECT store_id COLLATE "C" AS store_id, sku COLLATE "C" AS sku, sum(quantity)::bigint AS quantity
    FROM unnest(p_stores, p_skus, p_quantities) AS w (store_id, sku, quantity) GROUP BY 1, 2 ORDER BY 1, 2) w
  LEFT JOIN LATERAL (
    SELECT backorder, on_hand - reserved AS free FROM stock WHERE store_id = w.store_id AND sku = w.sku FOR UPDATE) s ON true
  WHERE NOT coalesce(s.backorder OR s.free >= w.quantity, false)
  INTO short;
  IF short IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'CM002', MESSAGE = short::text;
  END IF;

  WITH wanted AS MATERIALIZED (
    SELECT store_id COLLATE "C" AS store_id, sku COLLATE "C" AS sku, quantity, order_id, n,
           sum(quantity) OVER (PARTITION BY store_id, sku ORDER BY n DESC) - quantity AS after
    FROM unnest(p_stores, p_skus, p_quantities, p_orders) WITH ORDINALITY AS w (store_id, sku, quantity, order_id, n)),
  reserved AS (
    UPDATE stock s SET reserved = s.reserved + w.quantity, recorded = s.recorded + w.orders
    FROM (SELECT store_id, sku, sum(quantity)::bigint AS quantity, count(*) AS orders FROM wanted GROUP BY 1, 2) w
    WHERE s.store_id = w.store_id AND s.sku = w.sku
    RETURNING s.store_id, s.sku, s.on_hand, s.reserved)
  INSERT INTO stock_movements (store_id, sku, kind, on_hand_change, reserved_change, on_hand, reserved, time, order_id, actor, note)
  SELECT w.store_id, w.sku, 1, 0, w.quantity, r.on_hand, r.reserved - w.after, clock_timestamp(), w.order_id, '', ''
  FROM wanted w JOIN reserved r USING (store_id, sku) ORDER BY w.n;
END $$;
