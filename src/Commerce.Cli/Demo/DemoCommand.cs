using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Cli.Lookup;
using Commerce.Cli.Orders;
using Commerce.Cli.Suite;
using Commerce.Gateway.V1;
using Commerce.Orders.V1;
using Spectre.Console;

namespace Commerce.Cli.Demo;

/// <summary>`./commerce demo`: real baskets, followed live from the order to the door.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var count = new Option<int>("--orders") { Description = "How many baskets.", DefaultValueFactory = _ => 6 };
        var seconds = new Option<double>("--day-seconds") { Description = "How long a carrier's day lasts.", DefaultValueFactory = _ => 3 };
        var command = new Command("demo", "Place real baskets and follow them live to delivery.\n\nExample: ./commerce demo") { count, seconds };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            api => Run(api, Math.Clamp(parse.GetValue(count), 1, 50), Math.Clamp(parse.GetValue(seconds), 0.05, 86_400), cancellationToken), cancellationToken));
        return command;
    }

    private static async Task<int> Run(SuiteApi api, int count, double daySeconds, CancellationToken cancellationToken)
    {
        var sandbox = api.Sandbox ?? throw new UsageException("The demo needs the Sandbox: it plays the provider and the carriers. Start the suite with `./commerce up`.");
        var baskets = OnlineRetail.Read(Path.Combine(Repository.Root, "docs", "samples", "online-retail-excerpt.csv"));
        var knobs = await sandbox.Knobs(cancellationToken);
        await sandbox.SetKnobs(new { DaySeconds = daySeconds }, cancellationToken);
        try
        {
            await StockShelves(api, baskets, cancellationToken);
            var followed = new List<Followed>();
            for (var i = 0; i < count; i++)
            {
                var order = await api.Orders.PlaceOrderAsync(OnlineRetail.Request(baskets[i % baskets.Count], i), OrderCommands.Options(cancellationToken));
                followed.Add(new Followed(order));
            }

            await FollowAll(api, followed, cancellationToken);
            Next(api, followed);
            return Exit.Done;
        }
        finally
        {
            await sandbox.SetKnobs(new { DaySeconds = knobs["day_seconds"]!.GetValue<double>() }, CancellationToken.None);
        }
    }

    private static async Task StockShelves(SuiteApi api, IReadOnlyList<Basket> baskets, CancellationToken cancellationToken)
    {
        var parent = $"stores/{OnlineRetail.Store}";
        var products = OnlineRetail.Products(baskets).ToList();
        await api.Stores.CreateStoreAsync(new CreateStoreRequest { RequestId = "demo-store", Store = OnlineRetail.StoreSettings }, OrderCommands.Options(cancellationToken));
        await api.Catalogue.BatchUpdateProductsAsync(
            new BatchUpdateProductsRequest { Parent = parent, RequestId = Guid.CreateVersion7().ToString(), Products = { products } }, OrderCommands.Options(cancellationToken));
        await api.Stock.BatchSetStockAsync(
            new BatchSetStockRequest
            {
                Parent = parent,
                RequestId = Guid.CreateVersion7().ToString(),
                Levels = { products.Select(product => new StockLevel { Sku = product.Sku, OnHand = 10_000 }) },
            },
            OrderCommands.Options(cancellationToken));
    }

    private static async Task FollowAll(SuiteApi api, List<Followed> followed, CancellationToken cancellationToken)
    {
        var watching = Task.WhenAll(followed.Select(async one =>
        {
            await foreach (var view in LookupCommands.Watch(api, one.OrderId, cancellationToken))
            {
                one.View = view;
                if (LookupCommands.IsOver(view))
                    return;
            }
        }));

        if (!AnsiConsole.Profile.Capabilities.Interactive)
        {
            await watching;
            AnsiConsole.Write(Table(followed));
            return;
        }

        await AnsiConsole.Live(Table(followed)).StartAsync(async screen =>
        {
            while (await Task.WhenAny(watching, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, cancellationToken)) != watching)
                screen.UpdateTarget(Table(followed));
            screen.UpdateTarget(Table(followed));
        });
        await watching;
    }

    /// <summary>A row a parcel. Codes are there to be copied, so they stay whole on a terminal of 80 columns.</summary>
    private static Table Table(List<Followed> followed)
    {
        var table = new Table().Border(TableBorder.Rounded);
        table.AddColumns(new TableColumn("Order ID").NoWrap(), new TableColumn("Total").NoWrap().RightAligned(), new TableColumn("Tracking ID").NoWrap(), new TableColumn("Where it is"));
        foreach (var one in followed)
        {
            var order = one.View?.Order ?? one.Order;
            var (id, total) = ($"[bold]{order.OrderId}[/]", Print.Amount(order.Total));
            var parcels = one.View?.Shipments.Where(shipment => shipment.TrackingNumber.Length > 0).ToList() ?? [];
            if (parcels.Count == 0)
                table.AddRow(id, total, "[dim]…[/]", OrderView.Headline(order));
            foreach (var parcel in parcels)
            {
                var place = parcel.Scans.FirstOrDefault()?.Place?.Locality ?? "";
                table.AddRow(id, total, Print.Escape(parcel.TrackingNumber), $"{LookupScreen.Words(parcel.Status)} [dim]{Print.Escape(place)}[/]");
                (id, total) = ("", "");
            }
        }

        return table;
    }

    private static void Next(SuiteApi api, List<Followed> followed)
    {
        var first = followed.First(one => one.View?.Shipments.Any(shipment => shipment.TrackingNumber.Length > 0) ?? false);
        var tracking = first.View!.Shipments.First(shipment => shipment.TrackingNumber.Length > 0).TrackingNumber;
        Console.Out.WriteLine();
        Console.Out.WriteLine("Either code answers. Try:");
        Console.Out.WriteLine($"  ./commerce lookup {first.OrderId}");
        Console.Out.WriteLine($"  ./commerce lookup {tracking}");
        Console.Out.WriteLine($"  curl -H \"Authorization: Bearer $(./commerce token)\" {api.Gateway}v1/lookup/{tracking}");
        Console.Out.WriteLine($"  {api.Sandbox!.Address}mailbox    the mails that the shoppers got");
    }

    private sealed class Followed(Order order)
    {
        public Order Order => order;

        public string OrderId => order.OrderId;

        public LookupView? View { get; set; }
    }
}
