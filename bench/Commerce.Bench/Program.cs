using System.Globalization;
using Commerce.Bench;
using Commerce.Bench.Gateway;
using Commerce.Bench.Messaging;
using Commerce.Bench.Orders;
using Commerce.Bench.Shipments;
using Commerce.Bench.Tracking;

var json = args.Contains("--json");
var orders = args.SkipWhile(a => a != "--orders").Skip(1).Select(a => int.TryParse(a, CultureInfo.InvariantCulture, out var n) ? n : 0).FirstOrDefault(10_000_000);
var scans = args.SkipWhile(a => a != "--scans").Skip(1).Select(a => int.TryParse(a, CultureInfo.InvariantCulture, out var n) ? n : 0).FirstOrDefault(50_000_000);
var only = args.SkipWhile(a => a != "--only").Skip(1).FirstOrDefault("");
var name = args.FirstOrDefault(a => !a.StartsWith('-'));
var benches = new Dictionary<string, Func<Task<IReadOnlyList<Comparison>>>>
{
    ["relay"] = async () => [await RelayBench.Run()],
    ["consume"] = async () => [await ConsumeBench.Run()],
    ["place"] = async () => [await PlaceBench.Run()],
    ["find"] = () => FindBench.Run(orders),
    ["scans"] = () => ScansBench.Run(scans),
    ["live"] = LiveBench.Run,
    ["lookup"] = () => LookupBench.Run(only),
    ["flat"] = () => FlatBench.Run(orders),
    ["watch"] = WatchBench.Run,
    ["staleness"] = StalenessBench.Run,
    ["overload"] = OverloadBench.Run,
    ["detect"] = () => Task.FromResult<IReadOnlyList<Comparison>>([DetectBench.Run()]),
};
if (name == "empty-service")
    return await EmptyService.Run();
if (name == GatewayPeers.Process)
    return await GatewayPeers.Serve(args);
if (name is null || !benches.TryGetValue(name, out var bench) || orders < 10_000 || scans < 1_000)
{
    Console.Error.WriteLine($"Usage: commerce-bench NAME [--json] [--only TEXT] [--orders N] [--scans N], where NAME is one of: {string.Join(", ", benches.Keys)}; TEXT is a part of the names of the figures that are measured, for lookup; N is at least 10000 orders, for find and flat, and 1000 scans, for scans.");
    return 2;
}

foreach (var comparison in await bench())
    Console.Out.WriteLine(json ? comparison.ToJson() : comparison.ToText());
return 0;
