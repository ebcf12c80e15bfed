-- no transaction
-- How carriers did for one store is read from its own parcels that ended; the sums by week are of all stores together.
CREATE INDEX CONCURRENTLY IF NOT EXISTS shipments_ended_by_store ON shipments (store_id, status_at) WHERE status IN (6, 10);
