using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.Http;

namespace Commerce.ServiceDefaults;

/// <summary>
/// What a call from outside was about: its method, and the names of what it read or changed. The Gateway keeps an audit and does not
/// read what it passes on, so the service that is called says it, in a header of its answer that the Gateway takes out. Of people there
/// is only a hash in it, which the Gateway hashes again, with a key.
/// </summary>
public class CallTrail
{
    /// <summary>The header of an answer to the Gateway: the method, and behind a space the names, separated by commas and percent-encoded.</summary>
    public const string Header = "commerce-trail";

    /// <summary>What stands before the hash of somebody's e-mail address, phone number or customer id.</summary>
    public const string PersonPrefix = "person!";

    /// <summary>What stands before the shop's own id of a customer where somebody asks for it.</summary>
    public const string Customers = "customers/";

    private const int MostNames = 500;
    private const int LongestHeader = 6000;
    private const int LongestName = 200;

    private static readonly SearchValues<char> OfCodes = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:");
    private static readonly SearchValues<char> OfNames = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/");
    private static readonly ConcurrentDictionary<MessageDescriptor, Source[]> Sources = new();

    // Most calls are about one thing or two: those need no list.
    private string? _first;
    private string? _second;
    private List<string>? _names;

    /// <summary>For example "/commerce.orders.v1.OrderService/GetOrder"; null: nobody said.</summary>
    public string? Method { get; private set; }

    /// <summary>The names, each once, in the order in which they became known.</summary>
    public IReadOnlyList<string> Names => _names ?? (_first is null ? [] : _second is null ? (IReadOnlyList<string>)[_first] : [_first, _second]);

    /// <summary>The names if there are at most two, without a list of them; the second is null where there is one, the first where there is none.</summary>
    public bool IsShort(out string? first, out string? second)
    {
        (first, second) = (_first, _second);
        return _names is null;
    }

    /// <summary>Where the running process keeps the audit itself; null elsewhere.</summary>
    public static CallTrail? Of(HttpContext http) => http.Features.Get<CallTrail>();

    /// <summary>Adds a name.</summary>
    public void About(string name)
    {
        if (_names is null)
        {
            if (_first is null || _first == name)
            {
                _first = name;
                return;
            }

            if (_second is null || _second == name)
            {
                _second = name;
                return;
            }

            _names = [_first, _second];
        }

        if (_names.Count < MostNames && !_names.Contains(name))
            _names.Add(name);
    }

    /// <summary>A stream begins: it may be open for hours.</summary>
    protected internal virtual void Opened()
    {
    }

    /// <summary>Reads what a service said.</summary>
    public void Read(string header)
    {
        var space = header.IndexOf(' ', StringComparison.Ordinal);
        Method = space < 0 ? header : header[..space];
        foreach (var name in space < 0 ? [] : header[(space + 1)..].Split(',', StringSplitOptions.RemoveEmptyEntries))
            About(Uri.UnescapeDataString(name));
    }

    /// <summary>The hash of somebody's e-mail address or phone number, as a name; null: it is none.</summary>
    public static string? PersonOf(string contact)
    {
        var text = contact.Contains('@', StringComparison.Ordinal) ? contact.Trim().ToLowerInvariant() : string.Concat(contact.Where(char.IsAsciiDigit));
        return text.Length == 0 ? null : Hash(text);
    }

    /// <summary>The hash of the shop's own id of a customer, as a name.</summary>
    public static string CustomerOf(string customerId) => Hash(Customers + customerId);

    private static string Hash(string text) => PersonPrefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>Says what a call is about, once.</summary>
    public static void Tell(HttpContext http, Principal principal, string method, IMessage? request, IMessage? answer = null)
    {
        if (Of(http) is { } own)
        {
            own.Method = method;
            own.Add(request);
            own.Add(answer);
            return;
        }

        // Services keep no audit of each other.
        if (principal.Kind == PrincipalKind.Service || principal.Via is not null || http.Response.HasStarted)
            return;
        var trail = new CallTrail { Method = method };
        trail.Add(request);
        trail.Add(answer);
        http.Response.Headers[Header] = trail.ToHeader();
    }

    private string ToHeader()
    {
        var text = new StringBuilder(Method);
        var left = 0;
        foreach (var name in Names)
        {
            var escaped = Uri.EscapeDataString(name);
            if (text.Length + escaped.Length > LongestHeader)
                left++;
            else
                text.Append(text.Length == Method!.Length ? ' ' : ',').Append(escaped);
        }

        // Never silently: how many there were besides.
        return left == 0 ? text.ToString() : text.Append(",more%2F").Append(left).ToString();
    }

    private void Add(IMessage? message)
    {
        if (message is null)
            return;
        foreach (var source in Sources.GetOrAdd(message.Descriptor, static descriptor => [.. SourcesOf(descriptor, [], 0)]))
            source.Read(message, this);
    }

    private static IEnumerable<Source> SourcesOf(MessageDescriptor message, FieldDescriptor[] path, int depth)
    {
        foreach (var field in message.Fields.InDeclarationOrder())
        {
            if (field.FieldType == FieldType.String && PrefixOf(field.Name) is { } prefix)
                yield return new Source([.. path, field], prefix);
            // What a list is about is its question.
            else if (field is { FieldType: FieldType.Message, IsRepeated: false, IsMap: false } && depth < 2 && field.MessageType.File.Package.StartsWith("commerce.", StringComparison.Ordinal))
            {
                foreach (var one in SourcesOf(field.MessageType, [.. path, field], depth + 1))
                    yield return one;
            }
        }
    }

    // Empty: the field holds names as they are.
    private static string? PrefixOf(string field) => field switch
    {
        "name" or "names" or "parent" or "order" or "shipment" or "return" or "payment" => "",
        "order_id" or "order_ids" => "orders/",
        "store_id" => "stores/",
        "customer_id" => Customers,
        "tracking_number" or "tracking_numbers" => "tracking/",
        "code" or "codes" => "codes/",
        "external_id" or "external_ids" => "externalIds/",
        "email" or "phone" => PersonPrefix,
        _ => null,
    };

    private sealed record Source(FieldDescriptor[] Path, string Prefix)
    {
        public void Read(IMessage message, CallTrail trail)
        {
            for (var i = 0; i < Path.Length - 1; i++)
            {
                if (Path[i].Accessor.GetValue(message) is not IMessage inner)
                    return;
                message = inner;
            }

            switch (Path[^1].Accessor.GetValue(message))
            {
                case string text:
                    Add(text, trail);
                    break;
                case IEnumerable<string> texts:
                    foreach (var text in texts)
                        Add(text, trail);
                    break;
            }
        }

        private void Add(string text, CallTrail trail)
        {
            if (text.Length == 0)
                return;
            if (Prefix == PersonPrefix)
            {
                if (PersonOf(text) is { } person)
                    trail.About(person);
            }
            else if (Prefix == Customers)
            {
                trail.About(CustomerOf(text));
            }
            // A name has a collection before it: what people are called has none. A code is one only if it looks like one: whatever else
            // somebody typed may be about somebody.
            else if (Prefix.Length == 0 ? IsName(text) : IsCode(text))
            {
                trail.About(Prefix + text);
            }
        }

        private static bool IsName(string text) =>
            text.Length <= LongestName && text.Contains('/', StringComparison.Ordinal) && !text.AsSpan().ContainsAnyExcept(OfNames);

        private static bool IsCode(string text) => text.Length <= 64 && !text.AsSpan().ContainsAnyExcept(OfCodes);
    }
}
