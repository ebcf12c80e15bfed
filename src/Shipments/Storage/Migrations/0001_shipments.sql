-- A parcel. Its identity is our own: carriers use their numbers again. What is in it and where it goes never changes
-- once planned, and is read and written only as a whole, so it is kept as jsonb beside it.
CREATE TABLE shipments (
  id                 uuid        PRIMARY KEY,
  store_id           text        NOT NULL,
  order_id           text        NOT NULL,
  order_reference    text        NOT NULL,
  location_id        text        NOT NULL,
  position           integer     NOT NULL,
  ship_from          jsonb       NOT NULL,
  ship_to            jsonb       NOT NULL,
  lines              jsonb       NOT NULL,
  weight_grams       integer     NOT NULL,
  length_mm          integer     NOT NULL,
  width_mm           integer     NOT NULL,
  height_mm          integer     NOT NULL,
  value_minor        bigint      NOT NULL,
  currency           text        NOT NULL,
  promised_at        timestamptz,
  estimated_at       timestamptz,
  carrier            text,
  service            text,
  -- Chosen, and perhaps asked for: set before the carrier is called, so that a crash asks the same carrier again.
  buying_carrier     text,
  buying_service     text,
  refused            text[]      NOT NULL DEFAULT '{}',
  label_id           text,
  tracking_number    text,
  label_price_minor  bigint,
  label_currency     text,
  status             smallint    NOT NULL,
  reason_party       smallint    NOT NULL DEFAULT 0,
  reason_code        text        NOT NULL DEFAULT '',
  action_required    boolean     NOT NULL DEFAULT false,
  status_at          timestamptz NOT NULL,
  reached            smallint[]  NOT NULL DEFAULT '{}',
  last_scan_at       timestamptz,
  delivered_at       timestamptz,
  exception_kind     smallint,
  exception_message  text,
  exception_at       timestamptz,
  exception_attempts integer     NOT NULL DEFAULT 0,
  cancel_requested   boolean     NOT NULL DEFAULT false,
  version            bigint      NOT NULL,
  created_at         timestamptz NOT NULL,
  updated_at         timestamptz NOT NULL,
  -- One parcel a place: planning an order twice plans nothing new. It serves "the parcels of an order" too.
  CONSTRAINT shipments_order_location UNIQUE (order_id, location_id)
);

-- The newest parcel that bears a number; older ones with the same number stay reachable by their order.
CREATE INDEX shipments_tracking_number ON shipments (tracking_number, created_at DESC) WHERE tracking_number IS NOT NULL;
CREATE INDEX shipments_store ON shipments (store_id, created_at DESC, id DESC);
CREATE INDEX shipments_store_exceptions ON shipments (store_id, created_at DESC, id DESC) WHERE exception_kind IS NOT NULL;

-- What carriers saw. A scan's identity is its content, so the key itself drops what comes twice. The history of a parcel
-- is kept for as long as the parcel and always read by it: it is clustered by parcel and not cut by time.
CREATE TABLE scans (
  shipment_id  uuid        NOT NULL REFERENCES shipments (id),
  scan_id      uuid        NOT NULL,
  status       smallint    NOT NULL,
  reason_party smallint    NOT NULL,
  reason_code  text        NOT NULL,
  inferred     boolean     NOT NULL,
  carrier_code text        NOT NULL,
  description  text        NOT NULL,
  occurred_at  timestamptz NOT NULL,
  local_time   text        NOT NULL,
  place        jsonb       NOT NULL,
  source       text        NOT NULL,
  received_at  timestamptz NOT NULL,
  PRIMARY KEY (shipment_id, scan_id)
);

-- Scans for a number that no parcel bears yet: a webhook may beat the answer that names the label.
CREATE TABLE unclaimed_scans (
  tracking_number text        NOT NULL,
  scan_id         uuid        NOT NULL,
  carrier         text        NOT NULL,
  scan            jsonb       NOT NULL,
  received_at     timestamptz NOT NULL,
  PRIMARY KEY (tracking_number, scan_id)
);
CREATE INDEX unclaimed_scans_received_at ON unclaimed_scans (received_at);

-- Orders that were cancelled, perhaps before we heard that they were confirmed.
CREATE TABLE cancelled_orders (
  order_id     text        PRIMARY KEY,
  cancelled_at timestamptz NOT NULL
);
