using System.Text;

namespace Commerce.Sandbox.Http;

/// <summary>Collects what is wrong with a request, so that the caller hears of all of it at once.</summary>
internal sealed class Validation
{
    private readonly Dictionary<string, List<string>> _errors = [];

    public void Require(bool valid, string path, string message)
    {
        if (valid) return;
        if (!_errors.TryGetValue(path, out var messages)) _errors[path] = messages = [];
        messages.Add(message);
    }

    public void Text(string? value, string path, int max, bool required = true)
    {
        if (string.IsNullOrWhiteSpace(value))
        {
            Require(!required, path, "is required");
            return;
        }

        Require(value.Length <= max, path, $"must be at most {max} characters");
        Require(!value.Any(char.IsControl), path, "must not contain control characters");
        Require(IsWellFormed(value), path, "must be well-formed Unicode");
    }

    public void Range(long? value, string path, long min, long max) =>
        Require(value >= min && value <= max, path, $"is required and must lie between {min} and {max}");

    public void ThrowIfInvalid()
    {
        if (_errors.Count == 0) return;
        var words = string.Join("; ", _errors.Select(e => $"{e.Key} {e.Value[0]}"));
        throw new Refusal(422, "invalid_request", words + ".") { Errors = _errors.ToDictionary(e => e.Key, e => e.Value.ToArray()) };
    }

    private static bool IsWellFormed(string value)
    {
        for (var rest = value.AsSpan(); !rest.IsEmpty;)
        {
            if (Rune.DecodeFromUtf16(rest, out _, out var consumed) != System.Buffers.OperationStatus.Done) return false;
            rest = rest[consumed..];
        }

        return true;
    }
}
