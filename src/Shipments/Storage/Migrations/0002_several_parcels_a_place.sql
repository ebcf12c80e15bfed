-- What leaves one place can be more than one parcel holds. A parcel of an order is told from its others by its position,
-- which was unique before too. The index serves "the parcels of an order" as the old one did.
CREATE UNIQUE INDEX shipments_order_position ON shipments (order_id, position);
ALTER TABLE shipments DROP CONSTRAINT shipments_order_location;
