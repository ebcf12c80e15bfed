using Commerce.Orders.V1;
using Commerce.Types.V1;

namespace Commerce.SystemTests;

/// <summary>Orders as a shop sends them.</summary>
internal static class Shop
{
    public static PlaceOrderRequest Order(string email, string token = "tok_ok", int places = 1, string? externalId = null)
    {
        var request = new PlaceOrderRequest
        {
            RequestId = Guid.CreateVersion7().ToString(),
            ExternalId = externalId ?? "",
            StoreId = "main",
            CurrencyCode = "EUR",
            Customer = new Contact { Name = "Ada Example", Email = email, LanguageCode = "en-GB" },
            ShippingAddress = new Google.Type.PostalAddress
            {
                RegionCode = "DE",
                PostalCode = "10115",
                Locality = "Berlin",
                AddressLines = { "Beispielweg 1" },
                Recipients = { "Ada Example" },
            },
            ShippingCharge = Euro(4, 95),
        };
        for (var place = 0; place < places; place++)
        {
            request.Lines.Add(new OrderLine
            {
                Sku = $"lamp-{place}",
                Title = "Lamp",
                Quantity = 2,
                UnitPrice = Euro(10, 0),
                ShipFrom = new Place { LocationId = $"seller-{place}", Locality = "Hamburg", PostalCode = "20095", RegionCode = "DE" },
            });
        }

        request.PaymentParts.Add(new PaymentPart { Method = PaymentMethod.Card, Token = token, Amount = Euro(places * 20 + 4, 95), Instalments = 1 });
        return request;
    }

    public static Google.Type.Money Euro(long euros, int cents) => new() { CurrencyCode = "EUR", Units = euros, Nanos = cents * 10_000_000 };

    /// <summary>Somebody asks to give pieces of an order back, and the shop says yes.</summary>
    public static async Task<Return> Approved(this Suite suite, Order order, params (int Line, int Pieces)[] lines)
    {
        var asked = await suite.Returns.RequestReturnAsync(new RequestReturnRequest
        {
            Parent = order.Name,
            RequestId = Guid.NewGuid().ToString(),
            Lines = { lines.Select(line => new ReturnLine { LineNumber = line.Line, Quantity = line.Pieces, Reason = ReturnReason.ChangedMind }) },
        });
        return await suite.Returns.ApproveReturnAsync(new ApproveReturnRequest { Name = asked.Name, RequestId = Guid.NewGuid().ToString() });
    }

    /// <summary>All of it comes, as new.</summary>
    public static async Task<Return> Received(this Suite suite, Return one, bool refund) => await suite.Returns.ReceiveReturnAsync(new ReceiveReturnRequest
    {
        Name = one.Name,
        RequestId = Guid.NewGuid().ToString(),
        Refund = refund,
        Items = { one.Lines.Select(line => new ReceivedItem { LineNumber = line.LineNumber, Quantity = line.Quantity, Condition = ReturnCondition.AsNew }) },
    });
}
