using Commerce.Orders.Checking;
using Commerce.Orders.V1;

namespace Commerce.Orders.PlacingOrder;

/// <summary>
/// What a request says, field by field, before anything is looked up. Everything that is wrong is collected. Sums need
/// the catalogue's prices and come later (<see cref="Pricing"/>), or here where the request itself gives every price.
/// </summary>
public sealed class PlaceOrderCheck
{
    public const int MostLines = 500;
    public const int MostAdjustments = 20;
    public const int MostPaymentParts = 30;
    public const int MostPieces = 100_000;

    /// <summary>
    /// The most that one amount or one order may come to, in minor units: ten thousand milliards of euros. Far below 64
    /// bits, so that sums over many orders have room too.
    /// </summary>
    public const long MostMinor = 1_000_000_000_000_000;

    private static readonly TimeSpan LongestPromise = TimeSpan.FromDays(366);

    private readonly PlaceOrderRequest _request;
    private readonly string _currency;
    private readonly FieldErrors _errors = new();

    private PlaceOrderCheck(PlaceOrderRequest request, string currency)
    {
        _request = request;
        _currency = currency;
    }

    /// <summary>The amounts of the request in minor units; a line without a price of its own has null.</summary>
    public sealed record Amounts(
        string Currency, IReadOnlyList<long?> UnitPrices, IReadOnlyList<AdjustmentRow> Adjustments, IReadOnlyList<PaymentPartRow> PaymentParts, long Shipping);

    /// <exception cref="ServiceDefaults.Failure">INVALID_FIELD with everything that is wrong.</exception>
    public static Amounts Check(PlaceOrderRequest request, Store store, DateTimeOffset now) =>
        new PlaceOrderCheck(request, request.CurrencyCode.Length > 0 ? request.CurrencyCode : store.CurrencyCode).Check(now);

    private Amounts Check(DateTimeOffset now)
    {
        _errors.RequestId(_request.RequestId, required: true);
        _errors.Optional("external_id", _request.ExternalId, 64);
        _errors.Customer("customer", _request.Customer);
        _errors.CustomerId("customer_id", _request.CustomerId, required: _request.PaymentParts.Any(part => part.Method == PaymentMethod.StoreCredit && part.Token.Length == 0));
        _errors.Address("shipping_address", _request.ShippingAddress);
        _errors.DeliveryWishes("delivery_wishes", _request.DeliveryWishes, now);
        if (!Enum.IsDefined(_request.CaptureMode))
            _errors.Add("capture_mode", "Is not a mode that is known here.");
        Promise(now);

        if (!Currencies.Exists(_currency))
        {
            // Every amount would be refused for this one mistake.
            _errors.Add("currency_code", "Is not an active ISO 4217 currency; use a code such as EUR, or leave it empty for the store's.");
            _errors.ThrowIfAny();
        }

        var prices = Lines();
        var adjustments = Adjustments();
        var parts = PaymentParts();
        var shipping = _request.ShippingCharge is null ? 0 : _errors.Amount("shipping_charge", _request.ShippingCharge, _currency, 0, MostMinor);

        if (_errors.Any)
        {
            if (prices is not null && adjustments is not null && parts is not null && shipping is not null && prices.All(p => p is not null))
                Pricing.Sum(_request.Lines.Select((line, i) => ((long)line.Quantity, prices[i]!.Value)), adjustments, parts, shipping.Value, _currency, _errors);
            _errors.ThrowIfAny();
        }

        return new Amounts(_currency, prices!, adjustments!, parts!, shipping!.Value);
    }

    private void Promise(DateTimeOffset now)
    {
        if (_request.PromisedDeliveryTime is not { } promise)
            return;
        const string Field = "promised_delivery_time";
        if (!ProtoTime.TryRead(promise, out var time))
            _errors.Add(Field, "Is not a time between the years 1 and 9999.");
        else if (time < now)
            _errors.Add(Field, "Is in the past; promise a time that can still be kept, or none.");
        else if (time > now + LongestPromise)
            _errors.Add(Field, "Is more than a year ahead.");
    }

