using System.CommandLine;
using Commerce.Cli.Bench;
using Commerce.Cli.Customers;
using Commerce.Cli.Demo;
using Commerce.Cli.Lookup;
using Commerce.Cli.Orders;
using Commerce.Cli.Replay;
using Commerce.Cli.Stock;
using Commerce.Cli.Suite;

namespace Commerce.Cli;

/// <summary>Every command of `./commerce`, one line each.</summary>
internal static class Commands
{
    public static RootCommand Root() => new("Commerce: where is my order? Orders, payments, parcels and notifications, found by either code.")
    {
        UpCommand.Create(),
        DownCommand.Create(),
        StatusCommand.Create(),
        LogsCommand.Create(),
        TestCommand.Create(),
        DemoCommand.Create(),
        OrderCommands.Create(),
        CustomerCommands.Create(),
        StockCommands.Create(),
        LookupCommands.CreateLookup(),
        LookupCommands.CreateWatch(),
        ReplayCommand.Create(),
        BenchCommand.Create(),
    };
}
