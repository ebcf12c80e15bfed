using Commerce.Messaging;
using Commerce.ServiceDefaults;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.EstimatingArrivals;
using Commerce.Shipments.FindingShipments;
using Commerce.Shipments.Storage;
using Commerce.Shipments.V1;
using Commerce.Shipping.Labels;
using Commerce.Types.V1;
using Google.Protobuf;
using Grpc.Core;
using Npgsql;
using HttpBody = Google.Api.HttpBody;

namespace Commerce.Shipments.PrintingLabels;

/// <summary>Labels as files, one or many, and what customs is told on them.</summary>
internal sealed class PrintLabels(ShipmentStore store, SenderNames senders, CarrierDirectory carriers, NpgsqlDataSource database, Requests requests, ArrivalEstimator estimator)
{
    private const int MostAtOnce = 1000;
    private const int ReadAtOnce = 50;
    private const int PartBytes = 256 * 1024;
    private const int DefaultResolution = 203;

    public async Task<HttpBody> Get(GetLabelRequest request, CancellationToken cancellationToken)
    {
        var id = ShipmentMessage.IdOf(request.Name);
        var format = Checked(request.Format, "format");
        if (await store.Select(ShipmentQuery.ById(id), cancellationToken) is not [{ Shipment: var shipment }])
            throw NotFound(id);
        ShipmentsTelemetry.TagOrder(shipment.OrderId);
        if (LabelOf.Refusal(shipment) is { } refusal)
            throw refusal;
        var label = LabelOf.Shipment(shipment, await senders.Of(shipment.StoreId, cancellationToken), carriers);
        var bytes = format.Type switch
        {
            LabelFormat.Types.Type.Zpl => LabelRenderer.Zpl([label], format.DotsPerInch),
            LabelFormat.Types.Type.Png => LabelRenderer.Png(label, format.DotsPerInch),
            _ => LabelRenderer.Pdf([label], PaperOf(format)),
        };
        return new HttpBody { ContentType = ContentTypeOf(format.Type), Data = UnsafeByteOperations.UnsafeWrap(bytes) };
    }

    public async Task Batch(BatchGetLabelsRequest request, IServerStreamWriter<BatchGetLabelsResponse> responses, CancellationToken cancellationToken)
    {
        if (request.Names.Count is 0 or > MostAtOnce)
            throw Failure.Invalid(new FieldError("names", $"Has {request.Names.Count} names; 1 to {MostAtOnce} are allowed."));
        if (request.Names.Distinct(StringComparer.Ordinal).Count() < request.Names.Count)
            throw Failure.Invalid(new FieldError("names", "Names a parcel twice; a label is printed once."));
        var format = Checked(request.Format, "format");
        if (format.Type == LabelFormat.Types.Type.Png)
            throw Failure.Invalid(new FieldError("format.type", "Many labels are a PDF or a ZPL file; a PNG shows one."));
        var ids = request.Names.Select(ShipmentMessage.IdOf).ToList();

        using var file = format.Type == LabelFormat.Types.Type.Zpl ? LabelFile.Zpl(format.DotsPerInch) : LabelFile.Pdf(PaperOf(format));
        var (done, drawn) = (0, 0);
        foreach (var chunk in ids.Chunk(ReadAtOnce))
        {
            var found = (await store.Select(ShipmentQuery.ByIds(chunk), cancellationToken)).ToDictionary(one => one.Shipment.Id, one => one.Shipment);
            var progress = new BatchGetLabelsResponse { Total = ids.Count };
            foreach (var id in chunk)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var refusal = found.TryGetValue(id, out var shipment) ? LabelOf.Refusal(shipment) : NotFound(id);
                if (refusal is null)
                {
                    file.Add(LabelOf.Shipment(shipment!, await senders.Of(shipment!.StoreId, cancellationToken), carriers));
                    drawn++;
                }
                else
                {
                    progress.LeftOut.Add(new BatchGetLabelsResponse.Types.LeftOut
                    {
                        Name = ShipmentMessage.NamePrefix + id.ToString("N"),
                        Reason = ErrorReasons.NameOf(refusal.Reason),
                        Message = refusal.Message,
                    });
                }

                done++;
            }

            progress.Done = done;
            await responses.WriteAsync(progress, cancellationToken);
        }

