-- Pieces of the line that came back from the shopper; constant defaults rewrite nothing.
ALTER TABLE order_lines ADD COLUMN returned integer NOT NULL DEFAULT 0;

-- When it was delivered, as the carrier says: the time in which goods can come back counts from then. Null where the version
-- before this one heard of it; the timeline has it then.
ALTER TABLE order_parcels ADD COLUMN delivered_time timestamptz;

-- What the store promises about returns, as JSON of commerce.orders.v1.ReturnPolicy; null: the defaults. The version counts the
-- store's changes.
ALTER TABLE stores ADD COLUMN return_policy jsonb, ADD COLUMN version bigint NOT NULL DEFAULT 1;

-- A return is read and written only as a whole, under the lock of its order: what is in it is one document beside the columns
-- that returns are found by. What shoppers write in it may be personal data.
CREATE TABLE order_returns (
  order_id    bigint      NOT NULL,
  number      integer     NOT NULL,
  store_id    text COLLATE "C" NOT NULL,
  state       smallint    NOT NULL,
  version     bigint      NOT NULL,
  create_time timestamptz NOT NULL,
  update_time timestamptz NOT NULL,
  content     jsonb       NOT NULL,
  PRIMARY KEY (order_id, number)
);
CREATE INDEX order_returns_by_time ON order_returns (store_id, create_time DESC, order_id DESC, number DESC);
CREATE INDEX order_returns_by_state ON order_returns (store_id, state, create_time DESC, order_id DESC, number DESC);

-- Pieces that came back: all of them come on the shelf, and the damaged ones leave it at once, so that each way is a movement
-- of its own. Only of what is counted; sorted like reserve_stock.
CREATE FUNCTION return_stock(p_store text, p_skus text[], p_as_new bigint[], p_damaged bigint[], p_order bigint, p_actor text, p_note text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('commerce.stock_order', p_order::text, true), set_config('commerce.stock_actor', p_actor, true),
          set_config('commerce.stock_note', p_note, true);
  FOR i IN 1 .. cardinality(p_skus) LOOP
    IF EXISTS (SELECT FROM products WHERE store_id = p_store AND sku = p_skus[i] AND stock_tracked) THEN
      INSERT INTO stock (store_id, sku, on_hand, reserved, backorder)
      SELECT store_id, sku, 0, 0, backorder FROM products WHERE store_id = p_store AND sku = p_skus[i] ON CONFLICT DO NOTHING;
      PERFORM set_config('commerce.stock_kind', '7', true);
      UPDATE stock SET on_hand = on_hand + p_as_new[i] + p_damaged[i] WHERE store_id = p_store AND sku = p_skus[i];
      PERFORM set_config('commerce.stock_kind', '8', true);
      UPDATE stock SET on_hand = on_hand - p_damaged[i] WHERE store_id = p_store AND sku = p_skus[i] AND p_damaged[i] > 0;
    END IF;
  END LOOP;
  PERFORM set_config('commerce.stock_kind', '', true);
END $$;
