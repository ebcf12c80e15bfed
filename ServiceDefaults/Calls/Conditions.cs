using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Commerce.ServiceDefaults;

/// <summary>
/// Conditional requests on REST (RFC 9110, 13): what has an etag, or else a version, is answered with it in ETag; a read with
/// If-None-Match that names it is answered with 304; a write with If-Match passes it to the method as the etag that it takes.
/// An etag field is quoted as the header is (AIP-154). The tag is the resource's state, not its bytes: no ranges are served, so it stays strong under any coding.
/// </summary>
internal static class Conditions
{
    private const string Field = "etag";

    private static readonly object NotModifiedKey = new();
    private static readonly object IfMatchKey = new();
    private static readonly ConcurrentDictionary<MessageDescriptor, Func<IMessage, string>?> Tags = new();
    private static readonly ConcurrentDictionary<MessageDescriptor, Expectation?> Expectations = new();

    /// <summary>The answer is what the caller has already.</summary>
    public static bool IsNotModified(HttpContext http) => http.Items.ContainsKey(NotModifiedKey);

    /// <summary>The caller set If-Match, so an etag that does not hold is 412 and not 409.</summary>
    public static bool HasIfMatch(HttpContext http) => http.Items.ContainsKey(IfMatchKey);

    /// <summary>Before the call: what the headers expect goes into the request.</summary>
    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public static void Expect(HttpContext http, IMessage request)
    {
        var headers = http.Request.Headers;
        if (headers.IfMatch is { Count: > 0 } match)
            Expect(http, request, match);
        if (headers.IfNoneMatch.Count > 0 && !HttpMethods.IsGet(http.Request.Method))
            throw Failure.Invalid(new FieldError(HeaderNames.IfNoneMatch, "Only reads take it; make a write depend on what was read with If-Match."));
    }

    /// <summary>After the call: the answer's tag, and whether the caller has it already.</summary>
    public static void Tell(HttpContext http, IMessage answer)
    {
        if (TagOf(answer) is not { Length: > 0 } tag)
            return;
        var headers = http.Response.Headers;
        headers.ETag = tag;
        headers.CacheControl = "private, no-cache";
        headers.Append(HeaderNames.Vary, "Authorization, x-api-key");
        if (HttpMethods.IsGet(http.Request.Method) && Names(http.Request.Headers.IfNoneMatch, tag))
            http.Items[NotModifiedKey] = true;
    }

    private static void Expect(HttpContext http, IMessage request, StringValues header)
    {
        // It exists: the method says if it does not.
        if (header is ["*"])
            return;
        if (!EntityTagHeaderValue.TryParseList(header, out var tags) || tags is not [var tag])
            throw Failure.Invalid(new FieldError(HeaderNames.IfMatch, "Send one etag as it was read, in quotes, for example \"7\"; or *."));
        if (Expectations.GetOrAdd(request.Descriptor, Expectation.Of) is not { } expectation)
            throw Failure.Invalid(new FieldError(HeaderNames.IfMatch, "This method cannot depend on an etag; leave the header out."));

        // A proxy that compresses makes a tag weak; the state that it names is the same.
        var value = tag.Tag.ToString();
        var given = expectation.Read(request);
        if (given.Length > 0 && given != value)
            throw Failure.Invalid(new FieldError(Field, $"The header {HeaderNames.IfMatch} and {Field} differ; send one of them, or the same in both."));
        expectation.Write(request, value);
        http.Items[IfMatchKey] = true;
    }

    private static bool Names(StringValues header, string tag)
    {
        if (header is ["*"])
            return true;
        return EntityTagHeaderValue.TryParseList(header, out var tags) && tags.Any(one => one.Tag.AsSpan().SequenceEqual(tag));
    }

    private static string? TagOf(IMessage answer) => Tags.GetOrAdd(answer.Descriptor, ReaderOf)?.Invoke(answer);

    private static Func<IMessage, string>? ReaderOf(MessageDescriptor descriptor)
    {
        if (descriptor.FindFieldByName(Field) is { FieldType: FieldType.String, IsRepeated: false } etag)
            return answer => (string)etag.Accessor.GetValue(answer);
        if (descriptor.FindFieldByName("version") is not { FieldType: FieldType.Int64, IsRepeated: false } version)
            return null;
        // What is shown of a part that does not answer is not told by the version.
        var stale = descriptor.FindFieldByName("stale_parts");
        return answer => stale?.Accessor.GetValue(answer) is System.Collections.ICollection { Count: > 0 } || version.Accessor.GetValue(answer) is 0L
            ? ""
            : $"\"{version.Accessor.GetValue(answer)}\"";
    }

    /// <summary>Where a request says which etag it expects: in a field of its own, or in the resource that it brings.</summary>
    private sealed record Expectation(IFieldAccessor? Resource, IFieldAccessor Etag)
    {
        public static Expectation? Of(MessageDescriptor request)
        {
            if (EtagOf(request) is { } own)
                return new Expectation(null, own);
            var resources = request.Fields.InDeclarationOrder()
                .Where(field => field is { FieldType: FieldType.Message, IsRepeated: false, IsMap: false } && EtagOf(field.MessageType) is not null).ToList();
            return resources is [var resource] ? new Expectation(resource.Accessor, EtagOf(resource.MessageType)!) : null;
        }

        public string Read(IMessage request) => Owner(request) is { } owner ? (string)Etag.GetValue(owner) : "";

        public void Write(IMessage request, string etag)
        {
            var owner = Owner(request) ?? throw Failure.Invalid(new FieldError(HeaderNames.IfMatch, "There is nothing in the request that it could be about."));
            Etag.SetValue(owner, etag);
        }

        private IMessage? Owner(IMessage request) => Resource is null ? request : (IMessage?)Resource.GetValue(request);

        private static IFieldAccessor? EtagOf(MessageDescriptor message) =>
            message.FindFieldByName(Field) is { FieldType: FieldType.String, IsRepeated: false } field ? field.Accessor : null;
    }
}
