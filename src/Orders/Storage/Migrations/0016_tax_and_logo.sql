-- The tax that a store's prices include, in hundredths of a percent, and the picture that its documents show.
ALTER TABLE stores ADD COLUMN tax_basis_points integer NOT NULL DEFAULT 0 CHECK (tax_basis_points BETWEEN 0 AND 10000);
ALTER TABLE stores ADD COLUMN logo_image bytea NOT NULL DEFAULT '' CHECK (length(logo_image) <= 65536);
