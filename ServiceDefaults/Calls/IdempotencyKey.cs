using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.Http;

namespace Commerce.ServiceDefaults;

/// <summary>On REST the header Idempotency-Key may carry the request_id of a call that has one.</summary>
internal static class IdempotencyKey
{
    private const string Header = "Idempotency-Key";
    private const string FieldName = "request_id";

    private static readonly ConcurrentDictionary<MessageDescriptor, IFieldAccessor?> Accessors = new();

    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public static void Apply(HttpContext http, IMessage request)
    {
        if (!http.Request.Headers.TryGetValue(Header, out var values) || Accessors.GetOrAdd(request.Descriptor, AccessorOf) is not { } accessor)
            return;
        var key = Unquoted(values.ToString());
        var given = (string)accessor.GetValue(request);
        if (values.Count != 1 || key.Length == 0)
            throw Failure.Invalid(new FieldError(FieldName, $"Send the header {Header} once, with a value."));
        if (given.Length > 0 && given != key)
            throw Failure.Invalid(new FieldError(FieldName, $"The header {Header} and {FieldName} differ; send one of them, or the same in both."));
        accessor.SetValue(request, key);
    }

    private static IFieldAccessor? AccessorOf(MessageDescriptor descriptor) =>
        descriptor.FindFieldByName(FieldName) is { FieldType: FieldType.String, IsRepeated: false } field ? field.Accessor : null;

    // The draft standard has a quoted string; most clients send it bare.
    private static string Unquoted(string value) => value is ['"', .., '"'] && value.Length >= 2 ? value[1..^1] : value;
}
