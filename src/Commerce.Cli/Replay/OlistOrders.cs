using Commerce.Orders.V1;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;

namespace Commerce.Cli.Replay;

/// <summary>How an order of the data is told to the suite, and where it must end there.</summary>
internal static class OlistOrders
{
    public const string Store = "olist";
    public const string Currency = "BRL";

    private const string TimeZoneId = "America/Sao_Paulo";

    /// <summary>Where an order of the data must end.</summary>
    public static Ending EndingOf(OlistOrder order) => order.Status switch
    {
        "delivered" => Ending.Delivered,
        "shipped" => Ending.Shipped,
        "canceled" or "unavailable" => Ending.Cancelled,
        "created" => Ending.AwaitingPayment,
        // Approved, invoiced, in processing: paid, a label at most, and the carrier never had it.
        _ => Ending.Paid,
    };

    public static string JourneyEnd(Ending ending) => ending switch
    {
        Ending.Delivered => "DELIVERED",
        Ending.Shipped => "IN_TRANSIT",
        _ => "PRE_TRANSIT",
    };

    public static PlaceOrderRequest Request(OlistOrder order, OlistData data, string run, DateTimeOffset promise)
    {
        var request = new PlaceOrderRequest
        {
            RequestId = $"{run}-{order.Id}",
            ExternalId = ExternalId(order, run),
            StoreId = Store,
            CurrencyCode = Currency,
            // The data names nobody: the recipient is made from the customer's number, the place is the real one.
            Customer = new Contact { Name = $"Cliente {order.CustomerId[..8]}", Email = $"{order.CustomerId}@example.com", LanguageCode = "pt-BR" },
            ShippingAddress = new Google.Type.PostalAddress
            {
                RegionCode = "BR",
                PostalCode = order.PostalCode + "-000",
                Locality = order.City,
                AdministrativeArea = order.State,
                AddressLines = { $"Caixa postal {order.CustomerId[..6]}" },
                Recipients = { $"Cliente {order.CustomerId[..8]}" },
            },
            ShippingCharge = Reais(order.Items.Sum(item => item.Freight)),
            PromisedDeliveryTime = Timestamp.FromDateTimeOffset(promise),
        };

        foreach (var group in order.Items.GroupBy(item => (item.ProductId, item.SellerId, item.Price)))
        {
            var item = group.First();
            var product = data.Products[item.ProductId];
            request.Lines.Add(new OrderLine
            {
                Sku = product.Id,
                Title = product.Title,
                Quantity = group.Count(),
                UnitPrice = Reais(item.Price),
                PriceAgreed = true,
                Dimensions = new Dimensions { WeightGrams = product.WeightGrams, LengthMm = product.LengthMm, WidthMm = product.WidthMm, HeightMm = product.HeightMm },
                ShipFrom = new Place
                {
                    LocationId = item.SellerId,
                    Locality = item.SellerCity,
                    AdministrativeArea = item.SellerState,
                    PostalCode = item.SellerPostalCode + "-000",
                    RegionCode = "BR",
                },
            });
        }

        // Some cancelled and unavailable orders name no article any more: what was paid stands for it.
        if (order.Items.Count == 0)
            request.Lines.Add(new OrderLine { Sku = "not-listed", Title = "Article not listed in the data", Quantity = 1, UnitPrice = Reais(order.Paid), PriceAgreed = true });

        // What was paid beyond articles and freight: interest on instalments, or the cents of a rounding.
        var listed = order.Items.Count == 0 ? order.Paid : order.Items.Sum(item => item.Price + item.Freight);
        if (order.Paid != listed)
            request.Adjustments.Add(new Adjustment { Label = order.Paid > listed ? "instalment interest" : "rounding", Amount = Reais(order.Paid - listed) });

        var ending = EndingOf(order);
        foreach (var payment in order.Payments.Where(payment => payment.Amount > 0))
        {
            request.PaymentParts.Add(new PaymentPart
            {
                Method = Method(payment.Type),
                Token = ending == Ending.AwaitingPayment ? "tok_never" : "tok_ok",
                Amount = Reais(payment.Amount),
                Instalments = payment.Instalments,
            });
        }

        return request;
    }

