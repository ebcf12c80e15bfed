-- Where the shopper has to go before the provider decides; null: nowhere, or no more.
ALTER TABLE payment_parts ADD COLUMN next_action_url text;
