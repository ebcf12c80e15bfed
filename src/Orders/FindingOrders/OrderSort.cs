using System.Globalization;
using Commerce.ServiceDefaults;

namespace Commerce.Orders.FindingOrders;

/// <summary>How orders are sorted: by a column, then by their ids in the same direction, so that no two are equal.</summary>
public sealed record OrderSort(string Column, bool Descending)
{
    public static readonly OrderSort Newest = new("create_time", Descending: true);

    /// <summary>Oldest first: what an export goes by, so that what is placed meanwhile comes at its end.</summary>
    public static readonly OrderSort Oldest = new("create_time", Descending: false);

    public bool ByCreateTime => Column == "create_time";

    /// <summary>Null where it is none.</summary>
    public static OrderSort? Parse(string orderBy) => orderBy.Split(' ', StringSplitOptions.RemoveEmptyEntries) switch
    {
        [] => Newest,
        ["create_time" or "update_time" or "total"] words => new OrderSort(ColumnOf(words[0]), Descending: false),
        ["create_time" or "update_time" or "total", "desc"] words => new OrderSort(ColumnOf(words[0]), Descending: true),
        _ => null,
    };

    private static string ColumnOf(string name) => name == "total" ? "total_minor" : name;
}

/// <summary>Where an order stands in a sorted list.</summary>
/// <param name="Value">The sorted column: ticks of UTC, or minor units.</param>
public sealed record OrderPosition(long Value, long OrderId)
{
    public DateTimeOffset Time => new(Value, TimeSpan.Zero);

    /// <exception cref="Failure">PAGE_TOKEN_INVALID.</exception>
    public static OrderPosition? Parse(string? text)
    {
        if (text is null)
            return null;
        return text.Split(' ') is [var first, var second]
            && long.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value <= DateTimeOffset.MaxValue.Ticks
            && long.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out var orderId)
            ? new OrderPosition(value, orderId)
            : throw PageToken.Invalid("It is not a token that this method gave out; leave it empty for the first page.");
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Value} {OrderId}");
}
