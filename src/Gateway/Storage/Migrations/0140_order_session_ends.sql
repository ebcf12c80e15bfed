-- How often the sessions that shoppers opened with something were ended: 'email' (and links, which are sent to one), 'phone' and
-- 'postal_code' of the order when that is another now, 'all' by staff and by an erasure. A session says what was counted when it was
-- opened, and is over when more is. order_version: of the order's change that ended them, so that a fact that comes twice ends them once.
CREATE TABLE order_session_ends (
  order_id       text        NOT NULL,
  opened_with    text        NOT NULL CHECK (opened_with IN ('all', 'email', 'phone', 'postal_code')),
  generation     bigint      NOT NULL,
  order_version  bigint      NOT NULL,
  -- Links that were signed until then are over, too.
  links_until    timestamptz,
  told_at        timestamptz NOT NULL,
  PRIMARY KEY (order_id, opened_with)
);

CREATE INDEX order_session_ends_told ON order_session_ends (told_at);
