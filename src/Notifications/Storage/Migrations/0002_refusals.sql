-- How often the mail server refused a message "for good": it is believed only when it has done so several times.
ALTER TABLE notifications ADD COLUMN refusals integer NOT NULL DEFAULT 0;
