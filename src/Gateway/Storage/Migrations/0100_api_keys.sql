-- The keys of shops' systems. Of a secret there is only its SHA-256: it is 256 random bits, which nobody finds by trying, so a
-- slow hash would guard nothing and cost every call. former_hash is good until former_until.
CREATE TABLE api_keys (
  id            text PRIMARY KEY,
  display_name  text NOT NULL,
  store_ids     text[] NOT NULL CHECK (cardinality(store_ids) > 0),
  scopes        text[] NOT NULL CHECK (cardinality(scopes) > 0),
  secret_hash   bytea NOT NULL CHECK (length(secret_hash) = 32),
  former_hash   bytea,
  former_until  timestamptz,
  created_at    timestamptz NOT NULL,
  created_by    text NOT NULL,
  expires_at    timestamptz,
  last_used_at  timestamptz,
  revoked_at    timestamptz,
  revoked_by    text
);

CREATE INDEX api_keys_by_age ON api_keys (created_at DESC, id DESC);
