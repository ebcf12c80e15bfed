-- Keys collate "C", so that their order is the same here, in .NET (ordinal) and on every machine: page tokens and the
-- order in which rows are locked depend on it.

CREATE TABLE stores (
  store_id                 text COLLATE "C" PRIMARY KEY,
  display_name             text NOT NULL,
  order_prefix             text COLLATE "C" NOT NULL CONSTRAINT stores_order_prefix_key UNIQUE,
  currency                 text NOT NULL,
  language_code            text NOT NULL,
  time_zone                text NOT NULL,
  sender_email             text NOT NULL,
  from_location_id         text NOT NULL,
  from_locality            text NOT NULL,
  from_administrative_area text NOT NULL,
  from_postal_code         text NOT NULL,
  from_region_code         text NOT NULL,
  colour                   text NOT NULL,
  logo_uri                 text NOT NULL,
  create_time              timestamptz NOT NULL
);

CREATE TABLE products (
  store_id                 text COLLATE "C" NOT NULL REFERENCES stores,
  sku                      text COLLATE "C" NOT NULL,
  title                    text NOT NULL,
  unit_price_minor         bigint NOT NULL CHECK (unit_price_minor >= 0),
  unit_cost_minor          bigint CHECK (unit_cost_minor >= 0),
  weight_grams             integer NOT NULL,
  length_mm                integer NOT NULL,
  width_mm                 integer NOT NULL,
  height_mm                integer NOT NULL,
  -- Null: the store's own place.
  from_location_id         text,
  from_locality            text,
  from_administrative_area text,
  from_postal_code         text,
  from_region_code         text,
  stock_tracked            boolean NOT NULL,
  category                 text NOT NULL,
  -- Counts the changes of this row: an order that was priced from a copy in memory is checked against it.
  version                  bigint NOT NULL,
  PRIMARY KEY (store_id, sku)
);

-- Apart from the catalogue, because every order writes here: a reservation neither bloats nor invalidates a product.
CREATE TABLE stock (
  store_id text COLLATE "C" NOT NULL,
  sku      text COLLATE "C" NOT NULL,
  on_hand  bigint NOT NULL,
  reserved bigint NOT NULL,
  PRIMARY KEY (store_id, sku),
  FOREIGN KEY (store_id, sku) REFERENCES products,
  CONSTRAINT stock_reserved_not_negative CHECK (reserved >= 0),
  CONSTRAINT stock_not_oversold CHECK (reserved <= on_hand)
) WITH (fillfactor = 70);

-- The key is the Order ID's value: a code is found by one look-up, and new rows go to the right-hand end of the index.
-- Room in each page keeps the updates of an order's life on its page (HOT), where no index is touched. No foreign keys
-- from here on: an order's rows are written by one batch and never deleted, and a check would lock the one store row (or
-- the order's) once more for every row of every order.
CREATE TABLE orders (
  order_id               bigint PRIMARY KEY,
  store_id               text COLLATE "C" NOT NULL,
  external_id            text COLLATE "C",
  state                  smallint NOT NULL,
  payment_state          smallint NOT NULL,
  fulfilment_state       smallint NOT NULL,
  version                bigint NOT NULL,
  create_time            timestamptz NOT NULL,
  update_time            timestamptz NOT NULL,
  currency               text NOT NULL,
  subtotal_minor         bigint NOT NULL,
  shipping_minor         bigint NOT NULL,
  total_minor            bigint NOT NULL,
  promised_delivery_time timestamptz,
  cancel_reason          smallint,
  cancel_note            text,
  cancel_time            timestamptz,
  -- Personal data: this table is the only place in Orders that has any.
  customer_name          text NOT NULL,
  customer_email         text NOT NULL,
  customer_phone         text NOT NULL,
  customer_language      text NOT NULL,
  -- The e-mail address in lower case, null if there is none: what orders are found by.
  email_key              text COLLATE "C",
  to_region_code         text NOT NULL,
  to_language_code       text NOT NULL,
  to_postal_code         text NOT NULL,
  to_sorting_code        text NOT NULL,
  to_administrative_area text NOT NULL,
  to_locality            text NOT NULL,
  to_sublocality         text NOT NULL,
  to_address_lines       text[] NOT NULL,
  to_recipients          text[] NOT NULL,
  to_organization        text NOT NULL,
  -- Written once and read only with the whole order (a part's life is Payments' business), so not rows of their own.
  adjustments            jsonb NOT NULL,
  payment_parts          jsonb NOT NULL
) WITH (fillfactor = 70);

