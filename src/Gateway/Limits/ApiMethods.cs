using System.Collections.Frozen;
using Commerce.Gateway.OpenApi;
using Commerce.Operations.V1;
using Google.Protobuf.Reflection;

namespace Commerce.Gateway.Limits;

/// <summary>Which method a request is for, before anything is routed: by its path on gRPC, by verb and path on REST.</summary>
internal static class ApiMethods
{
    private static readonly IReadOnlyList<MethodDescriptor> Descriptors =
        [.. PublicApi.Services.Append(MessagingService.Descriptor).SelectMany(service => service.Methods)];

    // REST that is written by hand, since transcoding knows no streams.
    private static readonly (string Method, string Verb, string Path)[] ByHand =
    [
        ("WatchLookup", "GET", "/v1/lookup/{code}:watch"),
        ("WatchStock", "GET", "/v1/stores/{store}/stock:watch"),
        ("ExportOrders", "GET", "/v1/orders:export"),
    ];

    private static readonly FrozenDictionary<string, ApiMethod> Grpc =
        Descriptors.Select(ApiMethod.Of).ToFrozenDictionary(method => method.Name, StringComparer.Ordinal);

    private static readonly FrozenDictionary<(string Verb, int Segments), Template[]> Rest = Descriptors
        .SelectMany(RulesOf)
        .GroupBy(template => (template.Verb, template.Segments.Length))
        // "orders:export" before "{anything}": a pattern takes what no other one is meant for.
        .ToFrozenDictionary(group => group.Key, group => group.OrderByDescending(template => template.Literals).ToArray());

    /// <summary>All of them.</summary>
    public static IEnumerable<ApiMethod> All => Descriptors.Select(ApiMethod.Of);

    /// <summary>The method; null: this is no call of the API.</summary>
    public static ApiMethod? Find(HttpRequest request)
    {
        var path = request.Path.Value ?? "";
        if (Grpc.TryGetValue(path, out var method))
            return method;
        if (!IsApi(request.Path))
            return null;
        var trimmed = path.AsSpan().Trim('/');
        var count = trimmed.Count('/') + 1;
        if (count > Template.Most || !Rest.TryGetValue((request.Method, count), out var templates))
            return ApiMethod.None;
        Span<Range> segments = stackalloc Range[Template.Most];
        trimmed.Split(segments, '/');
        foreach (var template in templates)
        {
            if (template.Fits(trimmed, segments[..count]))
                return template.Method;
        }

        return ApiMethod.None;
    }

    /// <summary>Whether it is a call of the API, and not health or a page.</summary>
    public static bool IsApi(PathString path) =>
        path.StartsWithSegments("/v1", StringComparison.OrdinalIgnoreCase) || path.Value?.StartsWith("/commerce.", StringComparison.OrdinalIgnoreCase) == true;

    private static IEnumerable<Template> RulesOf(MethodDescriptor descriptor)
    {
        var method = ApiMethod.Of(descriptor);
        if (PublicApi.RuleOf(descriptor) is { } rule)
        {
            foreach (var (verb, path) in rule.AdditionalBindings.Prepend(rule).Select(PublicApi.PathOf))
                yield return new Template(method, verb, PathTemplate.Parse(path).Path);
        }

        foreach (var (_, verb, path) in ByHand.Where(one => one.Method == descriptor.Name))
            yield return new Template(method, verb, path);
    }

    private sealed class Template
    {
        public const int Most = 12;

        public Template(ApiMethod method, string verb, string path)
        {
            (Method, Verb, Segments) = (method, verb, path.Trim('/').Split('/'));
            Literals = Segments.Sum(segment => segment.Contains('{', StringComparison.Ordinal) ? segment.Contains(':', StringComparison.Ordinal) ? 1 : 0 : 2);
        }

        public ApiMethod Method { get; }

        public string Verb { get; }

        public string[] Segments { get; }

        public int Literals { get; }

        public bool Fits(ReadOnlySpan<char> path, ReadOnlySpan<Range> segments)
        {
            for (var i = 0; i < segments.Length; i++)
            {
                var given = path[segments[i]];
                var should = Segments[i];
                var fits = should[0] == '{'
                    ? given.EndsWith(should.AsSpan(should.IndexOf('}', StringComparison.Ordinal) + 1), StringComparison.OrdinalIgnoreCase)
                    : given.Equals(should, StringComparison.OrdinalIgnoreCase);
                if (!fits)
                    return false;
            }

            return true;
        }
    }
}
