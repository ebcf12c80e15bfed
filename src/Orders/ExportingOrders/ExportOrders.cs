using System.Buffers;
using System.Globalization;
using Commerce.Orders.Checking;
using Commerce.Orders.FindingOrders;
using Commerce.Orders.Storage;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;

namespace Commerce.Orders.ExportingOrders;

/// <summary>
/// Writes orders as CSV, oldest first, so that one placed meanwhile comes at the end. Page by page: the memory that it needs
/// does not grow with the orders, and a slow reader holds no transaction open.
/// </summary>
public sealed class ExportOrders(SearchOrders search, OrderReader orders)
{
    private const int Page = 500;
    private const int Chunk = 64 * 1024;

    private static readonly string[] Columns =
    [
        "order_id", "external_id", "store_id", "create_time", "update_time", "state", "payment_state", "fulfilment_state", "cancel_reason",
        "customer_name", "customer_email", "customer_phone", "recipients", "organization", "address", "locality", "administrative_area", "postal_code", "region_code",
        "lines", "pieces", "currency", "subtotal", "shipping_charge", "adjustments", "total", "carriers", "tracking_numbers",
    ];

    /// <summary>What is to be exported, checked before anything is written.</summary>
    /// <exception cref="Failure">INVALID_FIELD, ORDER_ID_MISTYPED, STORE_NOT_FOUND.</exception>
    internal async Task<PreparedQuery> Prepare(OrderFilter? filter, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        var query = OrderQuery.Check(filter, errors);
        errors.ThrowIfAny();
        return await search.Prepare(query, cancellationToken);
    }

    /// <summary>Writes the header and a line for each order, in pieces that are whole lines.</summary>
    internal async Task Write(PreparedQuery query, Func<ReadOnlyMemory<byte>, Task> write, CancellationToken cancellationToken)
    {
        var buffer = new ArrayBufferWriter<byte>(2 * Chunk);
        var csv = new CsvRow(buffer);
        foreach (var column in Columns)
            csv.Plain(column);
        csv.End();

        OrderPosition? after = null;
        do
        {
            var page = await search.Page(query, OrderSort.Oldest, after, Page, cancellationToken);
            var found = await orders.Find([.. page.Found.Select(position => position.OrderId)], cancellationToken);
            foreach (var position in page.Found)
            {
                Write(csv, found[position.OrderId]);
                if (buffer.WrittenCount >= Chunk)
                    await Flush();
            }

            after = page.Next;
        }
        while (after is not null);
        await Flush();

        async Task Flush()
        {
            if (buffer.WrittenCount == 0)
                return;
            await write(buffer.WrittenMemory);
            buffer.ResetWrittenCount();
        }
    }

    private static void Write(CsvRow csv, V1.Order order)
    {
        var to = order.ShippingAddress;
        var currency = order.Total.CurrencyCode;
        csv.Plain(order.OrderId).Text(order.ExternalId).Plain(order.StoreId)
            .Plain(Time(order.CreateTime)).Plain(Time(order.UpdateTime))
            .Plain(FactName.Of(order.State)).Plain(FactName.Of(order.PaymentState)).Plain(FactName.Of(order.FulfilmentState))
            .Plain(order.Cancellation is null ? "" : FactName.Of(order.Cancellation.Reason))
            .Text(order.Customer.Name).Text(order.Customer.Email).Text(order.Customer.Phone)
            .Text(string.Join("; ", to.Recipients)).Text(to.Organization).Text(string.Join(", ", to.AddressLines))
            .Text(to.Locality).Text(to.AdministrativeArea).Text(to.PostalCode).Text(to.RegionCode)
            .Text(string.Join("; ", order.Lines.Select(line => string.Create(CultureInfo.InvariantCulture, $"{line.Quantity} x {line.Sku} {line.Title}"))))
            .Plain(order.Lines.Sum(line => (long)line.Quantity).ToString(CultureInfo.InvariantCulture))
            .Plain(currency).Plain(Amount(order.Subtotal)).Plain(Amount(order.ShippingCharge))
            .Plain(Amount(order.Adjustments.Aggregate(Money.Zero(currency), (sum, adjustment) => sum + Read(adjustment.Amount)).ToProto())).Plain(Amount(order.Total))
            .Text(string.Join("; ", order.Parcels.Select(parcel => parcel.Carrier).Where(carrier => carrier.Length > 0).Distinct()))
            .Text(string.Join("; ", order.Parcels.Select(parcel => parcel.TrackingNumber).Where(number => number.Length > 0)))
            .End();
    }

    private static string Time(Google.Protobuf.WellKnownTypes.Timestamp time) =>
        time.ToDateTimeOffset().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static Money Read(Google.Type.Money money) => money.TryToMoney(out var read, out var error) ? read : throw new InvalidOperationException(error);

    // The number alone: the currency has a column of its own.
    private static string Amount(Google.Type.Money money) => Read(money).ToString().Split(' ')[0];
}
