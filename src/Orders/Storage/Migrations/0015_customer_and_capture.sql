-- The shop's own id of the customer, as far as the shop has one: store credit is kept under it.
ALTER TABLE orders ADD COLUMN customer_id text COLLATE "C";

-- When the money is taken: 1 at once, 2 by hand, 3 as parcels are handed over. With 2 and 3 what is held confirms the order.
ALTER TABLE stores ADD COLUMN capture_mode smallint NOT NULL DEFAULT 1 CHECK (capture_mode BETWEEN 1 AND 3);
ALTER TABLE orders ADD COLUMN capture_mode smallint NOT NULL DEFAULT 1 CHECK (capture_mode BETWEEN 1 AND 3);
