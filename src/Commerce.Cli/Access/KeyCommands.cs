using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Gateway.V1;
using Google.Protobuf.WellKnownTypes;
using Spectre.Console;

namespace Commerce.Cli.Access;

/// <summary>`./commerce key`: the API keys of shops' systems.</summary>
internal static class KeyCommands
{
    private const string Collection = "apiKeys/";

    public static Command Create() => new("key", "API keys: what a shop's own system calls with.") { CreateKey(), List(), Rotate(), Revoke() };

    private static Command CreateKey()
    {
        var name = new Argument<string>("NAME") { Description = "What people call it, for example \"Web shop\"." };
        var stores = new Option<string[]>("--store") { Description = "A store that it is limited to; may be said several times.", Required = true };
        var scopes = new Option<string[]>("--scope") { Description = "What it may do, for example orders.read; may be said several times.", Required = true };
        var days = new Option<int?>("--days") { Description = "It ends by itself after so many days." };
        var json = new Option<bool>("--json") { Description = "Print a commerce.gateway.v1.ApiKey as protobuf JSON." };
        var command = new Command(
            "create", "Make an API key. Its secret is printed once, and is kept nowhere.\n\nExample: ./commerce key create \"Web shop\" --store main --scope orders.read --scope orders.write") { name, stores, scopes, days, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new CreateApiKeyRequest
                {
                    RequestId = Guid.NewGuid().ToString(),
                    DisplayName = parse.GetRequiredValue(name),
                    StoreIds = { parse.GetRequiredValue(stores) },
                    Scopes = { parse.GetRequiredValue(scopes) },
                    ExpireTime = parse.GetValue(days) is { } count ? Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(count)) : null,
                };
                Show(await api.Access.CreateApiKeyAsync(request, cancellationToken: cancellationToken), parse.GetValue(json));
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command List()
    {
        var json = new Option<bool>("--json") { Description = "Print a commerce.gateway.v1.ListApiKeysResponse as protobuf JSON." };
        var command = new Command("list", "The API keys, newest first, without their secrets.\n\nExample: ./commerce key list") { json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var all = new ListApiKeysResponse();
                var request = new ListApiKeysRequest { PageSize = 500 };
                do
                {
                    var page = await api.Access.ListApiKeysAsync(request, cancellationToken: cancellationToken);
                    all.ApiKeys.AddRange(page.ApiKeys);
                    request.PageToken = page.NextPageToken;
                }
                while (request.PageToken.Length > 0);
                if (parse.GetValue(json))
                    Print.Json(all);
                else
                    Write(all.ApiKeys);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Rotate()
    {
        var key = Key();
        var hours = new Option<double?>("--overlap-hours") { Description = "How long the secret of now stays good; 24 where nothing is said, 0: it ends at once." };
        var json = new Option<bool>("--json") { Description = "Print a commerce.gateway.v1.ApiKey as protobuf JSON." };
        var command = new Command("rotate", "Give an API key another secret; the one before stays good for a while.\n\nExample: ./commerce key rotate k7m2p9qx4abc --overlap-hours 48") { key, hours, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new RotateApiKeyRequest
                {
                    Name = NameOf(parse.GetRequiredValue(key)),
                    RequestId = Guid.NewGuid().ToString(),
                    Overlap = parse.GetValue(hours) is { } count ? Duration.FromTimeSpan(TimeSpan.FromHours(count)) : null,
                };
                Show(await api.Access.RotateApiKeyAsync(request, cancellationToken: cancellationToken), parse.GetValue(json));
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Revoke()
    {
        var key = Key();
        var json = new Option<bool>("--json") { Description = "Print a commerce.gateway.v1.ApiKey as protobuf JSON." };
        var command = new Command("revoke", "End an API key for good, at once.\n\nExample: ./commerce key revoke k7m2p9qx4abc") { key, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var revoked = await api.Access.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = NameOf(parse.GetRequiredValue(key)) }, cancellationToken: cancellationToken);
                if (parse.GetValue(json))
                    Print.Json(revoked);
                else
                    Console.Out.WriteLine($"{revoked.Name[Collection.Length..]} is revoked.");
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Argument<string> Key() => new("KEY") { Description = "The key's id, as './commerce key list' names it." };

    private static string NameOf(string key) => key.StartsWith(Collection, StringComparison.Ordinal) ? key : Collection + key;

    private static void Show(ApiKey key, bool json)
    {
        if (json)
        {
            Print.Json(key);
            return;
        }

        Console.Out.WriteLine(key.Key);
        // So that the key alone can be piped to where it is kept.
        Console.Error.WriteLine($"Keep it now: it is shown once. It is {key.Name[Collection.Length..]}, for {string.Join(", ", key.StoreIds)}, with {string.Join(", ", key.Scopes)}.");
        if (key.FormerSecretExpireTime is { } former)
            Console.Error.WriteLine($"The secret before stays good until {former.ToDateTimeOffset():u}.");
    }

    private static void Write(IEnumerable<ApiKey> keys)
    {
        var table = new Table { Border = TableBorder.None };
        table.AddColumns("key", "name", "stores", "scopes", "last used", "state");
        foreach (var key in keys)
        {
            table.AddRow(
                Print.Escape(key.Name[Collection.Length..]),
                Print.Escape(key.DisplayName),
                Print.Escape(string.Join(", ", key.StoreIds)),
                Print.Escape(string.Join(", ", key.Scopes)),
                key.LastUseTime is { } used ? $"{used.ToDateTimeOffset():u}" : "never",
                key.RevokeTime is not null ? "revoked" : key.ExpireTime?.ToDateTimeOffset() <= TimeProvider.System.GetUtcNow() ? "expired" : "good");
        }

        AnsiConsole.Write(table);
    }
}
