using Commerce.Gateway.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Google.Protobuf.Reflection;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Lookup;

/// <summary>Looks several codes up at once; what goes wrong with one does not spoil the others.</summary>
internal sealed class BatchLookup(CodeLookup lookup, IOptions<GatewayOptions> options)
{
    private const int MaxCodes = 500;
    private const string ReasonPrefix = "ERROR_REASON_";

    private static readonly EnumDescriptor Reasons = ErrorReasonReflection.Descriptor.EnumTypes[0];

    public async Task<BatchLookupResponse> Find(IReadOnlyList<string> codes, CancellationToken cancellationToken)
    {
        if (codes.Count is 0 or > MaxCodes)
            throw Failure.Invalid(new FieldError("codes", $"1 to {MaxCodes} codes are needed; {codes.Count} were given."));

        var results = new BatchLookupResponse.Types.Result[codes.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, codes.Count),
            new ParallelOptions { MaxDegreeOfParallelism = options.Value.BatchParallelism, CancellationToken = cancellationToken },
            async (i, token) => results[i] = await Find(codes[i], token));
        return new BatchLookupResponse { Results = { results } };
    }

    private async Task<BatchLookupResponse.Types.Result> Find(string code, CancellationToken cancellationToken)
    {
        try
        {
            return new BatchLookupResponse.Types.Result { Code = code, View = (await lookup.Find(code, 0, cancellationToken)).ToMessage() };
        }
        catch (Failure failure)
        {
            return new BatchLookupResponse.Types.Result
            {
                Code = code,
                ErrorReason = Reasons.FindValueByNumber((int)failure.Reason).Name[ReasonPrefix.Length..],
                ErrorMessage = failure.Message,
            };
        }
    }
}
