using Commerce.Orders.Checking;
using Commerce.Orders.Storage;
using Commerce.Orders.Stores;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Npgsql;

namespace Commerce.Orders.SummingSpend;

/// <summary>
/// Sums what a customer spent: orders that were paid for and not cancelled, less what was given back. It reads the customer's own
/// orders, by the index on the e-mail address, one after the other.
/// </summary>
public sealed class SumSpend(NpgsqlDataSource database, StoreBook stores)
{
    /// <exception cref="Failure">INVALID_FIELD, STORE_NOT_FOUND.</exception>
    public async Task<SpendSummary> Sum(GetSpendSummaryRequest request, CancellationToken cancellationToken)
    {
        var (from, until) = Check(request);
        if (request.StoreId.Length > 0)
            await stores.Get(request.StoreId, cancellationToken);

        await using var command = database.CreateCommand(
            $"""
            SELECT o.store_id, o.currency, to_char(o.create_time AT TIME ZONE s.time_zone, 'YYYY-MM'), {Sql.KeptMinor},
                   ARRAY(SELECT coalesce(p.category, '') FROM order_lines l LEFT JOIN products p ON p.store_id = l.store_id AND p.sku = l.sku
                         WHERE l.order_id = o.order_id ORDER BY l.line_number),
                   ARRAY(SELECT l.quantity * l.unit_price_minor FROM order_lines l WHERE l.order_id = o.order_id ORDER BY l.line_number)
            FROM stores s CROSS JOIN LATERAL (
              SELECT * FROM orders o
              WHERE o.store_id = s.store_id AND o.email_key = $1 AND o.state <> $2 AND o.payment_state = ANY ($3)
                AND o.create_time >= $4 AND o.create_time < $5 OFFSET 0) o
            WHERE $6 = '' OR s.store_id = $6
            """)
            .With(Plausible.EmailKey(request.Email)).With((short)OrderState.Cancelled).With(new[] { (short)PaymentState.Paid, (short)PaymentState.PartlyRefunded })
            .With(from).With(until).With(request.StoreId);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var (all, months, categories, byStore, currencies) = (new Group(), new Groups(), new Groups(), new Groups(), new Groups());
        while (await reader.ReadAsync(cancellationToken))
        {
            var spent = new Money(reader.GetInt64(3), reader.GetString(1));
            all.Add(spent);
            months.Add(reader.GetString(2), spent);
            byStore.Add(reader.GetString(0), spent);
            currencies.Add(spent.Currency, spent);
            foreach (var (category, share) in Shares(spent, reader.GetFieldValue<string[]>(4), reader.GetFieldValue<long[]>(5)))
                categories.Add(category, share);
        }

        return new SpendSummary
        {
            OrderCount = all.Orders,
            Spent = { all.Spent },
            ByMonth = { months.Messages },
            ByCategory = { categories.Messages },
            ByStore = { byStore.Messages },
            ByCurrency = { currencies.Messages },
        };
    }

    /// <summary>
    /// What of an amount falls to each category, by what its lines cost: shipping, discounts and refunds are shared alike, and
    /// the shares sum to the amount, whatever is rounded.
    /// </summary>
    internal static IEnumerable<(string Category, Money Share)> Shares(Money spent, IReadOnlyList<string> categories, IReadOnlyList<long> amounts)
    {
        var shares = new SortedDictionary<string, long>(StringComparer.Ordinal);
        Int128 whole = 0;
        foreach (var amount in amounts)
            whole += amount;
        Int128 sofar = 0;
        long given = 0;
        for (var i = 0; i < categories.Count; i++)
        {
            // Where nothing costs anything each line counts the same.
            sofar += whole == 0 ? 1 : amounts[i];
            var until = (long)(spent.Minor * sofar / (whole == 0 ? categories.Count : whole));
            shares[categories[i]] = shares.GetValueOrDefault(categories[i]) + until - given;
            given = until;
        }

        return shares.Select(share => (share.Key, new Money(share.Value, spent.Currency)));
    }

    private static (DateTimeOffset From, DateTimeOffset Until) Check(GetSpendSummaryRequest request)
    {
        var errors = new FieldErrors();
        if (!Plausible.Email(request.Email))
            errors.Add("email", "Give the customer's e-mail address.");
        if (request.StoreId.Length > 0 && !StoreBook.IsStoreId(request.StoreId))
            errors.Add("store_id", "Is not a store's id; give one such as \"main\", or none for all stores.");
        // The database knows the years 1 to 9999 and more.
        var from = errors.Time("create_time_from", request.CreateTimeFrom) ?? DateTimeOffset.MinValue;
        var until = errors.Time("create_time_until", request.CreateTimeUntil) ?? DateTimeOffset.MaxValue;
        if (from >= until)
            errors.Add("create_time_until", "Must be later than create_time_from.");
        errors.ThrowIfAny();
        return (from, until);
    }

    private sealed class Group
    {
        private readonly SortedDictionary<string, Money> _spent = new(StringComparer.Ordinal);

        public int Orders { get; private set; }

        public IEnumerable<Google.Type.Money> Spent => _spent.Values.Select(money => money.ToProto());

        public void Add(Money spent)
        {
            Orders++;
            _spent[spent.Currency] = _spent.TryGetValue(spent.Currency, out var before) ? before + spent : spent;
        }
    }

    private sealed class Groups
    {
        private readonly SortedDictionary<string, Group> _groups = new(StringComparer.Ordinal);

        public IEnumerable<SpendGroup> Messages =>
            _groups.Select(group => new SpendGroup { Key = group.Key, OrderCount = group.Value.Orders, Spent = { group.Value.Spent } });

        public void Add(string key, Money spent)
        {
            if (!_groups.TryGetValue(key, out var group))
                _groups[key] = group = new Group();
            group.Add(spent);
        }
    }
}
