using Commerce.Orders.Checking;
using Commerce.Orders.FindingOrders;
using Commerce.Orders.Storage;
using Commerce.Orders.Stores;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Npgsql;

namespace Commerce.Orders.ErasingCustomers;

/// <summary>Finds everything that a customer ordered in a store and that still names them.</summary>
public sealed class Customers(NpgsqlDataSource database, StoreBook stores)
{
    /// <summary>The most orders that are told or erased at once.</summary>
    public const int MostOrders = 1000;

    // An account's orders, and those that its owner placed without it: by their e-mail addresses, unless another account says that
    // they are its own. Several may share an address.
    private const string ByCustomerId =
        """
        WITH own AS (SELECT order_id, email_key FROM orders WHERE store_id = $1 AND customer_id = $2 AND erase_time IS NULL)
        SELECT order_id FROM own
        UNION
        SELECT o.order_id FROM orders o
        WHERE o.store_id = $1 AND o.email_key IN (SELECT email_key FROM own) AND o.customer_id IS NULL AND o.erase_time IS NULL
        ORDER BY order_id LIMIT $3
        """;

    private const string ByEmail = "SELECT order_id FROM orders WHERE store_id = $1 AND email_key = $2 AND erase_time IS NULL ORDER BY order_id LIMIT $3";

    private const string ByPhone =
        """
        SELECT o.order_id FROM order_terms t JOIN orders o USING (order_id)
        WHERE t.store_id = $1 AND t.term = $4 AND regexp_replace(o.customer_phone, '[^0-9]', '', 'g') = $2 AND o.erase_time IS NULL
        ORDER BY o.order_id LIMIT $3
        """;

    /// <summary>Their Order IDs, oldest first.</summary>
    /// <exception cref="Failure">INVALID_FIELD, STORE_NOT_FOUND, CUSTOMER_NOT_FOUND, LIMIT_REACHED.</exception>
    public async Task<IReadOnlyList<OrderId>> Find(string storeId, CustomerKey? customer, CancellationToken cancellationToken)
    {
        Check(storeId, customer);
        var store = await stores.Get(storeId, cancellationToken);
        await using var command = database.CreateCommand().With(storeId);
        if (customer!.CustomerId.Length > 0)
        {
            command.CommandText = ByCustomerId;
            command.With(customer.CustomerId).With(MostOrders + 1);
        }
        else if (customer.Email.Length > 0)
        {
            command.CommandText = ByEmail;
            command.With(Plausible.EmailKey(customer.Email)).With(MostOrders + 1);
        }
        else
        {
            var digits = OrderTerms.Digits(customer.Phone);
            command.CommandText = ByPhone;
            command.With(digits).With(MostOrders + 1).With(OrderTerms.Phone(digits));
        }

        var found = new List<OrderId>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            found.Add(new OrderId(store.OrderPrefix, reader.GetInt64(0)));
        return found.Count switch
        {
            0 => throw new Failure(ErrorReason.CustomerNotFound, $"Nobody who is called so ordered anything in store {storeId}, or all of it is erased."),
            > MostOrders => throw new Failure(ErrorReason.LimitReached, FieldErrors.Text($"More than {MostOrders} orders are found, too many for one person; name the customer by another field.")),
            _ => found,
        };
    }

    private static void Check(string storeId, CustomerKey? customer)
    {
        var errors = new FieldErrors();
        if (!StoreBook.IsStoreId(storeId))
            errors.Add("store_id", "Say which store, for example \"main\".");
        customer ??= new CustomerKey();
        if (new[] { customer.CustomerId, customer.Email, customer.Phone }.Count(given => given.Length > 0) != 1)
            errors.Add("customer", "Give exactly one of customer_id, email and phone.");
        errors.CustomerId("customer.customer_id", customer.CustomerId, required: false);
        if (customer.Email.Length > 0 && !Plausible.Email(customer.Email))
            errors.Add("customer.email", "Is not an e-mail address.");
        if (customer.Phone.Length > 0 && (customer.Phone.Length > 40 || OrderTerms.Digits(customer.Phone).Length < OrderTerms.PhoneDigits))
            errors.Add("customer.phone", "Is not a phone number; give it with its country, for example +442079460000.");
        errors.ThrowIfAny();
    }
}