    private List<long?>? Lines()
    {
        _errors.Count("lines", _request.Lines.Count, 1, MostLines, "lines");
        if (_request.Lines.Count is 0 or > MostLines)
            return null;

        var prices = new List<long?>(_request.Lines.Count);
        var whole = true;
        for (var i = 0; i < _request.Lines.Count; i++)
        {
            var line = _request.Lines[i];
            var price = Line(_errors, $"lines[{i}]", line, _currency);
            whole &= line.Quantity is >= 1 and <= MostPieces && (line.UnitPrice is null || price is not null);
            prices.Add(price);
        }

        return whole ? prices : null;
    }

    /// <summary>A line that is to be added; its price in minor units, null where it has none.</summary>
    public static long? Line(FieldErrors errors, string field, OrderLine line, string currency)
    {
        errors.Sku(field + ".sku", line.Sku);
        errors.Optional(field + ".title", line.Title, 300);
        errors.Between(field + ".quantity", line.Quantity, 1, MostPieces);
        errors.Dimensions(field + ".dimensions", line.Dimensions);
        errors.Place(field + ".ship_from", line.ShipFrom);
        return line.UnitPrice is null ? null : errors.Amount(field + ".unit_price", line.UnitPrice, currency, 0, MostMinor);
    }

    /// <summary>How a part is paid, apart from its amount.</summary>
    public static void Part(FieldErrors errors, string field, PaymentPart part)
    {
        if (!Enum.IsDefined(part.Method))
            errors.Add(field + ".method", "Is not a means of payment that is known here.");
        if (part.Method == PaymentMethod.StoreCredit)
            errors.CreditHolder(field + ".token", part.Token);
        else
            errors.Required(field + ".token", part.Token, 200);
        errors.Between(field + ".instalments", part.Instalments, 0, 48);
    }

    /// <summary>A part as it is stored.</summary>
    public static PaymentPartRow Row(PaymentPart part, long minor) =>
        new(
            part.Method == PaymentMethod.Unspecified ? PaymentMethod.Card : part.Method,
            part.Method == PaymentMethod.StoreCredit && OrderId.TryParse(part.Token, out var holder) ? holder.ToString() : part.Token,
            minor,
            Math.Max(part.Instalments, 1));

    private List<AdjustmentRow>? Adjustments()
    {
        _errors.Count("adjustments", _request.Adjustments.Count, 0, MostAdjustments, "adjustments");
        if (_request.Adjustments.Count > MostAdjustments)
            return null;

        var adjustments = new List<AdjustmentRow>(_request.Adjustments.Count);
        for (var i = 0; i < _request.Adjustments.Count; i++)
        {
            var (adjustment, field) = (_request.Adjustments[i], $"adjustments[{i}]");
            _errors.Required(field + ".label", adjustment.Label, 100);
            var amount = _errors.Amount(field + ".amount", adjustment.Amount, _currency, -MostMinor, MostMinor);
            if (amount == 0)
                _errors.Add(field + ".amount", "Is zero; leave the adjustment out.");
            if (amount is not null)
                adjustments.Add(new AdjustmentRow(adjustment.Label, amount.Value));
        }

        return adjustments.Count == _request.Adjustments.Count ? adjustments : null;
    }

    private List<PaymentPartRow>? PaymentParts()
    {
        // None where nothing is to be paid; the sum is compared with the total.
        _errors.Count("payment_parts", _request.PaymentParts.Count, 0, MostPaymentParts, "parts");
        if (_request.PaymentParts.Count > MostPaymentParts)
            return null;

        var parts = new List<PaymentPartRow>(_request.PaymentParts.Count);
        for (var i = 0; i < _request.PaymentParts.Count; i++)
        {
            var (part, field) = (_request.PaymentParts[i], $"payment_parts[{i}]");
            Part(_errors, field, part);
            if (_errors.Amount(field + ".amount", part.Amount, _currency, 1, MostMinor) is { } amount)
                parts.Add(Row(part, amount));
        }

        return parts.Count == _request.PaymentParts.Count ? parts : null;
    }
}
