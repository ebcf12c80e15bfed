using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Shipments.V1;
using Google.Protobuf;
using Grpc.Core;
using Spectre.Console;

namespace Commerce.Cli.Shipments;

/// <summary>`./commerce label …`.</summary>
internal static class LabelCommands
{
    public static Command Create() => new("label", "Print parcels' labels, one or many, and say what customs is told.") { Get(), Batch(), Customs() };

    private static Command Get()
    {
        var parcel = new Argument<string>("PARCEL") { Description = "A shipment's id or a tracking number." };
        var pdf = new Option<string?>("--pdf") { Description = "Save it as a PDF file of this name." };
        var zpl = new Option<string?>("--zpl") { Description = "Save it for a label printer (ZPL)." };
        var png = new Option<string?>("--png") { Description = "Save it as a picture." };
        var (a4, dpi) = (A4(), Dpi());
        var command = new Command(
            "get", "Save a parcel's label, with its customs declaration where it crosses a border.\n\nExample: ./commerce label get 1Z879E930346834440 --pdf label.pdf\nExample: ./commerce label get 1Z879E930346834440 --zpl label.zpl --dpi 300")
        {
            parcel, pdf, zpl, png, a4, dpi,
        };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var wanted = new[] { (LabelFormat.Types.Type.Pdf, parse.GetValue(pdf)), (LabelFormat.Types.Type.Zpl, parse.GetValue(zpl)), (LabelFormat.Types.Type.Png, parse.GetValue(png)) }
                    .Where(one => one.Item2 is not null).ToList();
                if (wanted.Count == 0)
                    throw new UsageException("Say where to: --pdf FILE, --zpl FILE or --png FILE.");
                var name = await ShipmentNames.Of(api, parse.GetRequiredValue(parcel), cancellationToken);
                foreach (var (type, file) in wanted)
                {
                    var label = await api.Shipments.GetLabelAsync(
                        new GetLabelRequest { Name = name, Format = Format(type, parse.GetValue(a4), parse.GetValue(dpi)) }, OrderCommands.Options(cancellationToken));
                    await ShipmentNames.Save(file!, label.Data.Memory, cancellationToken);
                    AnsiConsole.MarkupLine($"{Print.Escape(file!)}: {label.ContentType}, {label.Data.Length} bytes");
                }

                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Batch()
    {
        var parcels = new Argument<string[]>("PARCEL") { Description = "Shipments' ids or tracking numbers.", Arity = ArgumentArity.ZeroOrMore };
        var order = new Option<string?>("--order") { Description = "Every parcel of this order." };
        var manifest = new Option<string?>("--manifest") { Description = "Every parcel on this manifest." };
        var pdf = new Option<string?>("--pdf") { Description = "Save them as one PDF file of this name." };
        var zpl = new Option<string?>("--zpl") { Description = "Save them for a label printer (ZPL)." };
        var (a4, dpi) = (A4(), Dpi());
        var command = new Command(
            "batch", "Save many labels as one file; what cannot be had is named and costs no other.\n\nExample: ./commerce label batch --order ORD-7K3M9QX-T2F8CRW --pdf labels.pdf --a4\nExample: ./commerce label batch --manifest 0193f0c1a2b34c5d8e9f0a1b2c3d4e5f --zpl labels.zpl")
        {
            parcels, order, manifest, pdf, zpl, a4, dpi,
        };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var (file, type) = (parse.GetValue(pdf), parse.GetValue(zpl)) switch
                {
                    ({ } to, null) => (to, LabelFormat.Types.Type.Pdf),
                    (null, { } to) => (to, LabelFormat.Types.Type.Zpl),
                    _ => throw new UsageException("Say where to: either --pdf FILE or --zpl FILE."),
                };
                var request = new BatchGetLabelsRequest { Format = Format(type, parse.GetValue(a4), parse.GetValue(dpi)) };
                foreach (var typed in parse.GetValue(parcels) ?? [])
                    request.Names.Add(await ShipmentNames.Of(api, typed, cancellationToken));
                if (parse.GetValue(order) is { } of)
                    request.Names.Add((await api.Shipments.ListShipmentsAsync(new ListShipmentsRequest { OrderId = of, PageSize = 500 }, OrderCommands.Options(cancellationToken))).Shipments.Select(one => one.Name));
                if (parse.GetValue(manifest) is { } list)
                    request.Names.Add((await api.Shipments.GetManifestAsync(new GetManifestRequest { Name = ManifestCommands.NameOf(list) }, OrderCommands.Options(cancellationToken))).Lines.Select(line => line.Shipment));
                if (request.Names.Count == 0)
                    throw new UsageException("Name parcels, an --order or a --manifest.");
                return await Save(api, request, file, cancellationToken);
            },
            cancellationToken));
        return command;
    }

    private static async Task<int> Save(SuiteApi api, BatchGetLabelsRequest request, string file, CancellationToken cancellationToken)
    {
        var leftOut = new List<BatchGetLabelsResponse.Types.LeftOut>();
        using var content = new MemoryStream();
        if (AnsiConsole.Profile.Capabilities.Interactive)
        {
            await AnsiConsole.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()).StartAsync(async progress =>
            {
                var bar = progress.AddTask("labels", maxValue: request.Names.Count);
                await Receive(api, request, said => bar.Value = said, leftOut, content, cancellationToken);
            });
        }
        else
        {
            await Receive(api, request, _ => { }, leftOut, content, cancellationToken);
        }

        foreach (var one in leftOut)
            await Console.Error.WriteLineAsync($"{one.Name}: {one.Reason}: {one.Message}");
        if (content.Length == 0)
        {
            await Console.Error.WriteLineAsync("No label could be had; nothing was written.");
            return Exit.Of(StatusCode.FailedPrecondition);
        }

        await ShipmentNames.Save(file, content.ToArray(), cancellationToken);
        AnsiConsole.MarkupLine($"{Print.Escape(file)}: {request.Names.Count - leftOut.Count} labels, {content.Length} bytes");
        return Exit.Done;
    }

    private static async Task Receive(
        SuiteApi api, BatchGetLabelsRequest request, Action<int> done, List<BatchGetLabelsResponse.Types.LeftOut> leftOut, MemoryStream content, CancellationToken cancellationToken)
    {
        // Drawing a thousand takes longer than a call that asks for one thing.
        using var call = api.Shipments.BatchGetLabels(request, new CallOptions(deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(5), cancellationToken: cancellationToken));
        await foreach (var said in call.ResponseStream.ReadAllAsync(cancellationToken))
        {
            done(said.Done);
            leftOut.AddRange(said.LeftOut);
            said.Content.WriteTo(content);
        }
    }

    private static Command Customs()
    {
        var parcel = new Argument<string>("PARCEL") { Description = "A shipment's id or a tracking number." };
        var file = new Option<string>("--file") { Description = "A commerce.shipments.v1.CustomsDeclaration as protobuf JSON; - reads standard input.", Required = true };
        var json = OrderCommands.JsonOption();
        var command = new Command("customs", "Say what customs is told of a parcel, until its carrier has it.\n\nExample: ./commerce label customs 1Z879E930346834440 --file customs.json") { parcel, file, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                CustomsDeclaration declaration;
                try
                {
                    var path = parse.GetRequiredValue(file);
                    declaration = CustomsDeclaration.Parser.ParseJson(path == "-" ? await Console.In.ReadToEndAsync(cancellationToken) : await File.ReadAllTextAsync(path, cancellationToken));
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidProtocolBufferException or InvalidJsonException)
                {
                    throw new UsageException($"--file: {exception.Message}");
                }

                var shipment = await api.Shipments.DeclareCustomsAsync(
                    new DeclareCustomsRequest { Name = await ShipmentNames.Of(api, parse.GetRequiredValue(parcel), cancellationToken), RequestId = Guid.CreateVersion7().ToString(), Customs = declaration },
                    OrderCommands.Options(cancellationToken));
                if (parse.GetValue(json))
                    Print.Json(shipment);
                else
                    AnsiConsole.MarkupLine($"[bold]{Print.Escape(shipment.TrackingNumber)}[/] declares {shipment.Customs?.Lines.Count ?? 0} positions");
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Option<bool> A4() => new("--a4") { Description = "A PDF on A4, four labels a sheet." };

    private static Option<int> Dpi() => new("--dpi") { Description = "Dots an inch of ZPL and PNG: 203 or 300.", DefaultValueFactory = _ => 203 };

    private static LabelFormat Format(LabelFormat.Types.Type type, bool a4, int dpi) =>
        new() { Type = type, Paper = a4 ? LabelFormat.Types.Paper.A4 : LabelFormat.Types.Paper.A6, DotsPerInch = dpi };
}
