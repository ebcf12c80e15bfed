-- Orders that are written together tell of a stock that crosses a line what they would have told one after the other: where a line
-- is crossed by several, each reserves by itself. Far from a line, which is nearly always, they reserve together as before.
CREATE OR REPLACE FUNCTION reserve_stock(p_stores text[], p_skus text[], p_quantities bigint[], p_orders bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  short jsonb;
  crosses boolean;
  alone record;
BEGIN
  SELECT jsonb_agg(jsonb_build_object('sku', w.sku, 'wanted', w.quantity, 'available', coalesce(s.free, 0))) FILTER (WHERE NOT coalesce(s.backorder OR s.free >= w.quantity, false)),
         bool_or(w.first_order <> w.last_order AND stock_level(s.free, s.low_at) <> stock_level(s.free - w.quantity, s.low_at))
  FROM (
    SELECT store_id COLLATE "C" AS store_id, sku COLLATE "C" AS sku, sum(quantity)::bigint AS quantity, min(order_id) AS first_order, max(order_id) AS last_order
    FROM unnest(p_stores, p_skus, p_quantities, p_orders) AS w (store_id, sku, quantity, order_id) GROUP BY 1, 2 ORDER BY 1, 2) w
  LEFT JOIN LATERAL (
    SELECT backorder, on_hand - reserved AS free, low_at FROM stock WHERE store_id = w.store_id AND sku = w.sku FOR UPDATE) s ON true
  INTO short, crosses;
  IF short IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'CM002', MESSAGE = short::text;
  END IF;

  -- The rows are locked already, so the order in which they are changed now hinders nobody.
  IF crosses THEN
    FOR alone IN
      SELECT array_agg(store_id ORDER BY n) AS stores, array_agg(sku ORDER BY n) AS skus, array_agg(quantity ORDER BY n) AS quantities, array_agg(order_id ORDER BY n) AS orders
      FROM unnest(p_stores, p_skus, p_quantities, p_orders) WITH ORDINALITY AS w (store_id, sku, quantity, order_id, n) GROUP BY order_id ORDER BY min(n)
    LOOP
      PERFORM reserve_stock(alone.stores, alone.skus, alone.quantities, alone.orders);
    END LOOP;
    RETURN;
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
