-- Public lists of postal codes, a row a country, packed as every replica keeps it in memory: it is read as a whole and never searched here.
CREATE TABLE postal_tables (
  country   text        PRIMARY KEY,
  version   bigint      NOT NULL,
  source    text        NOT NULL,
  codes     integer     NOT NULL,
  data      bytea       NOT NULL,
  loaded_at timestamptz NOT NULL
);
-- Compressing it again costs more time than it saves.
ALTER TABLE postal_tables ALTER COLUMN data SET STORAGE EXTERNAL;

-- Which postal codes a carrier says that it serves. A version is there as a whole: its lines come in the transaction of its own row.
CREATE TABLE carrier_lists (
  carrier      text        NOT NULL,
  version      bigint      NOT NULL,
  content_hash bytea       NOT NULL,
  lines        integer     NOT NULL,
  uploaded_at  timestamptz NOT NULL,
  uploaded_by  text        NOT NULL,
  PRIMARY KEY (carrier, version)
);

-- Codes are numbers that sort as they do (PostalKey); of a single code both are the same. Services are bits: 1 delivery, 2 pick-up,
-- 4 cash on delivery, 8 same day.
CREATE TABLE carrier_list_lines (
  carrier    text     NOT NULL,
  version    bigint   NOT NULL,
  country    text     NOT NULL,
  first_code bigint   NOT NULL,
  last_code  bigint   NOT NULL,
  services   smallint NOT NULL,
  PRIMARY KEY (carrier, version, country, first_code),
  FOREIGN KEY (carrier, version) REFERENCES carrier_lists ON DELETE CASCADE
);

-- What carriers want: every version stays, because labels were bought by it.
CREATE TABLE rate_cards (
  carrier      text        NOT NULL,
  rate_card_id text        NOT NULL,
  version      bigint      NOT NULL,
  card         jsonb       NOT NULL,
  uploaded_at  timestamptz NOT NULL,
  uploaded_by  text        NOT NULL,
  PRIMARY KEY (carrier, rate_card_id, version)
);

-- What stores want of their carriers. Goals: 1 cheapest in time, 2 fastest, 3 cheapest.
CREATE TABLE shipping_rules (
  store_id   text        PRIMARY KEY,
  goal       smallint    NOT NULL,
  preferred  text[]      NOT NULL,
  never      text[]      NOT NULL,
  version    bigint      NOT NULL,
  updated_at timestamptz NOT NULL
);
