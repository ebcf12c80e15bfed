using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Gateway.V1;
using Commerce.Orders.V1;
using Grpc.Core;

namespace Commerce.Cli.Lookup;

/// <summary>`./commerce lookup` and `./commerce watch`.</summary>
internal static class LookupCommands
{
    public static Command CreateLookup()
    {
        var code = CodeArgument();
        var json = OrderCommands.JsonOption();
        var command = new Command("lookup", "Where is my order? Answered from either code.\n\nExample: ./commerce lookup 1Z12345E0205271688") { code, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var view = await api.Lookup.LookupAsync(new LookupRequest { Code = parse.GetRequiredValue(code) }, OrderCommands.Options(cancellationToken));
                if (parse.GetValue(json))
                    Print.Json(view);
                else
                    LookupScreen.Write(view);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    public static Command CreateWatch()
    {
        var code = CodeArgument();
        var json = OrderCommands.JsonOption();
        var follow = new Option<bool>("--follow") { Description = "Go on watching after the order is completed or cancelled." };
        var command = new Command("watch", "Follow an order live, until it is delivered or cancelled.\n\nExample: ./commerce watch ORD-7K3M9QX-T2F8CRW") { code, follow, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var screen = new WatchLines();
                await foreach (var view in Watch(api, parse.GetRequiredValue(code), cancellationToken))
                {
                    if (parse.GetValue(json))
                        Print.JsonLine(view);
                    else
                        screen.Write(view);
                    if (IsOver(view) && !parse.GetValue(follow))
                        return Exit.Done;
                }

                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    /// <summary>The views as they change; a broken stream is taken up again after the last version seen.</summary>
    public static async IAsyncEnumerable<LookupView> Watch(SuiteApi api, string code, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long seen = 0;
        var failures = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            using var call = api.Lookup.WatchLookup(new WatchLookupRequest { Code = code, AfterVersion = seen }, cancellationToken: cancellationToken);
            while (true)
            {
                LookupView view;
                try
                {
                    if (!await call.ResponseStream.MoveNext(cancellationToken))
                        break;
                    view = call.ResponseStream.Current;
                }
                catch (RpcException exception) when (exception.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded && ++failures <= 30 && !cancellationToken.IsCancellationRequested)
                {
                    await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, cancellationToken);
                    break;
                }

                failures = 0;
                seen = view.Version;
                yield return view;
            }
        }
    }

    /// <summary>Nothing more is to come by itself: delivered, or cancelled with the money back.</summary>
    public static bool IsOver(LookupView view) => view.Order is { } order
        && (order.State == OrderState.Completed
            || (order.State == OrderState.Cancelled && order.PaymentState is Commerce.Orders.V1.PaymentState.Refunded or Commerce.Orders.V1.PaymentState.Failed));

    private static Argument<string> CodeArgument() => new("CODE") { Description = "An Order ID or a Tracking ID, as you would type it." };
}
