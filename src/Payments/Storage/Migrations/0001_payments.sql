-- The payment of an order. Its version counts the facts told; its revision every stored change, so that a writer that
-- read an older one notices.
CREATE TABLE payments (
  order_id        text        PRIMARY KEY,
  store_id        text        NOT NULL,
  currency        text        NOT NULL,
  amount_minor    bigint      NOT NULL CHECK (amount_minor >= 0),
  captured_minor  bigint      NOT NULL DEFAULT 0 CHECK (captured_minor BETWEEN 0 AND amount_minor),
  refunded_minor  bigint      NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND captured_minor),
  state           smallint    NOT NULL,
  told            smallint,
  cancelled       boolean     NOT NULL DEFAULT false,
  version         bigint      NOT NULL DEFAULT 0,
  revision        bigint      NOT NULL DEFAULT 0,
  created_at      timestamptz NOT NULL,
  updated_at      timestamptz NOT NULL
);
CREATE INDEX payments_store_created ON payments (store_id, created_at DESC, order_id DESC);
CREATE INDEX payments_store_state_created ON payments (store_id, state, created_at DESC, order_id DESC);

-- What is paid by which means. A part is taken at most once, and never given back more than was taken.
CREATE TABLE payment_parts (
  order_id            text     NOT NULL REFERENCES payments (order_id),
  part_number         integer  NOT NULL,
  method              text     NOT NULL,
  token               text     NOT NULL,
  amount_minor        bigint   NOT NULL CHECK (amount_minor > 0),
  instalments         integer  NOT NULL CHECK (instalments > 0),
  provider            text     NOT NULL,
  provider_reference  text,
  state               smallint NOT NULL,
  decline_reason      text,
  captured_minor      bigint   NOT NULL DEFAULT 0 CHECK (captured_minor BETWEEN 0 AND amount_minor),
  refunded_minor      bigint   NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND captured_minor),
  PRIMARY KEY (order_id, part_number)
);
-- One authorisation pays one part: the same one under two parts would be counted twice.
CREATE UNIQUE INDEX payment_parts_provider_reference ON payment_parts (provider, provider_reference) WHERE provider_reference IS NOT NULL;

-- Orders that were cancelled before we heard of them: whatever comes of them is never charged.
CREATE TABLE cancelled_orders (
  order_id      text        PRIMARY KEY,
  store_id      text        NOT NULL,
  cancelled_at  timestamptz NOT NULL
);

-- Webhooks that changed something.
CREATE TABLE webhooks (
  provider     text        NOT NULL,
  webhook_id   text        NOT NULL,
  order_id     text        NOT NULL,
  received_at  timestamptz NOT NULL,
  PRIMARY KEY (provider, webhook_id)
);
