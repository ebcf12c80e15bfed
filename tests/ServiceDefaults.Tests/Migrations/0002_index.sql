-- no transaction
CREATE INDEX CONCURRENTLY shelf_note ON shelf (note);
