using Commerce.Gateway.V1;
using Commerce.Gateway.Views;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Lookup;

/// <summary>Looks several codes up at once; what goes wrong with one does not spoil the others.</summary>
internal sealed class BatchLookup(CodeLookup lookup, IOptions<GatewayOptions> options)
{
    private const int MaxCodes = 500;
    private const string ReasonPrefix = "ERROR_REASON_";

    private static readonly EnumDescriptor Reasons = ErrorReasonReflection.Descriptor.EnumTypes[0];

    /// <summary>A BatchLookupResponse, serialised.</summary>
    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public async Task<byte[]> Find(BatchLookupRequest request, Audience audience, CancellationToken cancellationToken)
    {
        if (request.Codes.Count is 0 or > MaxCodes)
            throw Failure.Invalid(new FieldError("codes", $"1 to {MaxCodes} codes are needed; {request.Codes.Count} were given."));

        using var gate = new SemaphoreSlim(options.Value.BatchParallelism);
        var codes = request.Codes.Distinct(StringComparer.Ordinal).ToList();
        var answers = await lookup.Answer(codes, request.StoreId, Question.Of(request, audience, gate), cancellationToken);
        var results = codes.Zip(answers).ToDictionary(one => one.First, one => Result(one.First, one.Second.Answer, one.Second.Failure), StringComparer.Ordinal);
        return Join(request.Codes.Select(code => results[code]));
    }

    // The view's bytes stand where a Result has them, so that nothing is parsed or written twice.
    private static ByteString Result(string code, ViewBytes? view, Failure? failure)
    {
        if (view is null)
        {
            return new BatchLookupResponse.Types.Result
            {
                Code = code,
                ErrorReason = Reasons.FindValueByNumber((int)failure!.Reason).Name[ReasonPrefix.Length..],
                ErrorMessage = failure.Message,
            }.ToByteString();
        }

        var field = UnsafeByteOperations.UnsafeWrap(view.Bytes);
        var bytes = new byte[2 + CodedOutputStream.ComputeStringSize(code) + CodedOutputStream.ComputeBytesSize(field)];
        using var output = new CodedOutputStream(bytes);
        output.WriteTag(BatchLookupResponse.Types.Result.CodeFieldNumber, WireFormat.WireType.LengthDelimited);
        output.WriteString(code);
        output.WriteTag(BatchLookupResponse.Types.Result.ViewFieldNumber, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(field);
        return UnsafeByteOperations.UnsafeWrap(bytes);
    }

    private static byte[] Join(IEnumerable<ByteString> results)
    {
        var all = results.ToList();
        var bytes = new byte[all.Sum(one => 1 + CodedOutputStream.ComputeBytesSize(one))];
        using var output = new CodedOutputStream(bytes);
        foreach (var one in all)
        {
            output.WriteTag(BatchLookupResponse.ResultsFieldNumber, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(one);
        }

        return bytes;
    }
}
