using System.Text.Json.Nodes;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Google.Protobuf;

namespace Commerce.Orders.ExportingOrders;

/// <summary>ExportOrders on REST, by hand: JSON transcoding would wrap each piece of the file in JSON.</summary>
internal static class ExportEndpoint
{
    private const string Prefix = "filter.";

    public static void MapOrderExport(this IEndpointRouteBuilder routes) => routes.MapGet("/v1/orders:export", Export);

    private static async Task Export(HttpContext http, ExportOrders export, AccessControl access)
    {
        var request = new ExportOrdersRequest { Filter = Read(http.Request.Query) };
        access.Require(http, "/commerce.orders.v1.OrderService/ExportOrders", request);
        var query = await export.Prepare(request.Filter, http.RequestAborted);
        http.Response.ContentType = "text/csv; charset=utf-8; header=present";
        http.Response.Headers.ContentDisposition = "attachment; filename=orders.csv";
        http.Response.Headers.CacheControl = "no-store";
        await export.Write(query, async piece => await http.Response.Body.WriteAsync(piece, http.RequestAborted), http.RequestAborted);
    }

    /// <summary>The filter as transcoding would read it: "filter.email", "filter.totalFrom.units", a list by repetition.</summary>
    /// <exception cref="Failure">INVALID_FIELD.</exception>
    internal static OrderFilter Read(IQueryCollection query)
    {
        var json = new JsonObject();
        foreach (var (name, values) in query)
        {
            if (!name.StartsWith(Prefix, StringComparison.Ordinal))
                throw Failure.Invalid(new FieldError(name, "Is not known here; every parameter begins with \"filter.\"."));
            var path = name[Prefix.Length..].Split('.');
            var descriptor = OrderFilter.Descriptor;
            var at = json;
            foreach (var outer in path[..^1])
                at = at[outer] as JsonObject ?? (JsonObject)(at[outer] = new JsonObject());
            var field = path.Length == 1 ? descriptor.Fields.InDeclarationOrder().FirstOrDefault(one => one.JsonName == path[0] || one.Name == path[0]) : null;
            at[path[^1]] = field?.IsRepeated == true
                ? new JsonArray([.. values.Select(value => JsonValue.Create(value))])
                : values is [var single] ? JsonValue.Create(single) : throw Failure.Invalid(new FieldError(name, "Is given more than once."));
        }

        try
        {
            return JsonParser.Default.Parse<OrderFilter>(json.ToJsonString());
        }
        catch (Exception exception) when (exception is InvalidProtocolBufferException or InvalidJsonException or FormatException or OverflowException)
        {
            throw Failure.Invalid(new FieldError("filter", $"Cannot be read: {exception.Message}"));
        }
    }
}