        if (drawn == 0)
            return;
        var bytes = file.Finish();
        for (var at = 0; at < bytes.Length; at += PartBytes)
        {
            await responses.WriteAsync(
                new BatchGetLabelsResponse
                {
                    Done = done,
                    Total = ids.Count,
                    ContentType = at == 0 ? ContentTypeOf(format.Type) : "",
                    Content = UnsafeByteOperations.UnsafeWrap(bytes.AsMemory(at, Math.Min(PartBytes, bytes.Length - at))),
                },
                cancellationToken);
        }
    }

    public async Task<V1.Shipment> Declare(DeclareCustomsRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        var id = ShipmentMessage.IdOf(request.Name);
        var customs = CustomsMessage.Read(request.Customs);
        if (await requests.Find(key, cancellationToken) is null)
            await Store(id, customs, key, cancellationToken);
        return await store.Select(ShipmentQuery.ById(id), cancellationToken) is [var found] ? ShipmentMessage.Of(found, estimator) : throw NotFound(id);
    }

    public static Failure NotFound(Guid id) => new(ErrorReason.ShipmentNotFound, $"There is no shipment {id:N}.");

    // No version of the parcel: nothing happened to it, and nobody else acts on it.
    private async Task Store(Guid id, CustomsRecord customs, RequestKey key, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var shipment = await ShipmentStore.Lock(connection, transaction, id, cancellationToken) ?? throw NotFound(id);
        if (shipment.IsOver || TrackingStatusRules.WasHandedOver(shipment.Tracking))
            throw ChangingDelivery.ChangeDelivery.TooLate(shipment, "The carrier has the parcel already; what customs was told stays.");
        shipment.Customs = customs;
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(requests.Record(key, NameOf(id), shipment.Version));
        batch.BatchCommands.Add(ShipmentStore.Update(shipment));
        try
        {
            await batch.ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
        catch (PostgresException exception) when (Requests.IsRepeated(exception))
        {
            // The twin did it.
            await transaction.RollbackAsync(cancellationToken);
            await requests.Find(key, cancellationToken);
        }

        static string NameOf(Guid id) => ShipmentMessage.NamePrefix + id.ToString("N");
    }

    private static LabelFormat Checked(LabelFormat? format, string field)
    {
        var wanted = format?.Clone() ?? new LabelFormat();
        var errors = new List<FieldError>();
        if (!Enum.IsDefined(wanted.Type))
            errors.Add(new FieldError(field + ".type", "Is not a kind of file; PDF, ZPL and PNG are."));
        if (!Enum.IsDefined(wanted.Paper))
            errors.Add(new FieldError(field + ".paper", "Is not a paper; A6 and A4 are."));
        if (wanted.DotsPerInch == 0)
            wanted.DotsPerInch = DefaultResolution;
        if (!LabelRenderer.Resolutions.Contains(wanted.DotsPerInch))
            errors.Add(new FieldError(field + ".dots_per_inch", $"Label printers have {string.Join(" or ", LabelRenderer.Resolutions)}; 0 is {DefaultResolution}."));
        return errors.Count > 0 ? throw Failure.Invalid(errors) : wanted;
    }

    private static LabelPaper PaperOf(LabelFormat format) => format.Paper == LabelFormat.Types.Paper.A4 ? LabelPaper.A4 : LabelPaper.A6;

    private static string ContentTypeOf(LabelFormat.Types.Type type) => type switch
    {
        LabelFormat.Types.Type.Zpl => "application/zpl",
        LabelFormat.Types.Type.Png => "image/png",
        _ => "application/pdf",
    };
}
