using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Cli.Payments;
using Commerce.Shipments.V1;
using Spectre.Console;

namespace Commerce.Cli.Shipments;

/// <summary>`./commerce manifest …`.</summary>
internal static class ManifestCommands
{
    private const string Prefix = "manifests/";

    public static Command Create() => new("manifest", "Close, show and print the lists of what carriers take.") { Close(), Get(), List() };

    public static string NameOf(string typed) => typed.StartsWith(Prefix, StringComparison.Ordinal) ? typed : Prefix + typed.Trim();

    private static Command Close()
    {
        var store = Listing.Store();
        var carrier = new Option<string>("--carrier") { Description = "The carrier's code, for example ups.", Required = true };
        var location = new Option<string>("--location") { Description = "Only what leaves from this place; otherwise the store's own.", DefaultValueFactory = _ => "" };
        var requestId = new Option<string?>("--request-id") { Description = "Makes the call safe to repeat. Without it, a new one." };
        var json = OrderCommands.JsonOption();
        var command = new Command("close", "Put every label that waits on one list; closing twice is the same.\n\nExample: ./commerce manifest close --store main --carrier ups") { store, carrier, location, requestId, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api => Show(
                await api.Shipments.CreateManifestAsync(
                    new CreateManifestRequest
                    {
                        StoreId = parse.GetValue(store) ?? "",
                        Carrier = parse.GetRequiredValue(carrier),
                        LocationId = parse.GetValue(location) ?? "",
                        RequestId = parse.GetValue(requestId) is { Length: > 0 } given ? given : Guid.CreateVersion7().ToString(),
                    },
                    OrderCommands.Options(cancellationToken)),
                parse.GetValue(json)),
            cancellationToken));
        return command;
    }

    private static Command Get()
    {
        var id = new Argument<string>("MANIFEST") { Description = "The manifest's id." };
        var pdf = new Option<string?>("--pdf") { Description = "Save it as a PDF file of this name, to have it signed." };
        var json = OrderCommands.JsonOption();
        var command = new Command("get", "Show a manifest, or save it as PDF.\n\nExample: ./commerce manifest get 0193f0c1a2b34c5d8e9f0a1b2c3d4e5f --pdf manifest.pdf") { id, pdf, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var name = NameOf(parse.GetRequiredValue(id));
                var manifest = await api.Shipments.GetManifestAsync(new GetManifestRequest { Name = name }, OrderCommands.Options(cancellationToken));
                if (parse.GetValue(pdf) is { } file)
                {
                    var rendered = await api.Shipments.RenderManifestAsync(new RenderManifestRequest { Name = name }, OrderCommands.Options(cancellationToken));
                    await ShipmentNames.Save(file, rendered.Data.Memory, cancellationToken);
                }

                return Show(manifest, parse.GetValue(json));
            },
            cancellationToken));
        return command;
    }

    private static Command List()
    {
        var store = Listing.Store();
        var carrier = new Option<string>("--carrier") { Description = "Only of this carrier.", DefaultValueFactory = _ => "" };
        var limit = Listing.Limit("manifests", 50);
        var json = OrderCommands.JsonOption();
        var command = new Command("list", "List a store's manifests, newest first.\n\nExample: ./commerce manifest list --store main --carrier ups") { store, carrier, limit, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            api =>
            {
                var request = new ListManifestsRequest { StoreId = parse.GetValue(store) ?? "", Carrier = parse.GetValue(carrier) ?? "" };
                return Listing.Show(
                    parse.GetValue(limit),
                    parse.GetValue(json),
                    async (size, token) =>
                    {
                        (request.PageSize, request.PageToken) = (size, token);
                        return await api.Shipments.ListManifestsAsync(request, OrderCommands.Options(cancellationToken));
                    },
                    page => (page.Manifests, page.NextPageToken),
                    WriteLine);
            },
            cancellationToken));
        return command;
    }

    private static int Show(Manifest manifest, bool json)
    {
        if (json)
        {
            Print.Json(manifest);
            return Exit.Done;
        }

        WriteLine(manifest);
        foreach (var line in manifest.Lines)
            AnsiConsole.MarkupLine($"  [bold]{Print.Escape(line.TrackingNumber)}[/] {Print.Escape(line.Service)}  {Print.Escape(line.RegionCode)} {Print.Escape(line.PostalCode)}  {line.WeightGrams} g  [dim]{Print.Escape(line.OrderId)}[/]");
        return Exit.Done;
    }

    private static void WriteLine(Manifest manifest) => AnsiConsole.MarkupLine(
        $"[bold]{Print.Escape(manifest.Name[Prefix.Length..])}[/]  {Print.Escape(manifest.Carrier)} no. {manifest.Number}  {manifest.ParcelCount} parcels  {manifest.WeightGrams} g  [dim]{manifest.CloseTime.ToDateTimeOffset():yyyy-MM-dd HH:mm}[/]");
}
