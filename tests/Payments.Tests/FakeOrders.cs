using Commerce.Orders.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Type;
using Grpc.Core;

namespace Commerce.Payments.Tests;

/// <summary>Orders, as far as documents ask it: any order has the same two lines.</summary>
internal static class FakeOrders
{
    public static Order Order(string orderId) => new()
    {
        Name = "orders/" + orderId,
        OrderId = orderId,
        StoreId = "main",
        Customer = new Types.V1.Contact { Name = "Ana Conceição", Email = "ana@example.com" },
        ShippingAddress = new PostalAddress { AddressLines = { "Rua das Flores 1842" }, PostalCode = "01310-100", Locality = "São Paulo", AdministrativeArea = "SP", RegionCode = "BR" },
        Lines =
        {
            new OrderLine { LineNumber = 1, Sku = "84945", Title = "Multi colour silver T-light holder", Quantity = 12, UnitPrice = Amount(85), Amount = Amount(1020) },
            new OrderLine { LineNumber = 2, Sku = "22191", Title = "Ivory diner wall clock", Quantity = 2, UnitPrice = Amount(850), Amount = Amount(1700) },
        },
        Adjustments = { new Adjustment { Label = "voucher SUMMER", Amount = Amount(-100) } },
        ShippingCharge = Amount(199),
        Subtotal = Amount(2720),
        Total = Amount(2819),
        CreateTime = Timestamp.FromDateTimeOffset(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero)),
    };

    private static Google.Type.Money Amount(long minor) => new Money(minor, "BRL").ToProto();

    internal sealed class Orders : OrderService.OrderServiceClient
    {
        /// <summary>What an order has come to by now.</summary>
        public Action<Order> Changed { get; set; } = _ => { };

        public override AsyncUnaryCall<Order> GetOrderAsync(GetOrderRequest request, Metadata? headers = null, System.DateTime? deadline = null, CancellationToken cancellationToken = default) =>
            Answer(Now(request.Name["orders/".Length..], request.MinVersion));

        public override AsyncUnaryCall<BatchGetOrdersResponse> BatchGetOrdersAsync(BatchGetOrdersRequest request, Metadata? headers = null, System.DateTime? deadline = null, CancellationToken cancellationToken = default) =>
            Answer(new BatchGetOrdersResponse { Orders = { request.Names.Select(name => Now(name["orders/".Length..])) } });

        private Order Now(string orderId, long version = 1)
        {
            var order = Order(orderId);
            order.Version = Math.Max(1, version);
            Changed(order);
            return order;
        }
    }

    internal sealed class Stores(int taxBasisPoints = 0, byte[]? logo = null) : StoreService.StoreServiceClient
    {
        public override AsyncUnaryCall<Store> GetStoreAsync(GetStoreRequest request, Metadata? headers = null, System.DateTime? deadline = null, CancellationToken cancellationToken = default) =>
            Answer(new Store
            {
                Name = request.Name,
                StoreId = request.Name["stores/".Length..],
                DisplayName = "Loja do Sol",
                CurrencyCode = "BRL",
                LanguageCode = "pt-BR",
                TimeZone = "America/Sao_Paulo",
                SenderEmail = "loja@example.com",
                Colour = "#2f6f4f",
                ShipFrom = new Types.V1.Place { Locality = "Ibitinga", AdministrativeArea = "SP", PostalCode = "14940-000", RegionCode = "BR" },
                TaxBasisPoints = taxBasisPoints,
                LogoImage = Google.Protobuf.ByteString.CopyFrom(logo ?? []),
            });
    }

    private static AsyncUnaryCall<T> Answer<T>(T message) =>
        new(Task.FromResult(message), Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
}