-- Every list of orders is "of one store, newest first", and every filter that can stand alone has the index that ends
-- with just that order, so a page costs its own rows however many orders there are.
CREATE INDEX orders_by_time ON orders (store_id, create_time DESC, order_id DESC);
CREATE INDEX orders_by_state ON orders (store_id, state, create_time DESC, order_id DESC);
CREATE INDEX orders_by_email ON orders (store_id, email_key, create_time DESC, order_id DESC) WHERE email_key IS NOT NULL;
CREATE UNIQUE INDEX orders_external_id_key ON orders (store_id, external_id) WHERE external_id IS NOT NULL;

-- Rows, not a document in the order: lines are held, shipped, edited, returned and found by SKU one by one.
CREATE TABLE order_lines (
  order_id                 bigint NOT NULL,
  line_number              integer NOT NULL,
  store_id                 text COLLATE "C" NOT NULL,
  sku                      text COLLATE "C" NOT NULL,
  title                    text NOT NULL,
  quantity                 integer NOT NULL,
  unit_price_minor         bigint NOT NULL,
  price_agreed             boolean NOT NULL,
  weight_grams             integer NOT NULL,
  length_mm                integer NOT NULL,
  width_mm                 integer NOT NULL,
  height_mm                integer NOT NULL,
  from_location_id         text NOT NULL,
  from_locality            text NOT NULL,
  from_administrative_area text NOT NULL,
  from_postal_code         text NOT NULL,
  from_region_code         text NOT NULL,
  -- Pieces of this line that stock.reserved still counts; shipping and cancelling bring it to 0, so neither can twice.
  held                     integer NOT NULL CHECK (held BETWEEN 0 AND quantity),
  PRIMARY KEY (order_id, line_number)
);

CREATE TABLE order_parcels (
  order_id        bigint NOT NULL,
  shipment_id     text COLLATE "C" NOT NULL,
  -- The order in which Orders heard of them.
  position        integer NOT NULL,
  carrier         text NOT NULL,
  tracking_number text NOT NULL,
  state           smallint NOT NULL,
  line_numbers    integer[] NOT NULL,
  quantities      integer[] NOT NULL,
  PRIMARY KEY (order_id, shipment_id)
);

CREATE TABLE order_timeline (
  order_id bigint NOT NULL,
  version  bigint NOT NULL,
  time     timestamptz NOT NULL,
  event    text NOT NULL,
  actor    text NOT NULL,
  detail   text NOT NULL,
  PRIMARY KEY (order_id, version)
);

-- Orders are priced from a copy of the catalogue in memory; this refuses the copy where it is no longer true, within
-- the order's own round trip. A SKU that is in no catalogue has version 0.
CREATE FUNCTION assert_products(p_store text, p_skus text[], p_versions bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM unnest(p_skus, p_versions) AS copy (sku, version)
    LEFT JOIN products p ON p.store_id = p_store AND p.sku = copy.sku
    WHERE coalesce(p.version, 0) <> copy.version)
  THEN
    RAISE EXCEPTION 'the catalogue changed' USING ERRCODE = 'CM001';
  END IF;
END $$;

-- Reserves every SKU or none. The caller sorts the SKUs: orders that want the same ones lock them in the same order, so
-- they wait for each other and never deadlock. What is short is told as the error's message, [{sku, wanted, available}]:
-- the driver withholds an error's detail, since it may be somebody's data.
CREATE FUNCTION reserve_stock(p_store text, p_skus text[], p_quantities bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  short jsonb := '[]';
  free bigint;
BEGIN
  FOR i IN 1 .. cardinality(p_skus) LOOP
    UPDATE stock SET reserved = reserved + p_quantities[i]
    WHERE store_id = p_store AND sku = p_skus[i] AND on_hand - reserved >= p_quantities[i];
    IF NOT FOUND THEN
      SELECT on_hand - reserved INTO free FROM stock WHERE store_id = p_store AND sku = p_skus[i];
      short := short || jsonb_build_object('sku', p_skus[i], 'wanted', p_quantities[i], 'available', coalesce(free, 0));
    END IF;
  END LOOP;
  IF short <> '[]' THEN
    RAISE EXCEPTION USING ERRCODE = 'CM002', MESSAGE = short::text;
  END IF;
END $$;

-- Ends reservations: what was shipped leaves the shelf too, what was cancelled stays on it. Sorted like reserve_stock.
CREATE FUNCTION end_reservation(p_store text, p_skus text[], p_shipped bigint[], p_released bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. cardinality(p_skus) LOOP
    UPDATE stock SET on_hand = on_hand - p_shipped[i], reserved = reserved - p_shipped[i] - p_released[i]
    WHERE store_id = p_store AND sku = p_skus[i];
  END LOOP;
END $$;

-- A newcomer's first order needs a store.
INSERT INTO stores VALUES (
  'main', 'Main Store', 'ORD', 'EUR', 'en-GB', 'Europe/Dublin', 'orders@main.example',
  '', 'Dublin', '', 'D02 AF30', 'IE', '', '', now());
