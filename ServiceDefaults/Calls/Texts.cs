using System.Collections;
using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Commerce.ServiceDefaults;

/// <summary>
/// Texts that can be stored nowhere: with a NUL, which Postgres has in no text, or with half of a surrogate pair, which is in no
/// encoding. Every text of every request is looked at, whoever uses it for what.
/// </summary>
internal static class Texts
{
    private const int Most = 20;
    private const int Deepest = 100;

    private static readonly ConcurrentDictionary<MessageDescriptor, Plan> Plans = new();

    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public static void Check(IMessage message)
    {
        if (Find(message, "", null, 0) is { Count: > 0 } errors)
            throw Failure.Invalid(errors);
    }

    private static List<FieldError>? Find(IMessage message, string path, List<FieldError>? errors, int depth)
    {
        if (depth == Deepest)
            return errors;
        foreach (var field in Plans.GetOrAdd(message.Descriptor, Plan.Of).Fields)
        {
            switch (field.Accessor.GetValue(message))
            {
                case string text when !IsWhole(text):
                    errors = Add(errors, path + field.Name);
                    break;
                case IMessage inner:
                    errors = Find(inner, $"{path}{field.Name}.", errors, depth + 1);
                    break;
                case IDictionary map:
                    foreach (DictionaryEntry entry in map)
                    {
                        if (entry.Key is string key && !IsWhole(key) || entry.Value is string value && !IsWhole(value))
                            errors = Add(errors, path + field.Name);
                        if (entry.Value is IMessage inner)
                            errors = Find(inner, $"{path}{field.Name}.", errors, depth + 1);
                    }

                    break;
                case IList { Count: > 0 } list:
                    errors = InList(list, path + field.Name, errors, depth);
                    break;
            }
        }

        return errors;
    }

    private static List<FieldError>? InList(IList list, string path, List<FieldError>? errors, int depth)
    {
        for (var i = 0; i < list.Count; i++)
        {
            if (list[i] is string text)
            {
                if (!IsWhole(text))
                    errors = Add(errors, $"{path}[{i}]");
            }
            else if (list[i] is IMessage inner)
            {
                errors = Find(inner, $"{path}[{i}].", errors, depth + 1);
            }
        }

        return errors;
    }

    private static List<FieldError> Add(List<FieldError>? errors, string path)
    {
        errors ??= [];
        if (errors.Count < Most)
            errors.Add(new FieldError(path, "Holds a NUL (U+0000) or half of a surrogate pair: send text that is whole."));
        return errors;
    }

    private static bool IsWhole(string text) => !text.Contains('\0') && (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF') || HasOnlyPairs(text));

    private static bool HasOnlyPairs(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
                continue;
            if (!char.IsHighSurrogate(text[i]) || ++i == text.Length || !char.IsLowSurrogate(text[i]))
                return false;
        }

        return true;
    }

    /// <summary>The fields of a message that are texts, or have some inside.</summary>
    private sealed record Plan((string Name, IFieldAccessor Accessor)[] Fields)
    {
        public static Plan Of(MessageDescriptor message) =>
            new([.. message.Fields.InFieldNumberOrder().Where(field => Holds(field, [])).Select(field => (field.Name, field.Accessor))]);

        private static bool Holds(FieldDescriptor field, HashSet<MessageDescriptor> seen) => field.FieldType switch
        {
            FieldType.String => true,
            FieldType.Message or FieldType.Group => seen.Add(field.MessageType) && field.MessageType.Fields.InFieldNumberOrder().Any(inner => Holds(inner, seen)),
            _ => false,
        };
    }
}
