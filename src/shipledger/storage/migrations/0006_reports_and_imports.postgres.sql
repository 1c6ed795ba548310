-- What each partner's lines amount to; '' stands for the operator's own. Kept by the batch that changes the lines.
-- The totals are the sums over slots: a writer adds to the rows of its slot.
CREATE TABLE partner_totals (
    partner text COLLATE "C" NOT NULL,
    slot integer NOT NULL,
    open_quantity bigint NOT NULL,
    open_orders bigint NOT NULL,
    lines_on_time bigint NOT NULL,
    lines_late bigint NOT NULL,
    PRIMARY KEY (partner, slot)
) WITH (fillfactor = 50);
