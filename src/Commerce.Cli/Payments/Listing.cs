using System.CommandLine;
using Commerce.Cli.Api;
using Google.Protobuf;

namespace Commerce.Cli.Payments;

/// <summary>What commands share that list something of a store.</summary>
internal static class Listing
{
    private const int LargestPage = 500;

    public static Option<string> Store(string description = "The store.") => new("--store") { Description = description, DefaultValueFactory = _ => "main" };

    public static Option<int> Limit(string what, int most) => new("--limit") { Description = $"Most {what} to show.", DefaultValueFactory = _ => most };

    /// <summary>Shows the first ones of a list, page by page; as JSON, a page is one message.</summary>
    public static async Task<int> Show<TPage, TItem>(
        int limit, bool json, Func<int, string, Task<TPage>> ask, Func<TPage, (IReadOnlyCollection<TItem> Items, string Next)> read, Action<TItem> write)
        where TPage : IMessage
    {
        if (limit < 1)
            throw new UsageException($"--limit {limit}: give how many to show.");
        var (left, token) = (limit, "");
        do
        {
            var page = await ask(Math.Min(left, LargestPage), token);
            var (items, next) = read(page);
            if (json)
            {
                Print.Json(page);
            }
            else
            {
                foreach (var item in items)
                    write(item);
            }

            (left, token) = (left - items.Count, next);
        }
        while (token.Length > 0 && left > 0);
        return Exit.Done;
    }
}