    /// <summary>The store that the data's orders are of.</summary>
    public static Store StoreMessage() => new()
    {
        StoreId = Store,
        DisplayName = "Olist",
        OrderPrefix = "OLI",
        CurrencyCode = Currency,
        LanguageCode = "pt-BR",
        TimeZone = TimeZoneId,
        SenderEmail = "pedidos@olist.example",
        ShipFrom = new Place { Locality = "curitiba", AdministrativeArea = "PR", PostalCode = "80010-000", RegionCode = "BR" },
    };

    /// <summary>The order as a piece of history, with its own date and number.</summary>
    public static ImportedOrder Imported(OlistOrder order, OlistData data)
    {
        var request = Request(order, data, "history", DateTimeOffset.UnixEpoch);
        foreach (var part in request.PaymentParts)
            part.Token = "";
        var ending = EndingOf(order);
        var (state, payment, fulfilment) = StatesOf(ending);
        return new ImportedOrder
        {
            ExternalId = order.Id,
            PlaceTime = Timestamp.FromDateTimeOffset(Utc(order.PurchasedAt)),
            Customer = request.Customer,
            ShippingAddress = request.ShippingAddress,
            Lines = { request.Lines },
            Adjustments = { request.Adjustments },
            ShippingCharge = request.ShippingCharge,
            PaymentParts = { request.PaymentParts },
            CurrencyCode = Currency,
            State = state,
            PaymentState = payment,
            FulfilmentState = fulfilment,
            CancelReason = ending != Ending.Cancelled ? CancelReason.Unspecified : order.Status == "unavailable" ? CancelReason.Unavailable : CancelReason.Shopper,
        };
    }

    /// <summary>The three states of an order that ended so.</summary>
    public static (OrderState State, PaymentState Payment, FulfilmentState Fulfilment) StatesOf(Ending ending) => ending switch
    {
        Ending.Delivered => (OrderState.Completed, PaymentState.Paid, FulfilmentState.Delivered),
        Ending.Shipped => (OrderState.Open, PaymentState.Paid, FulfilmentState.Shipped),
        Ending.Paid => (OrderState.Open, PaymentState.Paid, FulfilmentState.Unfulfilled),
        Ending.AwaitingPayment => (OrderState.Open, PaymentState.Pending, FulfilmentState.Unfulfilled),
        _ => (OrderState.Cancelled, PaymentState.Refunded, FulfilmentState.Unfulfilled),
    };

    // The data has the clock of Brazil; an hour that summer time leaves out is the one after it.
    private static DateTimeOffset Utc(DateTime local)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(TimeZoneId);
        var time = zone.IsInvalidTime(local) ? local.AddHours(1) : local;
        return new DateTimeOffset(time, zone.GetUtcOffset(time)).ToUniversalTime();
    }

    /// <summary>Unique to this run, so that the same data can be replayed again.</summary>
    public static string ExternalId(OlistOrder order, string run) => $"{run}-{order.Id}";

    public static long Minor(Google.Type.Money? money) => money is null ? 0 : money.Units * 100 + money.Nanos / 10_000_000;

    public static Google.Type.Money Reais(long centavos) => new()
    {
        CurrencyCode = Currency,
        Units = centavos / 100,
        Nanos = (int)(centavos % 100) * 10_000_000,
    };

    private static PaymentMethod Method(string type) => type switch
    {
        "boleto" => PaymentMethod.Boleto,
        "voucher" => PaymentMethod.Voucher,
        "debit_card" => PaymentMethod.DebitCard,
        _ => PaymentMethod.Card,
    };
}

/// <summary>Where an order ends.</summary>
internal enum Ending
{
    Delivered,
    Shipped,
    Paid,
    AwaitingPayment,
    Cancelled,
}
