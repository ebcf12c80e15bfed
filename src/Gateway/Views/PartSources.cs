using System.Globalization;
using Commerce.Gateway.V1;
using Commerce.Notifications.V1;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.Shipments.V1;
using Grpc.Core;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Views;

/// <summary>The services that own the parts of a view.</summary>
internal sealed partial class PartSources(
    OrderService.OrderServiceClient orders,
    ReturnService.ReturnServiceClient returns,
    PaymentService.PaymentServiceClient payments,
    InvoiceService.InvoiceServiceClient invoices,
    ShipmentService.ShipmentServiceClient shipments,
    NotificationService.NotificationServiceClient notifications,
    RedisLink link,
    IOptions<GatewayOptions> options,
    TimeProvider time,
    ILogger<PartSources> logger)
{
    private const int PageSize = 500;

    /// <summary>Asks the owner of one part, which may be absent; null: it does not answer.</summary>
    public async Task<Part?> Ask(PartKind kind, OrderId id, CancellationToken cancellationToken)
    {
        // Taken before the service is asked: a mark that is lost while it answers begins an epoch that this copy is not of.
        var epoch = link.Epoch;
        // All pages together. Deadlines are told to the other end of a wire, so they run on the system's clock even where a test sets the Gateway's.
        var call = new CallOptions(deadline: TimeProvider.System.GetUtcNow().UtcDateTime + options.Value.SourceTimeout, cancellationToken: cancellationToken);
        try
        {
            var (fields, version, has, index) = await Ask(kind, id.ToString(), call);
            return Part.Of(kind, fields, version, has, index, time.GetUtcNow(), epoch);
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.NotFound)
        {
            return Part.Absent(kind, time.GetUtcNow(), epoch);
        }
        catch (Exception exception) when (exception is RpcException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            LogDown(Part.NameOf(kind), exception is RpcException rpc ? rpc.StatusCode : StatusCode.DeadlineExceeded);
            return null;
        }
    }

    private Task<(LookupView Fields, long Version, string Has, string Index)> Ask(PartKind kind, string id, CallOptions call) => kind switch
    {
        PartKind.Order => AskOrder(id, call),
        PartKind.Returns => AskReturns(id, call),
        PartKind.Payment => AskPayment(id, call),
        PartKind.Documents => AskDocuments(id, call),
        PartKind.Shipments => AskShipments(id, call),
        _ => AskNotifications(id, call),
    };

    private async Task<(LookupView, long, string, string)> AskOrder(string id, CallOptions call)
    {
        var order = await orders.GetOrderAsync(new GetOrderRequest { Name = $"orders/{id}" }, call);
        return (new LookupView { Order = order }, order.Version, Has([(PartKeys.Order, order.Version)]), PartIndex.Of(order));
    }

    private async Task<(LookupView, long, string, string)> AskReturns(string id, CallOptions call)
    {
        var fields = new LookupView();
        var request = new ListReturnsRequest { OrderId = id, PageSize = PageSize };
        var upTo = long.MaxValue;
        do
        {
            var page = await returns.ListReturnsAsync(request, call);
            upTo = Math.Min(upTo, page.OrderVersion);
            fields.Returns.AddRange(page.Returns);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return (fields, fields.Returns.Sum(one => one.Version), Has([(PartKeys.Order, upTo), .. fields.Returns.Select(one => (one.Name, one.Version))]), PartIndex.Of(fields.Returns));
    }

    private async Task<(LookupView, long, string, string)> AskPayment(string id, CallOptions call)
    {
        var payment = await payments.GetPaymentAsync(new GetPaymentRequest { Name = $"payments/{id}" }, call);
        // No version tells when that changes, so a view would keep what is over.
        payment.Settled = false;
        return (new LookupView { Payment = payment }, payment.Version, Has([(PartKeys.Payment, payment.Version)]), "");
    }

    private async Task<(LookupView, long, string, string)> AskDocuments(string id, CallOptions call)
    {
        // The documents of an order are one page.
        var list = await invoices.ListInvoicesAsync(new ListInvoicesRequest { OrderId = id }, call);
        var fields = new LookupView
        {
            Documents =
            {
                list.Invoices.Select(one => new Document
                {
                    Name = one.Name, Number = one.Number, Kind = one.Kind, IssueTime = one.IssueTime, Total = one.Total, CorrectedNumber = one.CorrectedNumber,
                }),
            },
        };
        return (fields, fields.Documents.Count, Has([(PartKeys.Documents, fields.Documents.Count)]), "");
    }

    private async Task<(LookupView, long, string, string)> AskShipments(string id, CallOptions call)
    {
        var fields = new LookupView();
        var request = new ListShipmentsRequest { OrderId = id, PageSize = PageSize };
        do
        {
            var page = await shipments.ListShipmentsAsync(request, call);
            fields.Shipments.AddRange(page.Shipments);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return (fields, fields.Shipments.Sum(one => one.Version), Has(fields.Shipments.Select(one => (one.ShipmentId, one.Version))), PartIndex.Of(fields.Shipments));
    }

    private async Task<(LookupView, long, string, string)> AskNotifications(string id, CallOptions call)
    {
        var fields = new LookupView();
        var request = new ListNotificationsRequest { OrderId = id, PageSize = PageSize };
        do
        {
            var page = await notifications.ListNotificationsAsync(request, call);
            // A fact tells of those that are settled; of the others nobody would hear.
            fields.Notifications.AddRange(page.Notifications.Where(one => one.State != Notification.Types.State.Pending));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return (fields, fields.Notifications.Count, Has(fields.Notifications.Select(one => (PartKeys.OfNotification(one.Name), 1L))), "");
    }

    private static string Has(IEnumerable<(string Key, long Version)> versions) =>
        string.Join(',', versions.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Key}={one.Version}")));

    [LoggerMessage(LogLevel.Warning, "The owner of the part {Part} did not answer: {Code}.")]
    private partial void LogDown(string part, StatusCode code);
}

/// <summary>What the versions in a part are called, by those who read it and those who tell of changes.</summary>
internal static class PartKeys
{
    public const string Order = "order";
    public const string Payment = "payment";
    public const string Documents = "documents";

    private const string Notifications = "notifications/";

    public static string OfNotification(string name) => name.StartsWith(Notifications, StringComparison.Ordinal) ? name[Notifications.Length..] : name;

    /// <summary>The part and the key of a resource's name, null if there is none.</summary>
    public static (PartKind Kind, string Key)? OfResource(string name) => name.Split('/') switch
    {
        ["orders", { Length: > 0 }] => (PartKind.Order, Order),
        ["orders", { Length: > 0 }, "returns", { Length: > 0 }] => (PartKind.Returns, name),
        ["payments", { Length: > 0 }] => (PartKind.Payment, Payment),
        ["shipments", { Length: > 0 } id] => (PartKind.Shipments, id),
        _ => null,
    };
}
