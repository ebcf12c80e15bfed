-- Personal data. As protobuf JSON; null: none. Read only with the whole order.
ALTER TABLE orders ADD COLUMN delivery_wishes jsonb;
