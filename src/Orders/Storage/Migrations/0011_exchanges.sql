-- The return whose goods an order replaces, "orders/{order_id}/returns/{number}"; null for one that replaces nothing.
ALTER TABLE orders ADD COLUMN exchange_of text;
