namespace Commerce;

/// <summary>
/// The Order ID: a store's prefix (1–6 letters) and 14 symbols of Crockford base32, for example "ORD-7K3M9QX-T2F8CRW".
/// Twelve symbols carry the 60-bit <see cref="Value"/> (26 bits of time at 16 s, 34 bits random), two are check symbols of a
/// Reed–Solomon code over GF(32) of distance 3: every one- and two-symbol error and every transposition is noticed.
/// </summary>
public readonly record struct OrderId(string Prefix, long Value)
{
    /// <summary>A new id: the time now in steps of 16 s, and 34 random bits.</summary>
    public static OrderId New(string prefix, TimeProvider time) => throw new NotSupportedException();

    /// <summary>Reads what a person typed: case, spaces, dashes and the look-alikes I, L, O, U are forgiven in the last 14 symbols.</summary>
    public static OrderIdReading Read(string? text) => throw new NotSupportedException();

    public static bool TryParse(string? text, out OrderId id)
    {
        var reading = Read(text);
        id = reading.Id;
        return reading.Kind == OrderIdReadingKind.Valid;
    }

    /// <summary>The canonical form.</summary>
    public override string ToString() => throw new NotSupportedException();
}

/// <summary>What a typed text turned out to be.</summary>
public enum OrderIdReadingKind
{
    /// <summary>Not shaped like an Order ID at all; it may be another code.</summary>
    NotAnOrderId,

    /// <summary>Shaped like one, but its check symbols disagree.</summary>
    Mistyped,

    /// <summary>A valid Order ID.</summary>
    Valid,
}

/// <summary>The outcome of <see cref="OrderId.Read"/>.</summary>
/// <param name="Id">The id, when valid.</param>
/// <param name="Meant">
/// When mistyped: the one code that differs in a single symbol, if there is one. It may belong to nobody: tell it only to
/// callers who may see the order, and only when the order exists.
/// </param>
public readonly record struct OrderIdReading(OrderIdReadingKind Kind, OrderId Id, OrderId? Meant);
