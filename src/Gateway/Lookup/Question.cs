using Commerce.Gateway.V1;
using Commerce.Gateway.Views;
using Commerce.ServiceDefaults;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;

namespace Commerce.Gateway.Lookup;

/// <summary>What somebody wants to know of a code: checked.</summary>
/// <param name="Code">As it was typed.</param>
/// <param name="StoreId">The store; empty: any.</param>
/// <param name="Selection">The parts that are wanted and may be seen.</param>
/// <param name="Audience">Whom the answer is for.</param>
internal sealed record Question(string Code, string StoreId, Selection Selection, Audience Audience)
{
    private const int MaxCode = 100;
    private const int MaxStoreId = 40;
    private const int MaxMinVersions = 20;

    /// <summary>What the answer must have reached.</summary>
    public ReadNeeds Needs { get; init; } = new(Selection);

    /// <summary>Nothing is wanted of its version that the view's own version does not tell.</summary>
    public bool TakesByVersion => Needs is { MinOrderVersion: 0, MinVersions.Count: 0 };

    /// <summary>Everything that its class may see is wanted, of whatever version.</summary>
    public bool TakesAnyOfAll => Audience.Class != Visibility.Public && Selection == Selection.All(Audience.Class) && Needs.TakesAny;

    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public static Question Of(LookupRequest request, Audience audience)
    {
        var errors = new List<FieldError>();
        CheckCode(request.Code, errors);
        var selection = Check(request.StoreId, request.ReadMask, audience, errors);
        if (request.MinOrderVersion < 0)
            errors.Add(new FieldError("min_order_version", "Must be 0 (any version) or more."));
        if (request.MinVersion < 0)
            errors.Add(new FieldError("min_version", "Must be 0 (any version) or more."));
        IReadOnlyList<(PartKind, string, long)> minVersions = request.MinVersions.Count == 0 ? [] : MinVersions(request.MinVersions, errors);
        ThrowIfAny(errors);
        return new Question(request.Code, request.StoreId, selection, audience)
        {
            Needs = new ReadNeeds(selection) { MinOrderVersion = request.MinOrderVersion, MinVersion = request.MinVersion, MinVersions = minVersions },
        };
    }

    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public static Question Of(WatchLookupRequest request, Audience audience)
    {
        var errors = new List<FieldError>();
        CheckCode(request.Code, errors);
        var selection = Check(request.StoreId, request.ReadMask, audience, errors);
        if (request.AfterVersion < 0)
            errors.Add(new FieldError("after_version", "Must be 0 (no view seen yet) or the version of the last view."));
        ThrowIfAny(errors);
        return new Question(request.Code, request.StoreId, selection, audience);
    }

    /// <summary>The questions of a batch, without its codes, each of which is right or wrong by itself.</summary>
    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public static Func<string, Question> Of(BatchLookupRequest request, Audience audience, SemaphoreSlim gate)
    {
        var errors = new List<FieldError>();
        var selection = Check(request.StoreId, request.ReadMask, audience, errors);
        ThrowIfAny(errors);
        return code =>
        {
            var wrong = new List<FieldError>();
            CheckCode(code, wrong);
            ThrowIfAny(wrong);
            return new Question(code, request.StoreId, selection, audience) { Needs = new ReadNeeds(selection) { Gate = gate } };
        };
    }

    private static void CheckCode(string code, List<FieldError> errors)
    {
        if (code.Length is 0 or > MaxCode)
            errors.Add(new FieldError("code", $"A code of 1 to {MaxCode} characters is needed: an Order ID, a Tracking ID, the number of a return or a document, or the shop's own."));
        else if (CodeCharacters.WrongIn(code) is { } wrong)
            errors.Add(new FieldError("code", wrong));
    }

    private static Selection Check(string storeId, FieldMask? mask, Audience audience, List<FieldError> errors)
    {
        if (storeId.Length > MaxStoreId || storeId.Length > 0 && !Principal.IsId(storeId))
            errors.Add(new FieldError("store_id", "Name the store, for example \"main\", or none."));
        var (selection, unknown) = Selection.Of(mask, audience.Class);
        if (unknown is not null)
            errors.Add(new FieldError("read_mask", $"Names no part of the view; the parts are {string.Join(", ", Selection.Fields)}."));
        return selection.And(audience.Parts);
    }

    private static List<(PartKind, string, long)> MinVersions(RepeatedField<string> texts, List<FieldError> errors)
    {
        var versions = new List<(PartKind, string, long)>();
        foreach (var text in texts)
        {
            var equals = text.LastIndexOf('=');
            if (texts.Count <= MaxMinVersions && equals > 0 && PartKeys.OfResource(text[..equals]) is var (kind, key) && long.TryParse(text.AsSpan(equals + 1), out var version) && version >= 0)
            {
                versions.Add((kind, key, version));
                continue;
            }

            errors.Add(new FieldError("min_versions", $"At most {MaxMinVersions} of the form \"shipments/{{shipment_id}}=7\": the name of an order, a return, a payment or a shipment, and its version."));
            break;
        }

        return versions;
    }

    private static void ThrowIfAny(List<FieldError> errors)
    {
        if (errors.Count > 0)
            throw Failure.Invalid(errors);
    }
}
