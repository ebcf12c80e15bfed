-- What customs is told, once somebody said it; the change of its delivery that was asked for last; and the label that was put on
-- a manifest, and on which: a label that is bought anew waits for one anew.
ALTER TABLE shipments
  ADD COLUMN customs jsonb,
  ADD COLUMN delivery_change jsonb,
  ADD COLUMN manifest_label text,
  ADD COLUMN manifest_id uuid;

-- What carriers took before there were lists does not wait for one.
UPDATE shipments SET manifest_label = label_id WHERE label_id IS NOT NULL AND status <> 1;

-- The labels that wait, oldest first.
CREATE INDEX shipments_awaiting_manifest ON shipments (store_id, carrier, location_id, created_at)
  WHERE label_id IS NOT NULL AND label_id IS DISTINCT FROM manifest_label AND return_number = 0 AND status <> 11;

-- The lists, as they were closed.
CREATE TABLE manifests (
  id           uuid        PRIMARY KEY,
  store_id     text        NOT NULL,
  carrier      text        NOT NULL,
  location_id  text        NOT NULL,
  number       integer     NOT NULL,
  closed_at    timestamptz NOT NULL,
  parcel_count integer     NOT NULL,
  weight_grams bigint      NOT NULL,
  lines        jsonb       NOT NULL,
  CONSTRAINT manifests_number UNIQUE (store_id, carrier, location_id, number)
);
CREATE INDEX manifests_store ON manifests (store_id, closed_at DESC, id DESC);

-- What the carrier says of a delivery. Personal data.
CREATE TABLE proofs_of_delivery (
  shipment_id     uuid             PRIMARY KEY REFERENCES shipments (id),
  scan_id         uuid             NOT NULL,
  delivered_at    timestamptz      NOT NULL,
  signed_by       text             NOT NULL,
  photo_reference text             NOT NULL,
  latitude        double precision,
  longitude       double precision,
  left_at         text             NOT NULL
);
