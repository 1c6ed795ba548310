-- What each partner's lines amount to; '' stands for the operator's own. Kept by the batch that changes the lines.
CREATE TABLE partner_totals (
    partner TEXT NOT NULL,
    slot INTEGER NOT NULL,
    open_quantity INTEGER NOT NULL,
    open_orders INTEGER NOT NULL,
    lines_on_time INTEGER NOT NULL,
    lines_late INTEGER NOT NULL,
    PRIMARY KEY (partner, slot)
) STRICT, WITHOUT ROWID;
