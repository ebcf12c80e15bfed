using Commerce.Bench;
using Commerce.Bench.Messaging;

var json = args.Contains("--json");
var name = args.FirstOrDefault(a => !a.StartsWith('-'));
var benches = new Dictionary<string, Func<Task<Comparison>>>
{
    ["relay"] = RelayBench.Run,
    ["consume"] = ConsumeBench.Run,
};
if (name == "empty-service")
    return await EmptyService.Run();
if (name is null || !benches.TryGetValue(name, out var bench))
{
    Console.Error.WriteLine($"Usage: commerce-bench NAME [--json], where NAME is one of: {string.Join(", ", benches.Keys)}.");
    return 2;
}

var comparison = await bench();
Console.Out.WriteLine(json ? comparison.ToJson() : comparison.ToText());
return 0;
