-- no transaction
-- The orders of a customer that the shop has an id of, to tell or erase what is known of them.
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_by_customer ON orders (store_id, customer_id) WHERE customer_id IS NOT NULL;
