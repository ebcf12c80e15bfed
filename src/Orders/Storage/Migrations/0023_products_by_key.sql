-- As before, but by the key, one after the other: the join was planned as a scan of the whole catalogue for every order, since
-- nothing tells how few SKUs an array has.
CREATE OR REPLACE FUNCTION assert_products(p_store text, p_skus text[], p_versions bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. cardinality(p_skus) LOOP
    IF coalesce((SELECT version FROM products WHERE store_id = p_store AND sku = p_skus[i]), 0) <> p_versions[i] THEN
      RAISE EXCEPTION 'the catalogue changed' USING ERRCODE = 'CM001';
    END IF;
  END LOOP;
END $$;
