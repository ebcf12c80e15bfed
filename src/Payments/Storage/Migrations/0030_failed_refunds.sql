-- That a refund failed for good is told, once. Of those that failed before there was such a fact nobody is told any more.
ALTER TABLE refunds ADD COLUMN failure_told boolean NOT NULL DEFAULT false;
UPDATE refunds r SET failure_told = true
WHERE EXISTS (SELECT FROM refund_pieces p WHERE p.order_id = r.order_id AND p.refund_number = r.refund_number AND p.state = 4);
