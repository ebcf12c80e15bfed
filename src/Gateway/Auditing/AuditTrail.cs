using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Commerce.Gateway.Limits;
using Commerce.Gateway.Shoppers;
using Commerce.ServiceDefaults;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;

namespace Commerce.Gateway.Auditing;

/// <summary>Writes every call from outside down, however it ends.</summary>
internal sealed class AuditTrail(RequestDelegate next, AuditLog log, TimeProvider time)
{
    private const string Grpc = "/commerce.";
    private const int LongestPath = 200;
    private const int MostClients = 10_000;

    private static readonly ConcurrentDictionary<IPAddress, string> Clients = new();
    // As many as there are in the protos.
    private static readonly ConcurrentDictionary<string, string> Methods = new(StringComparer.Ordinal);
    private static readonly ConcurrentDictionary<string, bool> Reads = new(StringComparer.Ordinal);
    // By number, as google.rpc.Code has them.
    private static readonly string[] Names = [.. CodeReflection.Descriptor.EnumTypes.Single().Values.OrderBy(code => code.Number).Select(code => code.Name)];
    private static readonly string Ok = Names[0];

    public Task Invoke(HttpContext http)
    {
        if (!ApiMethods.IsApi(http.Request.Path))
            return next(http);
        log.RequireRoom();
        var began = Stopwatch.GetTimestamp();
        var trail = new Trail(this, http, began);
        http.Features.Set<CallTrail>(trail);
        Task call;
        try
        {
            call = next(http);
        }
        catch (Exception exception)
        {
            Write(http, trail, began, ResultOf(exception));
            throw;
        }

        if (!call.IsCompletedSuccessfully)
            return Await(http, trail, began, call);
        Write(http, trail, began, ResultOf(http));
        return call;
    }

    private async Task Await(HttpContext http, CallTrail trail, long began, Task call)
    {
        try
        {
            await call;
        }
        catch (Exception exception)
        {
            Write(http, trail, began, ResultOf(exception));
            throw;
        }

        Write(http, trail, began, ResultOf(http));
    }

    private void Write(HttpContext http, CallTrail trail, long began, string result)
    {
        var caller = Principal.Established(http);
        var took = Stopwatch.GetElapsedTime(began);
        // Who looks at the same thing again and again is written down once a while, with how often.
        if (caller is not null && trail.Method is { } read && ReferenceEquals(result, Ok) && Reads.GetOrAdd(read, IsRead) && trail.IsShort(out var first, out var second)
            && log.IsRepeated(new RepeatedCall(caller.ToString(), read, first, second, ClientOf(http.Connection.RemoteIpAddress))))
            return;
        var now = time.GetUtcNow();
        log.Write(new AuditRecord(
            now - took, Guid.CreateVersion7(now), caller?.ToString() ?? "", caller?.Stores is { } stores ? [.. stores] : null,
            trail.Method is { } method ? Methods.GetOrAdd(method, ShortOf) : ShortOf(PathOf(OpenPaths.Shown(http.Request.Path))), ResourcesOf(trail.Names), result,
            Activity.Current?.TraceId.ToHexString() ?? http.TraceIdentifier, ClientOf(http.Connection.RemoteIpAddress), (long)took.TotalMicroseconds, 1));
    }

    // Of one thing: what a list shows is another thing each time.
    private static bool IsRead(string method) => method.Contains("/Get", StringComparison.Ordinal) || method.EndsWith("/Lookup", StringComparison.Ordinal);

    /// <summary>"/commerce.orders.v1.OrderService/GetOrder" is "OrderService.GetOrder".</summary>
    internal static string ShortOf(string method)
    {
        var slash = method.LastIndexOf('/');
        var dot = slash > 0 && method.StartsWith(Grpc, StringComparison.Ordinal) ? method.LastIndexOf('.', slash) : -1;
        return dot < 0 ? method : string.Concat(method.AsSpan(dot + 1, slash - dot - 1), ".", method.AsSpan(slash + 1));
    }

    // Whoever may see nothing may still write a path that says something: only what an API's path is made of is kept of it.
    private static string PathOf(PathString path)
    {
        var text = path.Value ?? "";
        if (text.Length > LongestPath)
            text = text[..LongestPath];
        return string.Concat(text.Select(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '-' or '_' or '.' or ':' ? c : '?'));
    }

    // What is part of an order is found by the order, too.
    internal static string[] ResourcesOf(IReadOnlyList<string> names)
    {
        switch (names.Count)
        {
            case 0:
                return [];
            case 1 when !names[0].Contains('/', StringComparison.Ordinal) || OrderOf(names[0]) is null:
                return [names[0]];
        }

        var all = new HashSet<string>(names.Count + 1, StringComparer.Ordinal);
        foreach (var name in names)
        {
            all.Add(name);
            if (OrderOf(name) is { } order)
                all.Add(order);
        }

        return [.. all];
    }

    private static string? OrderOf(string name)
    {
        const string orders = "orders/", payments = "payments/";
        var begin = name.StartsWith(orders, StringComparison.Ordinal) ? orders.Length : name.StartsWith(payments, StringComparison.Ordinal) ? payments.Length : -1;
        if (begin < 0)
            return null;
        var end = name.IndexOf('/', begin);
        return end < 0 && begin == orders.Length ? null : orders + (end < 0 ? name[begin..] : name[begin..end]);
    }

    private static string ResultOf(HttpContext http)
    {
        var response = http.Response;
        if (!response.Headers.TryGetValue("grpc-status", out var status) && http.Features.Get<IHttpResponseTrailersFeature>() is { } trailers)
            trailers.Trailers?.TryGetValue("grpc-status", out status);
        if (int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var code) && code < Names.Length)
            return Names[code];
        return response.StatusCode switch
        {
            < 400 => Names[(int)StatusCode.OK],
            400 => Names[(int)StatusCode.InvalidArgument],
            401 => Names[(int)StatusCode.Unauthenticated],
            403 => Names[(int)StatusCode.PermissionDenied],
            404 or 405 => Names[(int)StatusCode.NotFound],
            409 or 412 => Names[(int)StatusCode.Aborted],
            413 or 429 => Names[(int)StatusCode.ResourceExhausted],
            499 => Names[(int)StatusCode.Cancelled],
            502 or 503 => Names[(int)StatusCode.Unavailable],
            504 => Names[(int)StatusCode.DeadlineExceeded],
            < 500 => Names[(int)StatusCode.InvalidArgument],
            _ => Names[(int)StatusCode.Internal],
        };
    }

    private static string ResultOf(Exception exception) => Names[(int)(exception switch
    {
        Failure failure => ErrorReasons.CodeOf(failure.Reason),
        RpcException rpc => rpc.StatusCode,
        OperationCanceledException => StatusCode.Cancelled,
        _ => StatusCode.Internal,
    })];

    private static string ClientOf(IPAddress? address)
    {
        if (address is null)
            return "";
        if (Clients.TryGetValue(address, out var known))
            return known;
        if (Clients.Count >= MostClients)
            Clients.Clear();
        return Clients[address] = Truncated(address);
    }

    private static string Truncated(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(bytes.Length == 4 ? 3 : 6).Clear();
        return new IPAddress(bytes).ToString();
    }

    private sealed class Trail(AuditTrail owner, HttpContext http, long began) : CallTrail
    {
        protected override void Opened() => owner.Write(http, this, began, "OPENED");
    }
}

/// <summary>Puts it before whoever asks who calls, so that those who are turned away there are written down, too.</summary>
internal sealed class AuditTrailFilter : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.UseMiddleware<AuditTrail>();
        next(app);
    };
}
