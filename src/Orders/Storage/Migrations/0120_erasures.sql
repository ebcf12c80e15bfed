-- Since when nobody is to be found in the order any more.
ALTER TABLE orders ADD COLUMN erase_time timestamptz;

-- Erasures, and their reports: by whom and of which orders, and nothing of whom. items: what became of the data here.
CREATE TABLE erasures (
  erasure_id  uuid        PRIMARY KEY,
  store_id    text        COLLATE "C" NOT NULL,
  creator     text        NOT NULL,
  create_time timestamptz NOT NULL,
  order_ids   text[]      NOT NULL,
  items       jsonb       NOT NULL
);
CREATE INDEX erasures_by_time ON erasures (create_time DESC, erasure_id DESC);

-- What the other services have to do, an order at a time; time and items are what they told.
CREATE TABLE erasure_steps (
  erasure_id uuid NOT NULL REFERENCES erasures,
  order_id   text NOT NULL,
  service    text NOT NULL,
  time       timestamptz,
  items      jsonb,
  PRIMARY KEY (erasure_id, order_id, service)
);
