namespace Commerce.Sandbox.Http;

/// <summary>A request that the outside world turns down; becomes an RFC 9457 problem with a machine-readable <c>code</c>.</summary>
internal sealed class Refusal(int status, string code, string detail) : Exception(detail)
{
    public int Status { get; } = status;

    public string Code { get; } = code;

    /// <summary>What is wrong with which field, by its JSON path; empty when no single field is to blame.</summary>
    public IReadOnlyDictionary<string, string[]> Errors { get; init; } = new Dictionary<string, string[]>();

    public static Refusal NotFound(string what, string id) => new(404, "not_found", $"There is no {what} {id}.");

    public static Refusal Conflict(string code, string detail) => new(409, code, detail);

    public static Refusal Unprocessable(string code, string detail) => new(422, code, detail);
}
