-- What orders are found by, beside their own columns: one row for each word of the names (n…), the phone number's end (p…),
-- the postal code (z…), each SKU (s…) and each word of notes (o…). A B-tree of our own and not a GIN index, although that would
-- be smaller (about 1 GB for every 10 million orders and kind of term, where GIN takes a fraction of it): only this one is read
-- newest first and stops after a page, so that a find costs its own rows and not those of everybody called Silva, and only
-- this one can be limited. A GIN scan makes the bitmap of all matches before the first row comes.
-- The table is its primary key and nothing else; rows are written once and never changed.
CREATE TABLE order_terms (
  store_id    text COLLATE "C" NOT NULL,
  term        text COLLATE "C" NOT NULL,
  create_time timestamptz NOT NULL,
  order_id    bigint NOT NULL,
  PRIMARY KEY (store_id, term, create_time, order_id)
);

-- The words of titles are kept once an article and not once an order: there are far fewer articles. A text leads to the
-- articles that are called so, and those to their orders by the term of their SKU.
CREATE TABLE article_words (
  store_id text COLLATE "C" NOT NULL,
  word     text COLLATE "C" NOT NULL,
  sku      text COLLATE "C" NOT NULL,
  PRIMARY KEY (store_id, word, sku)
);

-- Null: the terms are not there yet, because the version before this one wrote the order. They are made up for in the
-- background, so that neither a migration nor a roll-out has to stop placing orders.
ALTER TABLE orders ADD COLUMN terms_version smallint;
