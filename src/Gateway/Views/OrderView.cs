using System.Collections.Concurrent;
using Commerce.Gateway.Lookup;
using Commerce.Gateway.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Commerce.Gateway.Views;

/// <summary>The parts of an order that were asked for, as they were read together. Immutable: readers and watchers share it.</summary>
internal sealed class OrderView(OrderId id, Part?[] parts, IReadOnlyList<PartKind> stale, DateTimeOffset freshUntil)
{
    // Only a view that is watched is shared.
    private ConcurrentDictionary<(Located, int, Visibility), ViewBytes>? _shared;

    /// <summary>The order.</summary>
    public OrderId Id => id;

    /// <summary>The store that it belongs to.</summary>
    public string StoreId => PartIndex.OfOrder(PartOf(PartKind.Order)?.Index ?? "").StoreId;

    /// <summary>No part is old or missing.</summary>
    public bool IsWhole => stale.Count == 0;

    /// <summary>Until when nobody needs to ask for its parts unless a fact tells of a change.</summary>
    public DateTimeOffset FreshUntil => freshUntil;

    /// <summary>Redis has all of it, as it is.</summary>
    public bool IsKept { get; init; }

    public Part? PartOf(PartKind kind) => parts[(int)kind];

    /// <summary>
    /// The sum of the chosen parts' versions. Every part's version only grows, so it grows with each change and never goes back; a part
    /// that could not be had at all (stale, without a read time) is missing from it.
    /// </summary>
    public long VersionOf(Selection selection)
    {
        var version = 0L;
        foreach (var part in parts)
        {
            if (part is not null && selection.Has(part.Kind))
                version += part.Version;
        }

        return version;
    }

    /// <summary>Whether one of its parcels bears the number or was corrected from it, in the form of <see cref="TrackingNumber.Normalise(string?)"/>.</summary>
    public bool Bears(string trackingNumber) =>
        PartOf(PartKind.Shipments) is { } shipments && PartIndex.NearnessOfShipments(shipments.Index, trackingNumber).Any(near => near > 0);

    /// <summary>Whether it has this return; also where that cannot be known because Orders does not answer.</summary>
    public bool MayHaveReturn(string number) =>
        PartOf(PartKind.Returns) is not { } returns || stale.Contains(PartKind.Returns) || PartIndex.NearnessOfReturns(returns.Index, number).Any(near => near > 0);

    /// <summary>The same for all who share this view, serialised once.</summary>
    public ViewBytes Shared(Located found, Selection selection, Visibility audience) =>
        LazyInitializer.EnsureInitialized(ref _shared).GetOrAdd((found, selection.Bits, audience), static (key, view) => view.Join(key.Item1, new Selection(key.Item2), key.Item3), this);

    /// <summary>Joins the chosen parts into an answer to a code; nothing is parsed.</summary>
    public ViewBytes Join(Located found, Selection selection, Visibility audience)
    {
        var version = VersionOf(selection);
        var byTracking = found.Kind == CodeKind.TrackingId;
        var head = new LookupView
        {
            // Whoever has only the number on a parcel does not learn from it which order that is.
            OrderId = audience == Visibility.Public && byTracking ? "" : id.ToString(),
            CodeKind = found.Kind,
            TrackingNumber = byTracking ? found.Number : "",
            Version = version,
        };
        if (audience != Visibility.Public)
            head.Resource = found.Resource;
        if (audience == Visibility.Staff)
            head.OtherBearers.AddRange(found.OtherBearers);
        foreach (var kind in stale)
        {
            if (selection.Has(kind))
                head.StaleParts.Add(new StalePart { Part = Part.NameOf(kind), ReadTime = PartOf(kind) is { } part ? Timestamp.FromDateTimeOffset(part.ReadTime) : null });
        }

        var at = head.CalculateSize();
        var length = at;
        Span<(PartKind Kind, Visibility Visibility)> pieces = stackalloc (PartKind, Visibility)[Part.Kinds.Length * Visibilities.Count];
        var count = 0;
        foreach (var part in parts)
        {
            for (var visibility = Visibility.Staff; part is not null && visibility <= Visibility.Public; visibility++)
            {
                if (!selection.Has(part.Kind, visibility))
                    continue;
                pieces[count++] = (part.Kind, visibility);
                length += part.Copy(visibility).Length;
            }
        }

        var bytes = new byte[length];
        head.WriteTo(bytes.AsSpan(0, at));
        foreach (var (kind, visibility) in pieces[..count])
            at += Put(parts[(int)kind]!, visibility, found, audience, bytes.AsSpan(at));
        return new ViewBytes(bytes.AsMemory(0, at), version, $"orders/{id}");
    }

    private static int Put(Part part, Visibility visibility, Located found, Visibility audience, Span<byte> into)
    {
        var copy = part.Copy(visibility).Span;
        var nearness = (part.Kind, found.Kind) switch
        {
            (PartKind.Shipments, CodeKind.TrackingId) => PartIndex.NearnessOfShipments(part.Index, found.Number),
            (PartKind.Returns, CodeKind.ReturnNumber) => PartIndex.NearnessOfReturns(part.Index, found.Number),
            _ => null,
        };
        if (nearness is null || copy.IsEmpty)
        {
            copy.CopyTo(into);
            return copy.Length;
        }

        // What the code names comes first. Stable: of two parcels of an order with one number, both come first. Nobody who has
        // only a parcel's number sees another parcel.
        var items = PartIndex.Items(copy);
        var at = 0;
        foreach (var i in Enumerable.Range(0, items.Count).Where(i => audience != Visibility.Public || nearness[i] > 0).OrderByDescending(i => nearness[i]))
        {
            copy[items[i]].CopyTo(into[at..]);
            at += items[i].End.Value - items[i].Start.Value;
        }

        return at;
    }
}
