using System.Text.Json;
using Commerce.Facts;
using Commerce.Orders.FindingOrders;
using Commerce.Orders.Storage;
using Npgsql;

namespace Commerce.Orders.ErasingCustomers;

/// <summary>Where Orders keeps what is personal, and how it goes: the one list of it.</summary>
internal static class PersonalColumns
{
    // The country stays: what is sold where is counted by it.
    private const string Contacts =
        """
        UPDATE orders SET
          customer_name = '', customer_email = '', customer_phone = '', email_key = NULL, customer_id = NULL,
          to_language_code = '', to_postal_code = '', to_sorting_code = '', to_administrative_area = '', to_locality = '', to_sublocality = '',
          to_address_lines = '{}', to_recipients = '{}', to_organization = '', delivery_wishes = NULL,
          cancel_note = CASE WHEN cancel_note IS NOT NULL THEN '' END,
          payment_parts = (SELECT coalesce(jsonb_agg(part || '{"token": ""}' ORDER BY n), '[]') FROM jsonb_array_elements(payment_parts) WITH ORDINALITY AS p (part, n)),
          erase_time = $2
        WHERE order_id = ANY ($1)
        """;

    // By their keys: a store has a hundred million of them.
    private const string Terms =
        """
        DELETE FROM order_terms t USING unnest($1, $2) AS gone (order_id, term), orders o
        WHERE o.order_id = gone.order_id AND t.store_id = o.store_id AND t.term = gone.term AND t.create_time = o.create_time AND t.order_id = o.order_id
        """;

    // Somebody's own words stand behind the second colon at the latest, and nowhere else.
    private const string Timeline =
        """
        UPDATE order_timeline SET detail = CASE WHEN event = 'OrderLinesChanged'
          THEN concat_ws(': ', split_part(detail, ': ', 1), nullif(split_part(detail, ': ', 2), '')) ELSE split_part(detail, ': ', 1) END
        WHERE order_id = ANY ($1) AND event IN ('OrderCancelled', 'OrderLinesChanged', 'ParcelReplaced', 'ReturnApproved', 'ReturnRejected', 'ReturnCancelled') AND detail LIKE '%: %'
        """;

    private const string Returns =
        """
        UPDATE order_returns SET content = jsonb_set(content, '{replacement,part,token}', '""', false) || jsonb_build_object(
          'note', '', 'photos', '[]'::jsonb, 'decisionNote', '',
          'lines', (SELECT coalesce(jsonb_agg(line || '{"note": ""}' ORDER BY n), '[]') FROM jsonb_array_elements(content -> 'lines') WITH ORDINALITY AS l (line, n)),
          'refunds', (SELECT coalesce(jsonb_agg(refund || '{"failure": ""}' || CASE WHEN refund ->> 'outside' <> '' THEN '{"outside": "erased"}' ELSE '{}' END::jsonb ORDER BY n), '[]') FROM jsonb_array_elements(coalesce(content -> 'refunds', '[]')) WITH ORDINALITY AS r (refund, n)))
        WHERE order_id = ANY ($1)
        """;

    /// <summary>Executes the batch with all that is to go from the orders, and says what went.</summary>
    public static async Task<IReadOnlyList<ErasedItem>> Erase(NpgsqlBatch batch, long[] orderIds, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var terms = await TermsOf(batch.Connection!, batch.Transaction!, orderIds, cancellationToken);
        (string Kind, NpgsqlBatchCommand Command)[] kinds =
        [
            ("search terms", Sql.Command(Terms).With(terms.Column(t => t.OrderId)).With(terms.Column(t => t.Term))),
            ("contacts and addresses", Sql.Command(Contacts).With(orderIds).With(now)),
            ("words on timelines", Sql.Command(Timeline).With(orderIds)),
            ("words and photos of returns", Sql.Command(Returns).With(orderIds)),
        ];
        foreach (var (_, command) in kinds)
            batch.With(command);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        return [.. kinds.Select(one => new ErasedItem(one.Kind, (long)one.Command.Rows)), new ErasedItem("order numbers, articles, amounts and dates", 0, orderIds.Length, "They name nobody, and the books need them.")];
    }

    private static async Task<List<(long OrderId, string Term)>> TermsOf(NpgsqlConnection connection, NpgsqlTransaction transaction, long[] orderIds, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT order_id, customer_name, to_recipients, to_organization, customer_phone, to_postal_code, cancel_note FROM orders WHERE order_id = ANY ($1)", connection, transaction)
            .With(orderIds);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var terms = new List<(long, string)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var orderId = reader.GetInt64(0);
            terms.AddRange(OrderTerms.Of(
                reader.GetString(1), reader.GetFieldValue<string[]>(2), reader.GetString(3), reader.GetString(4), reader.GetString(5), [], [reader.TextOrNull(6)]).Select(term => (orderId, term)));
        }

        return terms;
    }

    public static string ToJson(IReadOnlyList<ErasedItem> items) => JsonSerializer.Serialize(items, OrderJson.Options);

    public static IReadOnlyList<ErasedItem> OfJson(string json) => JsonSerializer.Deserialize<ErasedItem[]>(json, OrderJson.Options)!;
}
