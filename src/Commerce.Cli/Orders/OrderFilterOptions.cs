using System.CommandLine;
using System.Globalization;
using Commerce.Cli.Api;
using Commerce.Cli.Payments;
using Commerce.Orders.V1;
using Google.Protobuf.WellKnownTypes;

namespace Commerce.Cli.Orders;

/// <summary>The options that orders are looked for by; of `search` and `export` alike.</summary>
internal sealed class OrderFilterOptions
{
    private readonly Option<string> _store = Listing.Store();
    private readonly Option<string?> _id = new("--id") { Description = "The Order ID; a mistyped one is answered with the one meant." };
    private readonly Option<string?> _tracking = new("--tracking") { Description = "A carrier's tracking number." };
    private readonly Option<string?> _external = new("--external-id") { Description = "The shop's own number." };
    private readonly Option<string?> _email = new("--email") { Description = "The customer's e-mail address." };
    private readonly Option<string?> _phone = new("--phone") { Description = "The customer's phone number in any notation." };
    private readonly Option<string?> _name = new("--name") { Description = "Words of the name, or their beginnings; case and accents do not matter." };
    private readonly Option<string?> _postal = new("--postal-code") { Description = "The postal code that it goes to." };
    private readonly Option<string?> _sku = new("--sku") { Description = "An article in it." };
    private readonly Option<string?> _text = new("--text") { Description = "Words, or their beginnings, of names, titles and notes." };
    private readonly Option<OrderState[]> _states = new("--state") { Description = "Open, Completed or Cancelled; may be given several times." };
    private readonly Option<PaymentState[]> _payments = new("--payment") { Description = "Pending, Authorised, Paid, PartlyRefunded, Refunded or Failed; may be given several times." };
    private readonly Option<FulfilmentState[]> _fulfilments = new("--fulfilment") { Description = "Unfulfilled, PartlyShipped, Shipped, PartlyDelivered, Delivered, PartlyReturned or Returned; may be given several times." };
    private readonly Option<string?> _from = new("--from") { Description = "Placed at this time or later: a date or a time in UTC, for example 2026-11-01 or 2026-11-01T08:30." };
    private readonly Option<string?> _until = new("--until") { Description = "Placed before this time." };
    private readonly Option<string?> _least = new("--total-from") { Description = "Comes to this much or more, for example \"100 EUR\"." };
    private readonly Option<string?> _most = new("--total-until") { Description = "Comes to this much or less, for example \"250.50 EUR\"." };

    public void AddTo(Command command)
    {
        foreach (var option in new System.CommandLine.Option[] { _store, _id, _tracking, _external, _email, _phone, _name, _postal, _sku, _text, _states, _payments, _fulfilments, _from, _until, _least, _most })
            command.Options.Add(option);
    }

    /// <exception cref="UsageException">A time or an amount is none.</exception>
    public OrderFilter Read(ParseResult parse)
    {
        var filter = new OrderFilter
        {
            OrderId = parse.GetValue(_id) ?? "",
            TrackingNumber = parse.GetValue(_tracking) ?? "",
            ExternalId = parse.GetValue(_external) ?? "",
            Email = parse.GetValue(_email) ?? "",
            Phone = parse.GetValue(_phone) ?? "",
            Name = parse.GetValue(_name) ?? "",
            PostalCode = parse.GetValue(_postal) ?? "",
            Sku = parse.GetValue(_sku) ?? "",
            Text = parse.GetValue(_text) ?? "",
            States = { parse.GetValue(_states) ?? [] },
            PaymentStates = { parse.GetValue(_payments) ?? [] },
            FulfilmentStates = { parse.GetValue(_fulfilments) ?? [] },
            CreateTimeFrom = Time("--from", parse.GetValue(_from)),
            CreateTimeUntil = Time("--until", parse.GetValue(_until)),
            TotalFrom = Amount("--total-from", parse.GetValue(_least)),
            TotalUntil = Amount("--total-until", parse.GetValue(_most)),
        };
        // Either code names one order, whatever the store.
        var named = filter.OrderId.Length > 0 || filter.TrackingNumber.Length > 0;
        filter.StoreId = named && parse.GetResult(_store)?.Implicit != false ? "" : parse.GetValue(_store) ?? "main";
        return filter;
    }

    private static Timestamp? Time(string option, string? text)
    {
        if (text is null)
            return null;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? Timestamp.FromDateTimeOffset(time)
            : throw new UsageException($"{option} {text}: not a time; give a date or a time such as 2026-11-01T08:30.");
    }

    private static Google.Type.Money? Amount(string option, string? text)
    {
        if (text is null)
            return null;
        if (text.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var number, var currency]
            && decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value <= long.MaxValue)
            return new Google.Type.Money { CurrencyCode = currency.ToUpperInvariant(), Units = (long)value, Nanos = (int)((value - decimal.Truncate(value)) * 1_000_000_000m) };
        throw new UsageException($"{option} {text}: not an amount; give one such as \"100 EUR\".");
    }
}
