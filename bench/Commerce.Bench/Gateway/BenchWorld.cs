using System.Collections.Concurrent;
using Commerce.Notifications.V1;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.Shipments.V1;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Type;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;

namespace Commerce.Bench.Gateway;

/// <summary>
/// Services that know every order, and of each the same: two lines, a captured payment, invoice and receipt, a parcel with five scans, three
/// messages. Only the order's version changes, where a bench says so.
/// </summary>
internal static class BenchWorld
{
    private static readonly Timestamp Then = Timestamp.FromDateTimeOffset(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    private static readonly ConcurrentDictionary<string, long> Versions = new();

    public static void Map(WebApplication app)
    {
        app.MapGrpcService<OrdersPeer>();
        app.MapGrpcService<ReturnsPeer>();
        app.MapGrpcService<PaymentsPeer>();
        app.MapGrpcService<InvoicesPeer>();
        app.MapGrpcService<ShipmentsPeer>();
        app.MapGrpcService<NotificationsPeer>();
    }

    /// <summary>The order has a version more.</summary>
    public static long Advance(string id) => Versions.AddOrUpdate(id, 2, (_, version) => version + 1);

    private static Google.Type.Money Euro(long units) => new() { CurrencyCode = "EUR", Units = units };

    private static Order OrderOf(string id) => new()
    {
        Name = $"orders/{id}",
        OrderId = id,
        StoreId = "main",
        ExternalId = "web-100042",
        State = OrderState.Open,
        PaymentState = PaymentState.Paid,
        FulfilmentState = FulfilmentState.Shipped,
        Headline = Headline.Shipped,
        Customer = new Contact { Name = "Ada Example", Email = "ada@example.com", Phone = "+442079460000", LanguageCode = "en-GB" },
        ShippingAddress = new PostalAddress { RegionCode = "GB", PostalCode = "SW1A 1AA", Locality = "London", AddressLines = { "1 Example Street" } },
        Lines =
        {
            new OrderLine { LineNumber = 1, Sku = "A-0001", Title = "Silver T-light holder", Quantity = 2, UnitPrice = Euro(10), Amount = Euro(20) },
            new OrderLine { LineNumber = 2, Sku = "A-0501", Title = "White lantern", Quantity = 1, UnitPrice = Euro(10), Amount = Euro(10) },
        },
        Subtotal = Euro(30),
        Total = Euro(30),
        PaymentParts = { new PaymentPart { Method = PaymentMethod.Card, Token = "tok_ok", Amount = Euro(30), Instalments = 1 } },
        CreateTime = Then,
        UpdateTime = Then,
        // Two places in the code of a varint, so that answers are equally long whatever the version.
        Version = 1000 + Versions.GetValueOrDefault(id, 1),
        Etag = "\"1\"",
    };

    private sealed class OrdersPeer : OrderService.OrderServiceBase
    {
        public override Task<Order> GetOrder(GetOrderRequest request, ServerCallContext context) => Task.FromResult(OrderOf(request.Name["orders/".Length..]));

        public override Task<Order> PlaceOrder(PlaceOrderRequest request, ServerCallContext context) => Task.FromResult(OrderOf(request.RequestId));

        public override Task<ListOrdersResponse> ListOrders(ListOrdersRequest request, ServerCallContext context) =>
            Task.FromResult(new ListOrdersResponse { Orders = { Enumerable.Range(0, request.PageSize).Select(n => OrderOf($"ORD-{n}")) } });
    }

    private sealed class ReturnsPeer : ReturnService.ReturnServiceBase
    {
        public override Task<ListReturnsResponse> ListReturns(ListReturnsRequest request, ServerCallContext context) =>
            Task.FromResult(new ListReturnsResponse { OrderVersion = 1000 + Versions.GetValueOrDefault(request.OrderId, 1) });
    }

    private sealed class PaymentsPeer : PaymentService.PaymentServiceBase
    {
        public override Task<Payment> GetPayment(GetPaymentRequest request, ServerCallContext context) => Task.FromResult(new Payment
        {
            Name = request.Name,
            OrderId = request.Name["payments/".Length..],
            StoreId = "main",
            State = Payment.Types.State.Captured,
            Amount = Euro(30),
            CapturedAmount = Euro(30),
            RefundedAmount = Euro(0),
            Parts = { new Payment.Types.Part { PartNumber = 1, Method = "CARD", Amount = Euro(30), State = Payment.Types.State.Captured, Provider = "sandbox", ProviderReference = "pay_1" } },
            CreateTime = Then,
            UpdateTime = Then,
            Version = 2,
        });
    }

    private sealed class InvoicesPeer : InvoiceService.InvoiceServiceBase
    {
        public override Task<ListInvoicesResponse> ListInvoices(ListInvoicesRequest request, ServerCallContext context)
        {
            Invoice Document(string number, Invoice.Types.Kind kind) => new()
            {
                Name = $"invoices/main.{number}",
                Number = number,
                Kind = kind,
                StoreId = "main",
                OrderId = request.OrderId,
                IssueTime = Then,
                Total = Euro(30),
                StoreName = "Main",
                CustomerName = "Ada Example",
                Lines = { new Invoice.Types.Line { Sku = "A-0001", Title = "Silver T-light holder", Quantity = 2, UnitPrice = Euro(10), Amount = Euro(20) } },
            };
            return Task.FromResult(new ListInvoicesResponse { Invoices = { Document("INV-2026-000042", Invoice.Types.Kind.Invoice), Document("REC-2026-000042", Invoice.Types.Kind.Receipt) } });
        }
    }

    private sealed class ShipmentsPeer : ShipmentService.ShipmentServiceBase
    {
        public override Task<ListShipmentsResponse> ListShipments(ListShipmentsRequest request, ServerCallContext context) => Task.FromResult(new ListShipmentsResponse
        {
            Shipments =
            {
                new Shipment
                {
                    Name = "shipments/6d3f0c1e2b4a49f5a1b2c3d4e5f60718", ShipmentId = "6d3f0c1e2b4a49f5a1b2c3d4e5f60718", OrderId = request.OrderId, StoreId = "main", Carrier = "ups", Service = "ground",
                    TrackingNumber = "1Z12345E0205271688", Status = TrackingStatus.InTransit, StatusTime = Then, CreateTime = Then, UpdateTime = Then, Version = 9,
                    ShipTo = new PostalAddress { RegionCode = "GB", PostalCode = "SW1A 1AA", Locality = "London", AddressLines = { "1 Example Street" } },
                    Lines = { new ShipmentLine { LineNumber = 1, Sku = "A-0001", Title = "Silver T-light holder", Quantity = 2 } },
                    Scans =
                    {
                        Enumerable.Range(0, 5).Select(n => new Scan
                        {
                            ScanId = $"scan-{n}", Status = TrackingStatus.InTransit, CarrierCode = "AR", Description = "Arrived at facility", Time = Then, LocalTime = "2026-01-02T03:04:05+00:00",
                            Place = new Place { Locality = "London", RegionCode = "GB" }, Source = "webhook", ReceivedTime = Then, Reporter = "ups",
                        }),
                    },
                },
            },
        });
    }

    private sealed class NotificationsPeer : NotificationService.NotificationServiceBase
    {
        public override Task<ListNotificationsResponse> ListNotifications(ListNotificationsRequest request, ServerCallContext context) => Task.FromResult(new ListNotificationsResponse
        {
            Notifications =
            {
                Enumerable.Range(1, 3).Select(n => new Notification
                {
                    Name = $"notifications/{n}", OrderId = request.OrderId, Kind = (Notification.Types.Kind)n, Channel = "email", State = Notification.Types.State.Sent, CreateTime = Then, SendTime = Then, Attempts = 1,
                }),
            },
        });
    }
}
