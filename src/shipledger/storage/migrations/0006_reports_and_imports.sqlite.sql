-- What each partner's lines amount to; '' stands for the operator's own. Kept by the batch that changes the lines.
CREATE TABLE partner_totals (
    partner TEXT NOT NULL,
    slot INTEGER NOT NULL,
    open_quantity INTEGER NOT NULL,
    open_orders INTEGER NOT NULL,
    lines_on_time INTEGER NOT NULL,
    lines_late INTEGER NOT NULL,
    numbers INTEGER NOT NULL,
    numbers_failed INTEGER NOT NULL,
    PRIMARY KEY (partner, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE imports (
    id INTEGER PRIMARY KEY,
    file TEXT NOT NULL,
    content TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    taken INTEGER NOT NULL,
    repeated INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    finished_at INTEGER,
    undone_at INTEGER
) STRICT;

-- What stands of what an import made: a row goes when its fulfillment is taken back.
CREATE TABLE imported_fulfillments (
    import_id INTEGER NOT NULL REFERENCES imports (id),
    fulfillment_id INTEGER NOT NULL REFERENCES fulfillments (id),
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (import_id, fulfillment_id)
) STRICT, WITHOUT ROWID;
