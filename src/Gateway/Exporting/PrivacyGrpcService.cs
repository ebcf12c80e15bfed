using Commerce.Gateway.Auditing;
using Commerce.Gateway.V1;
using Commerce.Gateway.Views;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Shipments.V1;
using Commerce.Types.V1;
using Grpc.Core;

namespace Commerce.Gateway.Exporting;

/// <summary>commerce.gateway.v1.PrivacyService.</summary>
internal sealed class PrivacyGrpcService(
    ErasureService.ErasureServiceClient customers,
    OrderService.OrderServiceClient orders,
    PaymentService.PaymentServiceClient payments,
    InvoiceService.InvoiceServiceClient invoices,
    TrackingService.TrackingServiceClient tracking,
    ExceptionService.ExceptionServiceClient exceptions,
    PartSources sources,
    AuditStore audit) : PrivacyService.PrivacyServiceBase
{
    private const int DefaultOnPage = 10;
    private const int MostOnPage = 50;
    private const int MostEvents = 500;

    public override async Task<ExportCustomerResponse> ExportCustomer(ExportCustomerRequest request, ServerCallContext context)
    {
        if (request.PageSize is < 0 or > MostOnPage)
            throw Failure.Invalid(new FieldError("page_size", $"Must be 0 (for {DefaultOnPage}) to {MostOnPage}."));
        var size = request.PageSize == 0 ? DefaultOnPage : request.PageSize;
        var after = PageToken.Decode(request);
        if (after is not null && !OrderId.TryParse(after, out _))
            throw PageToken.Invalid("It is not a token that this method gave out; leave it empty for the first page.");

        var found = await customers.FindCustomerOrdersAsync(
            new FindCustomerOrdersRequest { StoreId = request.StoreId, Customer = request.Customer }, cancellationToken: context.CancellationToken);
        // Oldest first, and Order IDs sort by their time: what is erased meanwhile is not missed.
        var left = found.Orders.Select(name => OrderId.TryParse(name["orders/".Length..], out var id) ? id : throw new InvalidOperationException($"{name} is no order's name."))
            .Where(id => after is null || (OrderId.TryParse(after, out var last) && id.Value > last.Value)).ToList();
        var response = new ExportCustomerResponse();
        foreach (var id in left.Take(size))
            response.Records.Add(await Record(id, context.CancellationToken));
        if (left.Count > size)
            response.NextPageToken = PageToken.Encode(request, left[size - 1].ToString());
        return response;
    }

    private async Task<CustomerRecord> Record(OrderId id, CancellationToken cancellationToken)
    {
        var record = new CustomerRecord { View = new LookupView { OrderId = id.ToString(), CodeKind = CodeKind.OrderId, Resource = $"orders/{id}" } };
        foreach (var kind in Part.Kinds)
        {
            // Not from a copy: what is told to whom it is about is what there is.
            var part = await sources.Ask(kind, id, cancellationToken)
                ?? throw new Failure(ErrorReason.DependencyUnavailable, $"The owner of {Part.NameOf(kind)} does not answer, and half of what is known is not told; try again.");
            record.View.MergeFrom(LookupView.Parser.ParseFrom(part.Copy(Visibility.Staff).Span));
            record.View.Version += part.Version;
        }

        record.Timeline = await orders.GetOrderTimelineAsync(new GetOrderTimelineRequest { Name = $"orders/{id}" }, cancellationToken: cancellationToken);
        record.Invoices.AddRange((await invoices.ListInvoicesAsync(new ListInvoicesRequest { OrderId = id.ToString() }, cancellationToken: cancellationToken)).Invoices);
        if (record.View.Payment is { } payment)
            record.Refunds.AddRange((await payments.ListRefundsAsync(new ListRefundsRequest { Parent = payment.Name, PageSize = 500 }, cancellationToken: cancellationToken)).Refunds);
        foreach (var parcel in record.View.Shipments.Where(parcel => parcel.DeliveredTime is not null && parcel.TrackingNumber.Length > 0))
        {
            if (await Proof(parcel, cancellationToken) is { } proof)
                record.ProofsOfDelivery.Add(proof);
        }

        foreach (var parcel in record.View.Shipments)
            record.Resolutions.AddRange((await exceptions.ListResolutionsAsync(new ListResolutionsRequest { Parent = parcel.Name }, cancellationToken: cancellationToken)).Resolutions);

        var events = await audit.Search("", $"orders/{id}", "", "", "", null, null, null, MostEvents, cancellationToken);
        record.AuditEvents.AddRange(events.Select(AuditGrpcService.ToProto));
        return record;
    }

    private async Task<ProofOfDelivery?> Proof(Shipment parcel, CancellationToken cancellationToken)
    {
        try
        {
            var proof = await tracking.GetProofOfDeliveryAsync(new GetProofOfDeliveryRequest { TrackingNumber = parcel.TrackingNumber }, cancellationToken: cancellationToken);
            // The number may be another parcel's by now.
            return proof.Shipment == parcel.Name ? proof : null;
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.NotFound)
        {
            return null;
        }
    }
}
