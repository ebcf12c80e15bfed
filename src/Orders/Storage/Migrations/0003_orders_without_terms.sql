-- no transaction
-- Empty but for orders of the version before: what is left to do is found without looking at what is done.
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_without_terms ON orders (order_id) WHERE terms_version IS NULL;
