CREATE TABLE shelf (id integer PRIMARY KEY, note text NOT NULL DEFAULT $note$a; dollar $quoted$ text$note$);
INSERT INTO shelf (id) VALUES (1);
DO $$ BEGIN PERFORM pg_sleep(0.3); END $$;
