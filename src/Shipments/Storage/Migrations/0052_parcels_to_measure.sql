-- no transaction
-- Delivered or returned, and not counted as it is now: the work to be done, and nothing else.
CREATE INDEX CONCURRENTLY IF NOT EXISTS shipments_unmeasured ON shipments (id) WHERE status IN (6, 10) AND measured_version <> version AND carrier IS NOT NULL;
