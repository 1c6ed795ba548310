"""The published data sets, copied where an import may write beside them, and what is in each: counted, not guessed."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

MALFORMED = "another number of fields than the header has (is a text with the delimiter in it not quoted?)"
HEADER_REJECTED = "the row of its order was rejected: "
NO_HEADER = "no row of the orders file has this order number"
CANCELLATION = "a cancellation invoice"
CANCELLED = "the order is cancelled"
NO_LINES = "the order has no line that could be taken"
TOO_LITTLE = "the quantity is below 1"
NO_SKU = "no sku"


@dataclass(frozen=True)
class RealFile:
    """Files of one import, and how many rows and orders of them are taken and rejected."""

    files: tuple[str, ...]
    rows: int
    taken: int
    orders: int
    orders_rejected: int
    reasons: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.files[0]

    def copied(self, shared_data: Path, folder: Path) -> list[str | Path]:
        """The arguments of an import of copies of the files."""
        for name in self.files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(shared_data / name, folder / name)
        orders, *lines = (folder / name for name in self.files)
        return [orders, *(argument for path in lines for argument in ("--lines", path))]


NORTHWIND = RealFile(
    ("northwind/orders.csv", "northwind/order-details.csv"),
    830 + 2_155, 654 + 1_716, 654, 176, {HEADER_REJECTED + MALFORMED: 439, MALFORMED: 176},
)  # fmt: skip
REAL_FILES = (
    NORTHWIND,
    RealFile(("online_retail/2010-12-01.csv",), 3_108, 3_081, 136, 7, {CANCELLATION: 26, TOO_LITTLE: 1}),
    RealFile(("online_retail/2011-12-09.csv",), 1_632, 1_625, 44, 5, {CANCELLATION: 7}),
    RealFile(("adventureworks/SalesOrderHeader.csv", "adventureworks/SalesOrderDetail.csv"), 32 + 542, 32 + 542, 32, 0),
    RealFile(
        ("adventureworks/SalesOrderHeader.iso.csv", "adventureworks/SalesOrderDetail.iso.csv"),
        20 + 542,
        20 + 338,
        20,
        0,
        {NO_HEADER: 204},
    ),
    RealFile(("northwind/order-details.csv",), 2_155, 2_155, 830, 0),
    RealFile(("shopify/go_order.json",), 2, 0, 0, 1, {CANCELLED: 2}),
    RealFile(("shopify/go_order_with_transaction.json",), 2, 0, 0, 1, {CANCELLED: 2}),
    RealFile(("shopify/go_orders.json",), 2, 0, 0, 1, {CANCELLED: 2}),
    RealFile(("shopify/pyapi_order.json",), 3, 3, 1, 0),
    RealFile(("shopify/pyapi_orders.json",), 1, 0, 0, 1, {NO_LINES: 1}),
    RealFile(("woocommerce/order_01.json",), 2, 1, 1, 0, {NO_SKU: 1}),
    RealFile(("woocommerce/order_02.json",), 2, 1, 1, 0, {NO_SKU: 1}),
    RealFile(("woocommerce/order_03.json",), 4, 1, 1, 1, {NO_SKU: 3}),
    RealFile(("woocommerce/order_04.json",), 2, 1, 1, 0, {NO_SKU: 1}),
    RealFile(("woocommerce/order_05.json",), 2, 1, 1, 0, {NO_SKU: 1}),
    RealFile(("woocommerce/order_06.json",), 9, 3, 3, 1, {NO_SKU: 4, "the order was deleted": 2}),
)
NO_ORDERS = (
    *("shopify/go_fulfillment.json", "shopify/go_fulfillment_order.json", "shopify/pyapi_draft_orders.json"),
    *("shopify/pyapi_locations.json", "woocommerce/webhook_01.json", "woocommerce/webhook_03.json"),
    "northwind/products.csv",
)
