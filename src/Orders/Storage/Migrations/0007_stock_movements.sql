-- Whether a product may be ordered beyond what is on the shelf; beside the stock too, where every reservation asks for it.
ALTER TABLE products ADD COLUMN backorder boolean NOT NULL DEFAULT false;
ALTER TABLE stock ADD COLUMN backorder boolean NOT NULL DEFAULT false;
ALTER TABLE stock DROP CONSTRAINT stock_not_oversold, ADD CONSTRAINT stock_not_oversold CHECK (backorder OR reserved <= on_hand) NOT VALID;

-- Every movement of the stock, for ever. The id is given while the stock's row is locked, so a SKU's movements have the order
-- in which they happened.
CREATE TABLE stock_movements (
  store_id        text COLLATE "C" NOT NULL,
  sku             text COLLATE "C" NOT NULL,
  movement_id     bigint GENERATED ALWAYS AS IDENTITY,
  kind            smallint NOT NULL,
  on_hand_change  bigint NOT NULL,
  reserved_change bigint NOT NULL,
  on_hand         bigint NOT NULL,
  reserved        bigint NOT NULL,
  time            timestamptz NOT NULL,
  order_id        bigint,
  actor           text NOT NULL,
  note            text NOT NULL,
  PRIMARY KEY (store_id, sku, movement_id)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% only grows', TG_TABLE_NAME USING ERRCODE = 'CM003';
END $$;

CREATE TRIGGER stock_movements_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_movements
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Written by the change itself and not beside it: so none can be forgotten, by this version or the one before. What moved says
-- what it was; whoever moves it by hand says the rest in settings of the transaction. Kinds as in
-- commerce.orders.v1.StockMovementKind.
CREATE FUNCTION stock_moved() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  said text := current_setting('commerce.stock_kind', true);
  about text := current_setting('commerce.stock_order', true);
BEGIN
  INSERT INTO stock_movements (store_id, sku, kind, on_hand_change, reserved_change, on_hand, reserved, time, order_id, actor, note)
  VALUES (
    new.store_id, new.sku,
    CASE
      WHEN new.reserved > old.reserved THEN 1
      WHEN new.reserved < old.reserved AND new.on_hand < old.on_hand THEN 2
      WHEN new.reserved < old.reserved THEN 3
      WHEN coalesce(said, '') <> '' THEN said::smallint
      ELSE 6
    END,
    new.on_hand - old.on_hand, new.reserved - old.reserved, new.on_hand, new.reserved, clock_timestamp(), nullif(about, '')::bigint,
    coalesce(current_setting('commerce.stock_actor', true), ''), coalesce(current_setting('commerce.stock_note', true), ''));
  RETURN NULL;
END $$;

CREATE TRIGGER stock_moves AFTER UPDATE ON stock FOR EACH ROW
WHEN (old.on_hand <> new.on_hand OR old.reserved <> new.reserved) EXECUTE FUNCTION stock_moved();

CREATE OR REPLACE FUNCTION reserve_stock(p_store text, p_skus text[], p_quantities bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  short jsonb := '[]';
  free bigint;
BEGIN
  FOR i IN 1 .. cardinality(p_skus) LOOP
    UPDATE stock SET reserved = reserved + p_quantities[i]
    WHERE store_id = p_store AND sku = p_skus[i] AND (backorder OR on_hand - reserved >= p_quantities[i]);
    IF NOT FOUND THEN
      SELECT on_hand - reserved INTO free FROM stock WHERE store_id = p_store AND sku = p_skus[i];
      short := short || jsonb_build_object('sku', p_skus[i], 'wanted', p_quantities[i], 'available', coalesce(free, 0));
    END IF;
  END LOOP;
  IF short <> '[]' THEN
    RAISE EXCEPTION USING ERRCODE = 'CM002', MESSAGE = short::text;
  END IF;
END $$;

-- The same for an order that is named in the movements.
CREATE FUNCTION reserve_stock(p_store text, p_skus text[], p_quantities bigint[], p_order bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('commerce.stock_order', p_order::text, true);
  PERFORM reserve_stock(p_store, p_skus, p_quantities);
END $$;

CREATE FUNCTION end_reservation(p_store text, p_skus text[], p_shipped bigint[], p_released bigint[], p_order bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('commerce.stock_order', p_order::text, true);
  PERFORM end_reservation(p_store, p_skus, p_shipped, p_released);
END $$;
