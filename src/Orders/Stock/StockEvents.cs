using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Google.Protobuf;

namespace Commerce.Orders.Stock;

/// <summary>WatchStock as server-sent events; each event's id is the version, so that a browser's own reconnect resumes there.</summary>
internal static class StockEvents
{
    private static readonly JsonFormatter Json = new(JsonFormatter.Settings.Default.WithFormatDefaultValues(true));

    public static void MapStockEvents(this IEndpointRouteBuilder routes) => routes.MapGet("/v1/stores/{store}/stock:watch", Stream);

    private static async Task Stream(string store, HttpContext http, WatchStock stock, AccessControl access)
    {
        var cancellationToken = http.RequestAborted;
        var request = new WatchStockRequest { Parent = "stores/" + store, AfterVersion = ServerSentEvents.AfterVersion(http.Request), Skus = { http.Request.Query["skus"].OfType<string>() } };
        access.Require(http, "/commerce.orders.v1.StockService/WatchStock", request);
        // Before the response begins, so that what is wrong is an error and not a silent stream.
        using var watch = await stock.Open(request, cancellationToken);
        await ServerSentEvents.Begin(http, cancellationToken);
        try
        {
            await foreach (var answer in watch.Read(cancellationToken))
            {
                await ServerSentEvents.Write(http.Response, answer.Version, "stock", Json.Format(answer), cancellationToken);
                await http.Response.Body.FlushAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The client left.
        }
    }
}
