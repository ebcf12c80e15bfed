using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Gateway.V1;
using Commerce.Orders.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Commerce.Cli.Lookup;

/// <summary>`./commerce lookup` and `./commerce watch`.</summary>
internal static class LookupCommands
{
    public static Command CreateLookup()
    {
        var codes = new Argument<string[]>("CODE")
        {
            Arity = new ArgumentArity(1, 500),
            Description = "An Order ID, a Tracking ID, the number of a return (…-R1), of an invoice, receipt or credit note (INV-2026-000042), or the shop's own, as you would type it.",
        };
        var store = StoreOption();
        var parts = PartsOption();
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "lookup",
            "Where is my order? Answered from whatever code is at hand, or from several.\n\nExample: ./commerce lookup 1Z12345E0205271688\nExample: ./commerce lookup INV-2026-000042 --store main --parts order,documents")
        {
            codes, store, parts, json,
        };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var asked = parse.GetRequiredValue(codes);
                if (asked.Length == 1)
                {
                    var request = new LookupRequest { Code = asked[0], StoreId = parse.GetValue(store) ?? "", ReadMask = MaskOf(parse.GetValue(parts)) };
                    var view = await api.Lookup.LookupAsync(request, OrderCommands.Options(cancellationToken));
                    if (parse.GetValue(json))
                        Print.Json(view);
                    else
                        LookupScreen.Write(view);
                    return Exit.Done;
                }

                var batch = new BatchLookupRequest { Codes = { asked }, StoreId = parse.GetValue(store) ?? "", ReadMask = MaskOf(parse.GetValue(parts)) };
                var answer = await api.Lookup.BatchLookupAsync(batch, OrderCommands.Options(cancellationToken));
                if (parse.GetValue(json))
                    Print.Json(answer);
                else
                    LookupScreen.Write(answer);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    public static Command CreateWatch()
    {
        var code = CodeArgument();
        var json = OrderCommands.JsonOption();
        var store = StoreOption();
        var parts = PartsOption();
        var follow = new Option<bool>("--follow") { Description = "Go on watching after the order is completed or cancelled." };
        var command = new Command("watch", "Follow an order live, until it is delivered or cancelled.\n\nExample: ./commerce watch ORD-7K3M9QX-T2F8CRW") { code, store, parts, follow, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var screen = new WatchLines();
                await foreach (var view in Watch(api, new WatchLookupRequest { Code = parse.GetRequiredValue(code), StoreId = parse.GetValue(store) ?? "", ReadMask = MaskOf(parse.GetValue(parts)) }, cancellationToken))
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
    public static IAsyncEnumerable<LookupView> Watch(SuiteApi api, string code, CancellationToken cancellationToken) =>
        Watch(api, new WatchLookupRequest { Code = code }, cancellationToken);

    private static async IAsyncEnumerable<LookupView> Watch(SuiteApi api, WatchLookupRequest request, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var failures = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            using var call = api.Lookup.WatchLookup(request, cancellationToken: cancellationToken);
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
                request.AfterVersion = view.Version;
                yield return view;
            }
        }
    }

    /// <summary>Nothing more is to come by itself: delivered, or cancelled with the money back.</summary>
    public static bool IsOver(LookupView view) => view.Order is { } order
        && (order.State == OrderState.Completed
            || (order.State == OrderState.Cancelled && order.PaymentState is Commerce.Orders.V1.PaymentState.Refunded or Commerce.Orders.V1.PaymentState.Failed));

    private static Option<string> StoreOption() => new("--store") { Description = "The store that gave the number out, where several may have." };

    private static Option<string> PartsOption() => new("--parts")
    {
        Description = "Only these parts, separated by commas: order, returns, payment, documents, shipments, notifications, journeys (what anybody may know of a parcel).",
    };

    private static FieldMask? MaskOf(string? parts) => string.IsNullOrWhiteSpace(parts) ? null : new FieldMask { Paths = { parts.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) } };

    private static Argument<string> CodeArgument() => new("CODE") { Description = "As for lookup." };
}
