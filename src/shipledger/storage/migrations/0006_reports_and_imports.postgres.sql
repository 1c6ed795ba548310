-- What each partner's lines amount to; '' stands for the operator's own. Kept by the batch that changes the lines.
-- The totals are the sums over slots: a writer adds to the rows of its slot.
CREATE TABLE partner_totals (
    partner text COLLATE "C" NOT NULL,
    slot integer NOT NULL,
    open_quantity bigint NOT NULL,
    open_orders bigint NOT NULL,
    lines_on_time bigint NOT NULL,
    lines_late bigint NOT NULL,
    numbers bigint NOT NULL,
    numbers_failed bigint NOT NULL,
    PRIMARY KEY (partner, slot)
) WITH (fillfactor = 50);

CREATE TABLE imports (
    id bigint PRIMARY KEY,
    file text NOT NULL,
    content text NOT NULL,
    created_at bigint NOT NULL,
    rows bigint NOT NULL,
    taken bigint NOT NULL,
    repeated bigint NOT NULL,
    rejected bigint NOT NULL,
    finished_at bigint,
    undone_at bigint
);

-- What stands of what an import made: a row goes when its fulfillment is taken back.
CREATE TABLE imported_fulfillments (
    import_id bigint NOT NULL REFERENCES imports (id),
    fulfillment_id bigint NOT NULL REFERENCES fulfillments (id),
    account text NOT NULL,
    key text NOT NULL,
    PRIMARY KEY (import_id, fulfillment_id)
);
