-- When an imported order was delivered, if its history says so: from then on it can be returned.
ALTER TABLE orders ADD COLUMN imported_delivery_time timestamptz;
