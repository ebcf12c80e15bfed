-- What every delivered parcel taught of its lane and carrier: places without the address, times, and nobody's name. It is written by
-- whoever learns, never while a scan is taken in.
CREATE TABLE delivery_history (
  learned_id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shipment_id        uuid        NOT NULL UNIQUE,
  store_id           text        NOT NULL,
  location_id        text        NOT NULL,
  carrier            text        NOT NULL,
  service            text        NOT NULL,
  from_country       text        NOT NULL,
  from_region        text        NOT NULL,
  to_country         text        NOT NULL,
  to_region          text        NOT NULL,
  -- Three characters of the postal code: enough for a zone.
  to_zone            text        NOT NULL,
  weight_grams       integer     NOT NULL,
  planned_at         timestamptz NOT NULL,
  handed_over_at     timestamptz,
  out_at             timestamptz,
  delivered_at       timestamptz NOT NULL,
  promised_at        timestamptz
);
CREATE INDEX delivery_history_delivered ON delivery_history (delivered_at);

-- Parcels that were delivered lately and are to be learned from. A scan of one under way changes nothing in it.
CREATE INDEX shipments_delivered ON shipments (delivered_at) WHERE delivered_at IS NOT NULL AND return_number = 0;
