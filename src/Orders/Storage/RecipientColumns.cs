using Commerce.Orders.Checking;
using Commerce.Types.V1;
using Google.Type;
using Npgsql;

namespace Commerce.Orders.Storage;

/// <summary>Whom to reach and where it goes, as columns of orders.</summary>
internal static class RecipientColumns
{
    public const string Names =
        """
        o.customer_name, o.customer_email, o.customer_phone, o.customer_language, o.to_region_code, o.to_language_code, o.to_postal_code,
        o.to_sorting_code, o.to_administrative_area, o.to_locality, o.to_sublocality, o.to_address_lines, o.to_recipients, o.to_organization
        """;

    /// <summary>How many of them, the first ones, are the contact's.</summary>
    public const int OfContact = 4;

    /// <summary>How many follow, the address's.</summary>
    public const int OfAddress = 10;

    public static Contact ReadContact(NpgsqlDataReader reader, int first) => new()
    {
        Name = reader.GetString(first),
        Email = reader.GetString(first + 1),
        Phone = reader.GetString(first + 2),
        LanguageCode = reader.GetString(first + 3),
    };

    public static PostalAddress ReadAddress(NpgsqlDataReader reader, int first) => new()
    {
        RegionCode = reader.GetString(first),
        LanguageCode = reader.GetString(first + 1),
        PostalCode = reader.GetString(first + 2),
        SortingCode = reader.GetString(first + 3),
        AdministrativeArea = reader.GetString(first + 4),
        Locality = reader.GetString(first + 5),
        Sublocality = reader.GetString(first + 6),
        AddressLines = { reader.GetFieldValue<string[]>(first + 7) },
        Recipients = { reader.GetFieldValue<string[]>(first + 8) },
        Organization = reader.GetString(first + 9),
    };

    /// <summary>The values to be written, with the key that orders are found by after the contact.</summary>
    public static NpgsqlBatchCommand WithRecipient(this NpgsqlBatchCommand command, Contact customer, PostalAddress to) => command
        .With(customer.Name).With(customer.Email).With(customer.Phone).With(customer.LanguageCode).With(Plausible.EmailKey(customer.Email))
        .With(to.RegionCode).With(to.LanguageCode).With(to.PostalCode).With(to.SortingCode).With(to.AdministrativeArea)
        .With(to.Locality).With(to.Sublocality).With(to.AddressLines.ToArray()).With(to.Recipients.ToArray()).With(to.Organization);

    /// <summary>The same values of many orders, each a column, but for the arrays.</summary>
    public static NpgsqlBatchCommand WithRecipients(this NpgsqlBatchCommand command, IReadOnlyList<(Contact Customer, PostalAddress To)> of) => command
        .With(of.Column(r => r.Customer.Name)).With(of.Column(r => r.Customer.Email)).With(of.Column(r => r.Customer.Phone))
        .With(of.Column(r => r.Customer.LanguageCode)).With(of.Column(r => Plausible.EmailKey(r.Customer.Email)))
        .With(of.Column(r => r.To.RegionCode)).With(of.Column(r => r.To.LanguageCode)).With(of.Column(r => r.To.PostalCode)).With(of.Column(r => r.To.SortingCode))
        .With(of.Column(r => r.To.AdministrativeArea)).With(of.Column(r => r.To.Locality)).With(of.Column(r => r.To.Sublocality)).With(of.Column(r => r.To.Organization));
}
