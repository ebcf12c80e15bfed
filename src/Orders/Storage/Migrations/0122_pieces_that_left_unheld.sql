-- Whether pieces of the line were ever held in the stock: what leaves of it leaves the stock, also where nothing is held any more.
-- A line that still holds some needs no mark.
ALTER TABLE order_lines ADD COLUMN counted boolean NOT NULL DEFAULT false;

-- Pieces that are promised though they are gone: they left with a parcel whose order had given them up, and were sold again
-- meanwhile. The one way in which more is reserved than there is; who reserves still needs free pieces.
ALTER TABLE stock ADD COLUMN missing bigint NOT NULL DEFAULT 0;
ALTER TABLE stock DROP CONSTRAINT stock_not_oversold, ADD CONSTRAINT stock_not_oversold CHECK (backorder OR reserved <= on_hand + missing) NOT VALID;

-- As before, and pieces that leave though nothing holds them, while the row is locked. They have a movement of their own.
CREATE FUNCTION end_reservation(p_store text, p_skus text[], p_shipped bigint[], p_released bigint[], p_unheld bigint[], p_order bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('commerce.stock_order', p_order::text, true);
  FOR i IN 1 .. cardinality(p_skus) LOOP
    UPDATE stock SET on_hand = on_hand - p_shipped[i], reserved = reserved - p_shipped[i] - p_released[i]
    WHERE store_id = p_store AND sku = p_skus[i] AND (p_shipped[i] > 0 OR p_released[i] > 0);
    IF p_unheld[i] > 0 THEN
      PERFORM set_config('commerce.stock_kind', '2', true), set_config('commerce.stock_note', 'nothing held them any more', true);
      UPDATE stock SET on_hand = on_hand - p_unheld[i], missing = CASE WHEN backorder THEN missing ELSE greatest(missing, reserved - on_hand + p_unheld[i]) END
      WHERE store_id = p_store AND sku = p_skus[i];
      PERFORM set_config('commerce.stock_kind', '', true), set_config('commerce.stock_note', '', true);
    END IF;
  END LOOP;
END $$;

-- What was missing is not any more when pieces come or their orders end.
CREATE FUNCTION stock_found() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  new.missing := least(new.missing, greatest(0, new.reserved - new.on_hand));
  RETURN new;
END $$;

CREATE TRIGGER stock_found BEFORE UPDATE ON stock FOR EACH ROW
WHEN (new.missing > 0 AND new.missing = old.missing) EXECUTE FUNCTION stock_found();
