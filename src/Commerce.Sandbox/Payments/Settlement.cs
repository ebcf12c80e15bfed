using System.Globalization;
using System.Text;
using Commerce.Sandbox.Books;
using Commerce.Sandbox.Http;

namespace Commerce.Sandbox.Payments;

/// <summary>
/// What the provider moved, as the CSV file that it gives to shops: a line for each capture, with its fee, and for each refund that
/// succeeded, and a payout of what is left of them at the end of each day that is over; of one merchant account, or of all, each with
/// payouts of its own. Made of the books each time it is asked for, so the same period always has the same lines.
/// </summary>
internal static class Settlement
{
    private const string Header = "id,type,currency,amount,fee,tax,reference,authorization_id,payout_id,occurred_at,account";

    // 1.4 % and 25 of the smallest unit, as card providers do.
    private const long FeePerMille = 14;
    private const long FeeFixed = 25;

    // A voucher is the shop's own money.
    private const string Sql =
        """
        SELECT c.id, 'charge', a.currency, c.amount, a.reference, a.id, c.created_at, a.account FROM captures c JOIN authorizations a ON a.seq = c.authorization_seq
        WHERE a.method <> 'voucher' AND c.created_at >= $1 AND c.created_at < $2
        UNION ALL
        SELECT r.id, 'refund', a.currency, r.amount, r.reference, a.id, r.created_at, a.account FROM refunds r JOIN authorizations a ON a.seq = r.authorization_seq
        WHERE a.method <> 'voucher' AND r.status = 'succeeded' AND r.created_at >= $1 AND r.created_at < $2
        ORDER BY 7, 1
        """;

    public static IResult Answer(HttpRequest request, BookKeeper books, TimeProvider time)
    {
        var from = Time(request, "from") ?? DateTimeOffset.UnixEpoch;
        var until = Time(request, "until") ?? DateTimeOffset.MaxValue;
        var account = request.Query.TryGetValue("account", out var given) ? given.ToString() : null;
        var rows = books.Read(page => page.All(
            Sql,
            r => new Row(r.GetString(0), r.GetString(1), r.GetString(2), r.GetInt64(3), r.GetString(4), r.GetString(5), DateTimeOffset.FromUnixTimeMilliseconds(r.GetInt64(6)), r.GetString(7)),
            from.ToUnixTimeMilliseconds(),
            until.ToUnixTimeMilliseconds()));
        return Results.Text(Write(account is null ? rows : rows.FindAll(row => row.Account == account), time.GetUtcNow()), "text/csv", Encoding.UTF8);
    }

    private static string Write(List<Row> rows, DateTimeOffset now)
    {
        var text = new StringBuilder(Header).Append('\n');
        foreach (var day in rows.GroupBy(r => r.At.UtcDateTime.Date))
        {
            var payout = new Dictionary<(string Account, string Currency), long>();
            foreach (var row in day)
            {
                var fee = row.Type == "charge" ? Math.Min(row.Minor, (row.Minor * FeePerMille / 1000) + FeeFixed) : 0;
                var of = (row.Account, row.Currency);
                payout[of] = payout.GetValueOrDefault(of) + (row.Type == "charge" ? row.Minor - fee : -row.Minor);
                Line(row.Id, row.Type, row.Currency, row.Minor, fee, row.Reference, row.Authorization, row.At, row.Account);
            }

            // A day that is not over may still change what is paid out for it.
            var end = new DateTimeOffset(day.Key.AddDays(1).AddSeconds(-1), TimeSpan.Zero);
            foreach (var ((of, currency), minor) in payout.Where(p => p.Value > 0 && end < now).OrderBy(p => p.Key.Account, StringComparer.Ordinal).ThenBy(p => p.Key.Currency, StringComparer.Ordinal))
                Line(string.Create(CultureInfo.InvariantCulture, $"po_{day.Key:yyyyMMdd}_{(of.Length > 0 ? of + "_" : "")}{currency}"), "payout", currency, minor, 0, "", "", end, of);
        }

        return text.ToString();

        void Line(string id, string type, string currency, long minor, long fee, string reference, string authorization, DateTimeOffset at, string of) => text.Append(
            CultureInfo.InvariantCulture,
            $"{id},{type},{currency},{Units(minor, currency)},{Units(fee, currency)},{Units(0, currency)},{Quoted(reference)},{authorization},,{at:yyyy-MM-dd'T'HH:mm:ss.fff'Z'},{Quoted(of)}\n");
    }

    private static string Units(long minor, string currency) => new Money(minor, currency).ToString().Split(' ')[0];

    private static string Quoted(string text) => text.AsSpan().ContainsAny(",\"\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;

    private static DateTimeOffset? Time(HttpRequest request, string name)
    {
        var text = request.Query[name].ToString();
        if (text.Length == 0) return null;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time
            : throw new Refusal(400, "invalid_request", $"{name} is not a time such as 2026-01-31T12:00:00Z.");
    }

    private sealed record Row(string Id, string Type, string Currency, long Minor, string Reference, string Authorization, DateTimeOffset At, string Account);
}
