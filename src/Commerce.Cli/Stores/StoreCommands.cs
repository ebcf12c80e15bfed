using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Orders.V1;
using Commerce.Types.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Spectre.Console;

namespace Commerce.Cli.Stores;

/// <summary>`./commerce store …`.</summary>
internal static class StoreCommands
{
    public static Command Create() => new("store", "Show stores, and what their payments and documents need of them.") { Get(), Set() };

    private static Command Get()
    {
        var id = new Argument<string>("ID") { Description = "The store, for example main." };
        var json = OrderCommands.JsonOption();
        var command = new Command("get", "Show a store.\n\nExample: ./commerce store get main") { id, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                Show(await api.Stores.GetStoreAsync(new GetStoreRequest { Name = "stores/" + parse.GetRequiredValue(id) }, OrderCommands.Options(cancellationToken)), parse.GetValue(json));
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Set()
    {
        var id = new Argument<string>("ID") { Description = "The store, for example main." };
        var tax = new Option<decimal?>("--tax") { Description = "The tax that its prices include, in percent, for example 19 or 7.7; 0: none." };
        var logo = new Option<string?>("--logo") { Description = "A PNG or JPEG file of at most 64 KiB for its documents; empty: none." };
        var capture = new Option<CaptureMode?>("--capture") { Description = "When its money is taken: Automatic, Manual or OnShipment." };
        var json = OrderCommands.JsonOption();
        var command = new Command("set", "Change how a store takes its money and what its documents show.\n\nExample: ./commerce store set main --tax 19 --logo logo.png") { id, tax, logo, capture, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var store = new Store { Name = "stores/" + parse.GetRequiredValue(id) };
                var mask = new FieldMask();
                if (parse.GetValue(tax) is { } percent)
                {
                    if (percent is < 0 or > 100 || percent * 100 != decimal.Truncate(percent * 100))
                        throw new UsageException($"--tax {percent}: give a percentage between 0 and 100 with at most two decimals.");
                    store.TaxBasisPoints = (int)(percent * 100);
                    mask.Paths.Add("tax_basis_points");
                }

                if (parse.GetValue(logo) is { } file)
                {
                    store.LogoImage = file.Length == 0 ? ByteString.Empty : await Read(file, cancellationToken);
                    mask.Paths.Add("logo_image");
                }

                if (parse.GetValue(capture) is { } mode)
                {
                    store.CaptureMode = mode;
                    mask.Paths.Add("capture_mode");
                }

                if (mask.Paths.Count == 0)
                    throw new UsageException("Say what is to be changed: --tax, --logo or --capture.");
                var request = new UpdateStoreRequest { Store = store, UpdateMask = mask, RequestId = Guid.CreateVersion7().ToString() };
                Show(await api.Stores.UpdateStoreAsync(request, OrderCommands.Options(cancellationToken)), parse.GetValue(json));
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static async Task<ByteString> Read(string file, CancellationToken cancellationToken)
    {
        await using var stream = Files.Open(file);
        return await ByteString.FromStreamAsync(stream, cancellationToken);
    }

    private static void Show(Store store, bool json)
    {
        if (json)
        {
            Print.Json(store);
            return;
        }

        AnsiConsole.MarkupLine($"[bold]{Print.Escape(store.StoreId)}[/]  {Print.Escape(store.DisplayName)}  [dim]{store.OrderPrefix} {store.CurrencyCode} {Print.Escape(store.LanguageCode)} {Print.Escape(store.TimeZone)}[/]");
        AnsiConsole.MarkupLine($"  money is taken: {store.CaptureMode}; prices include {store.TaxBasisPoints / 100m:0.##} % tax; {(store.LogoImage.IsEmpty ? "no logo" : $"a logo of {store.LogoImage.Length} bytes")}");
    }
}
