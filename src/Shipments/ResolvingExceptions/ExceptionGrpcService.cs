using System.Globalization;
using Commerce.Messaging;
using Commerce.ServiceDefaults;
using Commerce.Shipments.FindingShipments;
using Commerce.Shipments.Storage;
using Commerce.Shipments.V1;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Npgsql;
using Severity = Commerce.Shipments.V1.ExceptionReport.Types.Severity;

namespace Commerce.Shipments.ResolvingExceptions;

/// <summary>Parcels that need somebody, and what is done about them.</summary>
internal sealed class ExceptionGrpcService(ShipmentStore store, NpgsqlDataSource database, BeginResolution begin) : ExceptionService.ExceptionServiceBase
{
    private const int MostOnPage = 500;
    private const int DefaultOnPage = 50;

    public override async Task<ListExceptionsResponse> ListExceptions(ListExceptionsRequest request, ServerCallContext context)
    {
        if (request.StoreId.Length == 0)
            throw Failure.Invalid(new FieldError("store_id", "Give the store whose parcels are meant, for example \"main\"."));
        if (!System.Enum.IsDefined(request.MinSeverity))
            throw Failure.Invalid(new FieldError("min_severity", "Is not a severity that is known here."));
        var size = request.PageSize switch
        {
            0 => DefaultOnPage,
            >= 1 and <= MostOnPage => request.PageSize,
            _ => throw Failure.Invalid(new FieldError("page_size", $"Give 1 to {MostOnPage}, or 0 for {DefaultOnPage}.")),
        };
        var found = await store.Select(
            ShipmentQuery.Worst(request.StoreId, (short)request.MinSeverity, After(PageToken.Decode(request)), size + 1), context.CancellationToken);
        var page = found.Take(size).Select(one => one.Shipment).ToList();
        var resolutions = await ResolutionStore.Of(database, [.. page.Select(one => one.Id)], context.CancellationToken);
        var response = new ListExceptionsResponse();
        response.Exceptions.Add(page.Select(one => ReportOf(one, resolutions[one.Id])));
        if (found.Count > size)
        {
            var last = page[^1];
            response.NextPageToken = PageToken.Encode(request, string.Create(
                CultureInfo.InvariantCulture, $"{(short)Severities.Of(last.Exception!.Kind, last.Tracking)} {last.Exception.At.UtcTicks} {last.PublicId}"));
        }

        return response;
    }

    public override async Task<V1.Resolution> ResolveException(ResolveExceptionRequest request, ServerCallContext context) =>
        MessageOf(await begin.Begin(ShipmentMessage.IdOf(request.Name), request, RequestKey.For(context, request.RequestId, request), context.CancellationToken));

    public override async Task<V1.Resolution> GetResolution(GetResolutionRequest request, ServerCallContext context)
    {
        if (request.Name.Split('/') is not ["shipments", var id, "resolutions", var digits] || !Guid.TryParseExact(id, "N", out var shipment)
            || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            throw Failure.Invalid(new FieldError("name", "Give \"shipments/{shipment_id}/resolutions/{number}\"."));
        var found = await store.Find(shipment, context.CancellationToken) is null
            ? null
            : (await ResolutionStore.Of(database, [shipment], context.CancellationToken))[shipment].FirstOrDefault(one => one.Number == number);
        return found is null ? throw new Failure(ErrorReason.ResolutionNotFound, $"Nothing of number {number} was done about shipment {shipment:N}.") : MessageOf(found);
    }

    public override async Task<ListResolutionsResponse> ListResolutions(ListResolutionsRequest request, ServerCallContext context)
    {
        var id = ShipmentMessage.IdOf(request.Parent, "parent");
        if (await store.Find(id, context.CancellationToken) is null)
            throw new Failure(ErrorReason.ShipmentNotFound, $"There is no shipment {id:N}.");
        var response = new ListResolutionsResponse();
        response.Resolutions.Add((await ResolutionStore.Of(database, [id], context.CancellationToken))[id].Select(MessageOf));
        return response;
    }

    private static ExceptionReport ReportOf(Shipment shipment, IEnumerable<Resolution> resolutions)
    {
        var report = new ExceptionReport
        {
            Shipment = ShipmentMessage.NamePrefix + shipment.PublicId,
            OrderId = shipment.OrderId,
            CustomerName = shipment.ShipTo.Name,
            Carrier = shipment.Carrier ?? "",
            TrackingNumber = shipment.TrackingNumber ?? "",
            Status = shipment.Tracking.Status,
            StatusReason = ShipmentMessage.ReasonOf(shipment.Tracking.ReasonParty, shipment.Tracking.ReasonCode),
            Exception = ShipmentMessage.ExceptionOf(shipment.Exception),
            Severity = shipment.Exception is { } exception ? Severities.Of(exception.Kind, shipment.Tracking) : Severity.Unspecified,
            Value = shipment.Value.ToProto(),
            PromisedDeliveryTime = ShipmentMessage.TimeOf(shipment.PromisedAt),
        };
        report.ProposedActions.Add(Severities.Proposed(shipment));
        report.Resolutions.Add(resolutions.Select(MessageOf));
        return report;
    }

    private static V1.Resolution MessageOf(Resolution one) => new()
    {
        Name = one.Name,
        Action = one.Action,
        State = one.State,
        Detail = one.Detail,
        Amount = one.Amount?.ToProto(),
        Outcome = one.Outcome,
        Note = one.Note,
        Actor = one.Actor,
        CreateTime = Timestamp.FromDateTimeOffset(one.CreatedAt),
        UpdateTime = Timestamp.FromDateTimeOffset(one.UpdatedAt),
        PaidAmount = one.Paid?.ToProto(),
        PreferredDay = one.Day is { } day ? new Google.Type.Date { Year = day.Year, Month = day.Month, Day = day.Day } : null,
    };

    private static (short Severity, DateTimeOffset At, Guid Id)? After(string? token)
    {
        if (token is null)
            return null;
        return token.Split(' ') is [var severity, var ticks, var id]
            && short.TryParse(severity, NumberStyles.None, CultureInfo.InvariantCulture, out var bad)
            && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at <= DateTimeOffset.MaxValue.UtcTicks
            && Guid.TryParseExact(id, "N", out var guid)
            ? (bad, new DateTimeOffset(at, TimeSpan.Zero), guid)
            : throw PageToken.Invalid("It is damaged; begin again without it.");
    }
}
