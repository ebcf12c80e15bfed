// Places an order, looks it up, and follows it to the door.
// COMMERCE_GATEWAY=http://localhost:8080 COMMERCE_TOKEN=… node dist/example.js
import { CommerceError, createCommerceClient, type Problem } from "./client.js";

const token = process.env["COMMERCE_TOKEN"];
const commerce = createCommerceClient({ baseUrl: process.env["COMMERCE_GATEWAY"] ?? "http://localhost:8080", ...(token ? { token } : {}) });

function answered<T>({ data, error }: { data?: T; error?: unknown }): T {
  if (data === undefined) throw new CommerceError(error as Problem);
  return data;
}

const order = answered(
  await commerce.POST("/v1/orders", {
    body: {
      storeId: "main",
      customer: { name: "Ada Example", email: "ada@example.com" },
      shippingAddress: { regionCode: "GB", postalCode: "SW1A 1AA", locality: "London", addressLines: ["1 Example Street"], recipients: ["Ada Example"] },
      currencyCode: "GBP",
      lines: [{ sku: "84945", title: "T-light holder", quantity: 12, unitPrice: { currencyCode: "GBP", units: "0", nanos: 850_000_000 } }],
      paymentParts: [{ method: "PAYMENT_METHOD_CARD", token: "tok_ok", amount: { currencyCode: "GBP", units: "10", nanos: 200_000_000 } }],
    },
  }),
);
console.log(`placed ${order.orderId}`);

// An order moves on by itself; a store is still what it was.
const read = await commerce.GET("/v1/stores/{store}", { params: { path: { store: "main" } } });
const again = await commerce.GET("/v1/stores/{store}", {
  params: { path: { store: "main" }, header: { "If-None-Match": read.response.headers.get("ETag")! } },
  parseAs: "text",
});
console.log(`read ${read.response.status}, and again ${again.response.status}`);

const { error } = await commerce.GET("/v1/lookup/{code}", { params: { path: { code: "no-such-code" } } });
console.log(`refused ${error!.reason}`);

const view = answered(await commerce.GET("/v1/lookup/{code}", { params: { path: { code: order.orderId! } } }));
console.log(`found ${view.codeKind} ${view.order?.orderId}`);

const enough = AbortSignal.timeout(120_000);
for await (const change of commerce.watchLookup(order.orderId!, { signal: enough })) {
  console.log(`version ${change.version}: ${change.order?.paymentState} ${change.order?.fulfilmentState}`);
  if (change.order?.paymentState === "PAYMENT_STATE_PAID") break;
}
if (enough.aborted) throw new Error("Nobody paid in time.");
console.log("followed");
