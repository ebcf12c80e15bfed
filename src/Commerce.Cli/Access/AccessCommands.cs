using System.CommandLine;
using System.Globalization;
using Commerce.Cli.Api;
using Commerce.Gateway.V1;

namespace Commerce.Cli.Access;

/// <summary>`./commerce token` and `./commerce whoami`.</summary>
internal static class AccessCommands
{
    /// <summary>The roles of staff.</summary>
    public static IReadOnlyList<string> Roles { get; } = ["admin", "support", "finance", "warehouse"];

    public static Command CreateToken()
    {
        var role = new Option<string?>("--role") { Description = $"The role: {string.Join(", ", Roles)}; admin where none is said." };
        role.AcceptOnlyFromAmong([.. Roles]);
        var command = new Command(
            "token",
            "Print a token of the suite that runs here, for curl and other programs; in development, and good for an hour.\n\n"
            + "Example: curl -H \"Authorization: Bearer $(./commerce token --role support)\" http://localhost:8080/v1/orders") { role };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async () =>
            {
                Credential.Role = parse.GetValue(role) ?? Credential.Role;
                using var credential = new Credential(SuiteConnection.Find().Sandbox);
                Console.Out.WriteLine(await credential.Get(cancellationToken));
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    public static Command CreateWhoAmI()
    {
        var json = new Option<bool>("--json") { Description = "Print a commerce.gateway.v1.WhoAmIResponse as protobuf JSON." };
        var command = new Command("whoami", "Who commands call as, what that one may do, and how often.\n\nExample: ./commerce whoami --as warehouse") { json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var me = await api.Access.WhoAmIAsync(new WhoAmIRequest(), cancellationToken: cancellationToken);
                if (parse.GetValue(json))
                {
                    Print.Json(me);
                    return Exit.Done;
                }

                Console.Out.WriteLine(Print.Printable(me.Principal));
                Console.Out.WriteLine($"  stores  {(me.LimitedToStores ? string.Join(", ", me.StoreIds) : "all")}");
                Console.Out.WriteLine($"  scopes  {string.Join(", ", me.Scopes)}");
                var rates = me.CallLimits.Select(limit => string.Create(CultureInfo.InvariantCulture, $"{limit.Calls} {limit.PerSecond:0.###} ({limit.Burst} at once)"));
                Console.Out.WriteLine($"  calls   a second: {string.Join(", ", rates)}; {me.OpenStreams} streams open");
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }
}
