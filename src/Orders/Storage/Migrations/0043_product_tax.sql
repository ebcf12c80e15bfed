-- The tax that an article's price includes, in hundredths of a percent; null: the store's.
ALTER TABLE products ADD COLUMN tax_basis_points integer CHECK (tax_basis_points BETWEEN 0 AND 10000);
