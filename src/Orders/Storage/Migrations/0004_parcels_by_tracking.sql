-- no transaction
-- Carriers use their numbers again, so it is not unique. Parcels without a label have none.
CREATE INDEX CONCURRENTLY IF NOT EXISTS order_parcels_by_tracking ON order_parcels (tracking_number, order_id) WHERE tracking_number <> '';
